internal import BasicContainers
internal import MartletWire

// The shortest ways of TCP: a small segment that answers the one before it, out along a known way and in to the connection
// that the last segment was for. Each is decided before anything is changed; whatever is out of the ordinary goes the long
// way, which comes to the same (ShortWayTests).

extension Host {
  // MARK: Out

  /// Sends what `connection`, at `index`, has to send, if that is one small segment along a known way; says whether it did.
  @unsafe @inline(__always)
  mutating func sendPlainSegment(_ connection: UnsafeMutablePointer<Connection>, _ index: UInt32) -> Bool {
    let count = unsafe connection.pointee.tcp.plainDeparture(at: now)
    guard count > 0, unsafe connection.pointee.tcp.flow.zone == .loopback,
      let place = unsafe findWay(
        from: connection.pointee.tcp.flow.localAddress, to: connection.pointee.tcp.flow.remoteAddress)
    else { return false }
    let way = unsafe ways.pointer(at: place)
    let length = unsafe connection.pointee.tcp.plainHeaderByteCount &+ count
    let front = unsafe way.pointee.headerByteCount
    let interface = unsafe way.pointee.interface
    guard unsafe !way.pointee.leavesChecksum, unsafe !way.pointee.isTooNarrow,
      unsafe length <= Int(way.pointee.linkRoom),
      interfaces[Int(interface.index)].transmitQueue.count < configuration.internet.maximumTransmitQueue,
      var packet = pool.allocate(headerByteCount: front, payloadByteCount: length)
    else { return false }
    let start = unsafe packet.pointer
    let segment = unsafe connection.pointee.tcp.depart(count, to: start + front, at: now)
    let sum = unsafe segment &+ UInt64(UInt16(bigEndian: way.pointee.addressSum)) &+ UInt64(length)
      &+ UInt64(IPProtocol.tcp.value)
    unsafe (start + front).storeBytes(
      of: (~WordSum.fold(sum)).bigEndian, toByteOffset: TCPHeader.checksumOffset, as: UInt16.self)
    packet.metadata.checksum = .computed
    let timeToLive = unsafe connection.pointee.timeToLive
    let fields = unsafe HeaderFields(
      protocol: .tcp, hopLimit: timeToLive == 0 ? configuration.internet.timeToLive : timeToLive,
      trafficClass: connection.pointee.trafficClass, dontFragment: true, checksumOffset: TCPHeader.checksumOffset)
    unsafe putHeaders(at: start, way: place, fields, length: length)
    interfaces[Int(interface.index)].transmitQueue.append(packet)
    unsafe connection.pointee.isPending = false
    if unsafe connection.pointee.movesWakeUp() { unsafe connectionTimers.set(connection.pointee.wakeUp, for: index) }
    return true
  }

  // MARK: In

  /// Whether it is worth while to look for a plain segment in a frame, as far as its size says.
  @inline(__always)
  func mayBePlainSegment(_ packet: borrowing Packet) -> Bool {
    packet.linearCount > PlainSegment.headerByteCount && packet.linearCount <= PlainSegment.largestByteCount
      && packet.sliceCount == 0
  }

  /// Takes a frame that ``mayBePlainSegment(_:)``, if it is a segment that the last segment's connection waits for.
  @inline(never)
  mutating func receiveSegmentFrame(_ packet: consuming Packet, on interface: InterfaceID) {
    let index = lastConnection
    guard takesShortWays, connections.isOccupied(index) else { return receiveOtherFrame(packet, on: interface) }
    let connection = unsafe connections.pointer(at: index)
    guard let segment = unsafe plainSegment(in: packet, on: interface, for: connection),
      unsafe connection.pointee.tcp.expects(segment, at: now)
    else { return receiveOtherFrame(packet, on: interface) }
    packet.removeFirst(PlainSegment.headerByteCount)
    unsafe connection.pointee.tcp.take(segment, payload: packet, at: now)
    if unsafe connection.pointee.confirmedIn != confirmationPeriod { confirmNeighbor(of: index) }
    if unsafe connection.pointee.announcesChanges {
      if unsafe connection.pointee.takeNews() { events.append(SocketID(.connection, connections.tenant(at: index))) }
      if unsafe connection.pointee.takePlaceInLine() { pending.append(connections.tenant(at: index)) }
      if unsafe connection.pointee.movesWakeUp() { unsafe connectionTimers.set(connection.pointee.wakeUp, for: index) }
    } else {
      update(index)
    }
  }

  /// What a frame says, if it is nothing but a small segment of `connection` over IPv4, with timestamps, all its checksums
  /// right, from somebody known; nil for any other, whatever may be the matter with it.
  @unsafe @inline(__always)
  private func plainSegment(
    in packet: borrowing Packet, on interface: InterfaceID, for connection: UnsafeMutablePointer<Connection>
  ) -> TCPConnection.PlainSegment? {
    let start = unsafe UnsafeRawPointer(packet.pointer)
    @inline(__always) func word(_ offset: Int) -> UInt64 {
      unsafe UInt64(bigEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    // The type and the first six bytes of the IP header; the fragment's offset, hop limit, protocol, checksum and two bytes
    // of the source's address.
    let second = word(12)
    let third = word(20)
    // Ports and sequence number; the acknowledgement, the header's size, flags and window; the options.
    let ports = word(34)
    let fourth = word(42)
    let total = Int(second &>> 16 & 0xffff)
    // No congestion was experienced, and the segment ends where the frame ends.
    guard second &>> 40 == PlainSegment.ipv4, second &>> 32 & 3 != 3,
      third & 0x3fff_00ff_0000_0000 == PlainSegment.tcp, total &+ 14 == packet.linearCount,
      fourth & 0xfff7_0000 == PlainSegment.shape, word(50) & 0xffff_ffff == PlainSegment.timestamps
    else { return nil }
    // The addresses on the link, with the group bit of the source's; those of IP, and the connection's.
    let first = word(0)
    let addresses = word(26)
    let mapped = 0xffff_0000_0000 as UInt64
    guard first &>> 16 == interfaces[Int(interface.index)].macAddress.value, first & 0x0100 == 0,
      unsafe connection.pointee.tcp.flow.remotePort == UInt16(truncatingIfNeeded: ports &>> 48),
      unsafe connection.pointee.tcp.flow.localPort == UInt16(truncatingIfNeeded: ports &>> 32),
      unsafe connection.pointee.tcp.flow.remoteAddress.v6.low == mapped | addresses &>> 32,
      unsafe connection.pointee.tcp.flow.localAddress.v6.low == mapped | addresses & 0xffff_ffff,
      unsafe connection.pointee.tcp.flow.remoteAddress.v6.high == 0,
      unsafe connection.pointee.tcp.flow.localAddress.v6.high == 0,
      unsafe connection.pointee.tcp.flow.zone == .loopback,
      self.addresses.isKnownGood(ipv4: addresses, on: interface)
    else { return nil }
    let both = addresses &>> 32 &+ (addresses & 0xffff_ffff)
    let header = (second & 0xffff_ffff_ffff) &+ third &>> 32 &+ (third &>> 16 & 0xffff) &+ both
    guard WordSum.fold(header) == 0xffff else { return nil }
    let state = packet.metadata.checksum
    if state == .unknown || state == .computed {
      let length = total &- IPv4Header.minimumByteCount
      let text = unsafe WordSum.partial(start + 34, count: length)
      let pseudo = both &+ UInt64(IPProtocol.tcp.value) &+ UInt64(length)
      // The addresses were turned as they were read, the text was not.
      guard WordSum.fold(text &+ UInt64(WordSum.fold(pseudo).byteSwapped)) == 0xffff else { return nil }
    }
    let timestamps = word(58)
    return TCPConnection.PlainSegment(
      sequence: SequenceNumber(UInt32(truncatingIfNeeded: ports)),
      acknowledgment: SequenceNumber(UInt32(truncatingIfNeeded: fourth &>> 32)),
      window: UInt16(truncatingIfNeeded: fourth),
      timestamps: TCPTimestamps(
        value: UInt32(truncatingIfNeeded: timestamps &>> 32), echoReply: UInt32(truncatingIfNeeded: timestamps)),
      payloadCount: packet.linearCount &- PlainSegment.headerByteCount)
  }

  private enum PlainSegment {
    /// The type, version and header length of an IPv4 packet without options.
    static var ipv4: UInt64 { 0x08_0045 }
    /// No fragment, and TCP, in the eight bytes that begin with the fragment's offset.
    static var tcp: UInt64 { 6 &<< 32 }
    /// A header of 32 bytes and the flag ACK, whatever PSH and the window.
    static var shape: UInt64 { 0x8010_0000 }
    /// Two NOPs, then timestamps.
    static var timestamps: UInt64 { UInt64(TCPOptions.alignedTimestamps) }
    /// Ethernet, IPv4, TCP with timestamps.
    static var headerByteCount: Int { 66 }
    /// Longer frames are part of a stream.
    static var largestByteCount: Int { headerByteCount + 512 }
  }
}
