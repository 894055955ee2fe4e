#if os(Linux)
  import CMartletLinux
  import MartletCore

  #if canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #endif

  /// A descriptor that gives and takes one frame a call, with or without a virtio header in front: what TAP devices and packet
  /// sockets have in common.
  struct FrameDevice: ~Copyable {
    /// The most pieces of a frame: virtio header, linear part, slices.
    private static var maximumPieces: Int { 2 + Packet.maximumSlices }
    /// How long to wait before a device that took no frame is tried again.
    private static var retryTime: Nanoseconds { .microseconds(200) }

    let descriptor: CInt
    let hasVirtioHeader: Bool
    let backlogLimit: Int
    /// A batch ends with this many bytes, so that they are still in a core's cache when they are read.
    private let batchByteCount: UInt64
    private let pool: PacketPool
    /// Large memory for the next frame that outgrows a block, taken before anybody knows whether it does.
    private var spare: Region?
    private var backlog = PacketQueue()
    private var retryAt: Instant?
    /// How many frames the last batch had, and how many batches in a row had as many.
    private var usualCount = 0
    private var usualStreak = 0
    var counters = DeviceCounters()

    /// Takes over `descriptor`, which is closed with the device.
    init(
      descriptor: CInt, hasVirtioHeader: Bool, backlogLimit: Int, batchByteCount: Int = 512 << 10,
      pool: borrowing PacketPool
    ) {
      self.descriptor = descriptor
      self.hasVirtioHeader = hasVirtioHeader
      self.backlogLimit = backlogLimit
      self.batchByteCount = UInt64(batchByteCount)
      self.pool = pool.share()
    }

    deinit { close(descriptor) }

    /// When the backlog should be tried again.
    var nextDeadline: Instant? { retryAt }
  }

  // MARK: - Frames in

  extension FrameDevice {
    /// After so many batches of the same few frames the device is not asked whether there is one more: a poll would say so.
    private static var usualBound: Int { 4 }
    private static var usualLimit: Int { 8 }
    /// After so many it is asked once more.
    private static var streakLimit: Int { 32 }

    /// Hands up to `limit` frames to `body` and returns how many the device gave; more may be there.
    mutating func receive(at now: Instant, limit: Int, into body: (consuming Packet) -> Void) -> Int {
      let isPredictable = usualStreak >= Self.usualBound && usualStreak < Self.streakLimit
      let limit = isPredictable ? min(limit, usualCount) : limit
      var budget = limit
      let end = counters.receivedBytes &+ batchByteCount
      while counters.receivedBytes < end, let packet = next(at: now, budget: &budget) {
        if DatagramSplitter.isRun(packet) { split(packet, into: body) } else { body(packet) }
      }
      let count = limit - budget
      if count == usualCount, count > 0, count <= Self.usualLimit, usualStreak < Self.streakLimit {
        usualStreak += 1
      } else {
        usualCount = count
        usualStreak = 0
      }
      return count
    }

    /// All datagrams of a run at once, whatever the limit: no poll would tell of those left behind.
    private mutating func split(_ packet: consuming Packet, into body: (consuming Packet) -> Void) {
      var datagrams = PacketQueue()
      guard DatagramSplitter.split(packet, pool: pool, into: &datagrams) else {
        counters.malformedDrops += 1
        return
      }
      while let datagram = datagrams.popFirst() { body(datagram) }
    }

    /// Reads the next frame while `budget` lasts; frames that are dropped use it up as well, lest a flood of them hold up the
    /// loop.
    private mutating func next(at now: Instant, budget: inout Int) -> Packet? {
      while budget > 0 {
        guard var packet = pool.allocate() else {
          guard discardFrame() else { return nil }
          budget -= 1
          counters.poolDrops += 1
          continue
        }
        if spare == nil { spare = pool.allocateRegion(large: true) }
        var header = martlet_vnet_header()
        let linearRoom = packet.tailRoom
        let byteCount = read(into: packet, header: &header)
        guard byteCount > 0 else { return nil }
        budget -= 1
        packet.extend(min(byteCount, linearRoom))
        if byteCount > linearRoom {
          if let region = spare.take() { packet.append(Slice(region, offset: 0, count: byteCount - linearRoom)) }
        } else if byteCount == linearRoom, spare == nil {
          // There may have been more, for which there was no room.
          counters.poolDrops += 1
          continue
        }
        packet.metadata.time = now
        guard byteCount >= EthernetFrame.headerByteCount, !hasVirtioHeader || VirtioHeader.apply(header, to: &packet)
        else {
          counters.malformedDrops += 1
          continue
        }
        counters.receivedFrames += 1
        counters.receivedBytes += UInt64(byteCount)
        return packet
      }
      return nil
    }

    /// The size of the frame that was read behind the headroom of `packet` and then into `spare`; 0 or less if none was.
    private func read(into packet: borrowing Packet, header: inout martlet_vnet_header) -> Int {
      let headerByteCount = hasVirtioHeader ? VirtioHeader.byteCount : 0
      var result = 0
      // The pieces live as long as the call; the packet and the region longer.
      unsafe withUnsafeMutableBytes(of: &header) { headerBytes in
        unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: 3) { pieces in
          var count = 0
          if headerByteCount > 0 {
            unsafe pieces[count] = iovec(iov_base: headerBytes.baseAddress, iov_len: headerByteCount)
            count += 1
          }
          unsafe pieces[count] = iovec(iov_base: packet.pointer, iov_len: packet.tailRoom)
          count += 1
          if let bytes = unsafe spareBytes {
            unsafe pieces[count] = iovec(iov_base: bytes, iov_len: PacketPool.largeRegionByteCount)
            count += 1
          }
          repeat {
            result = unsafe readv(descriptor, pieces.baseAddress, CInt(count))
          } while result < 0 && errno == EINTR
        }
      }
      return result - headerByteCount
    }

    private var spareBytes: UnsafeMutableRawPointer? {
      switch spare {
      case .some(let region): unsafe region.bytes
      case nil: nil
      }
    }

    /// Takes a frame from the device and forgets it; false if there was none.
    private func discardFrame() -> Bool {
      var bytes = (UInt64(0), UInt64(0))
      return unsafe withUnsafeMutableBytes(of: &bytes) { buffer in
        var piece = unsafe iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
        return unsafe readv(descriptor, &piece, 1) > 0
      }
    }
  }

  // MARK: - Frames out

  extension FrameDevice {
    /// Sends `packet`, or keeps it while the device takes none.
    mutating func send(_ packet: consuming Packet, at now: Instant) {
      if backlog.isEmpty, write(packet) { return }
      guard backlog.count < backlogLimit else {
        counters.backlogDrops += 1
        return
      }
      if retryAt == nil { retryAt = now + Self.retryTime }
      backlog.append(packet)
    }

    /// Sends what waits.
    mutating func flush(at now: Instant) {
      guard !backlog.isEmpty else { return }
      var waiting = PacketQueue()
      waiting.append(contentsOf: &backlog)
      retryAt = nil
      while let packet = waiting.popFirst() {
        if write(packet) { continue }
        backlog.append(packet)
        backlog.append(contentsOf: &waiting)
        retryAt = now + Self.retryTime
        return
      }
    }

    /// Writes `packet` and returns true, also when the device will never take it; false if it takes nothing now.
    private mutating func write(_ packet: borrowing Packet) -> Bool {
      guard let header = hasVirtioHeader ? VirtioHeader.describing(packet) : martlet_vnet_header() else {
        counters.malformedDrops += 1
        return true
      }
      guard !packet.isFaulty else {
        counters.refusedDrops += 1
        return true
      }
      var result = 0
      // The pieces live as long as the call, and the packet is borrowed for longer.
      unsafe withUnsafeBytes(of: header) { headerBytes in
        unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: Self.maximumPieces) { pieces in
          var count = 0
          if hasVirtioHeader {
            unsafe pieces[0] = iovec(
              iov_base: UnsafeMutableRawPointer(mutating: headerBytes.baseAddress), iov_len: headerBytes.count)
            count = 1
          }
          unsafe packet.forEachRun(from: 0, count: packet.count) { bytes, byteCount in
            unsafe pieces[count] = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes), iov_len: byteCount)
            count += 1
          }
          repeat {
            result = unsafe writev(descriptor, pieces.baseAddress, CInt(count))
          } while result < 0 && errno == EINTR
        }
      }
      if result >= 0 {
        counters.sentFrames += 1
        counters.sentBytes += UInt64(packet.count)
        return true
      }
      let failure = errno
      if failure == EAGAIN || failure == ENOBUFS { return false }
      counters.refusedDrops += 1
      counters.lastError = failure
      return true
    }
  }
#endif
