import MartletWire

/// Puts fragmented datagrams together (RFC 791 section 3.2, RFC 8200 section 4.5).
///
/// Fragments that overlap end their datagram (RFC 5722), exact repetitions are ignored, fragments that hide the transport
/// header are refused (RFC 1858, RFC 7112), a fragment that is the whole packet passes without waiting for anyone
/// (RFC 6946). Datagrams, fragments and bytes are bounded by ``Host/Configuration/Internet``; the oldest datagram goes first.
package struct Reassembler: ~Copyable {
  /// What became of a fragment.
  package enum Outcome: ~Copyable {
    /// The whole packet: as if it had never been fragmented, its first bytes linear.
    case complete(Packet)
    /// Kept until the rest comes.
    case held
    /// Not taken: the fragment itself, why, and where an ICMPv6 parameter problem (code 0) has to point if one is owed.
    ///
    /// A first fragment without the whole header chain (``Drop/Reason/fragmentTiny``, IPv6) may be answered with code 3.
    case refused(Packet, Drop.Reason, pointer: UInt32?)
  }

  /// A datagram whose fragments did not all come in time.
  package struct Timeout: ~Copyable {
    /// Its first fragment as it arrived, for an ICMP time exceeded message (code 1); nil if that is missing, and none is owed.
    package var first: Packet?
    /// Where its fragments came in.
    package var interface: InterfaceID
  }

  private let maximumBytes: Int
  private let maximumFragments: Int
  private let lifetime: Nanoseconds
  private let hash: KeyedHash
  private var entries: Slab<ReassemblyEntry>
  private var pieces: Slab<FragmentPiece>
  private var index = HashIndex()
  private var deadlines = DeadlineHeap()
  /// The bytes held now, blocks counted whole.
  package private(set) var byteCount = 0

  package init(_ configuration: Host.Configuration.Internet, hash: KeyedHash) {
    maximumBytes = configuration.maximumReassemblyBytes
    maximumFragments = max(2, configuration.maximumFragments)
    lifetime = configuration.reassemblyTime.inNanoseconds
    self.hash = hash
    let datagrams = max(1, configuration.maximumReassemblies)
    entries = Slab(capacity: datagrams)
    pieces = Slab(capacity: datagrams * maximumFragments)
  }

  /// How many datagrams wait for fragments.
  package var count: Int { entries.count }

  /// When ``nextTimeout(at:discarded:)`` has something to give.
  package var nextDeadline: Instant? { deadlines.first }
}

// MARK: - Receiving

extension Reassembler {
  /// Takes in a fragment.
  ///
  /// - Parameters:
  ///   - packet: an IP packet, beginning with the IP header; all headers up to the fragment header, and the transport's in
  ///     a first fragment, are linear. Bytes past the IP length (link padding) are ignored.
  ///   - interface: where it came in.
  ///   - discarded: where other fragments go that were held: of the same datagram, for the reason that the outcome names if
  ///     it is a refusal; else of older datagrams that had to make room (``Drop/Reason/fragmentTableFull``).
  package mutating func receive(
    _ packet: consuming Packet, on interface: InterfaceID, at now: Instant, pool: borrowing PacketPool,
    discarded: inout PacketQueue
  ) -> Outcome {
    guard let fields = FragmentFields(of: packet, on: interface) else {
      return .refused(packet, .fragmentMalformed, pointer: nil)
    }
    packet.truncate(to: fields.headerByteCount + fields.count)
    if let refusal = fields.refusal(in: packet) {
      return .refused(packet, refusal.reason, pointer: refusal.pointer)
    }
    if fields.offset == 0, !fields.moreFragments {
      Self.removeFragmentHeader(of: &packet, fields)
      return .complete(packet)
    }

    var place = find(fields.key)
    if let place, let reason = conflict(of: packet, fields, with: place) {
      if reason != .fragmentDuplicate, !entries[place].isPoisoned {
        discardPieces(of: place, into: &discarded)
        // RFC 5722 asks to refuse what still comes; an IPv4 identification may be in use again by then.
        if fields.version == .v6 { entries[place].isPoisoned = true } else { removeEntry(place) }
      }
      return .refused(packet, reason, pointer: nil)
    }

    let cost = FragmentPiece.heldByteCount(packet)
    while byteCount + cost > maximumBytes, let oldest = oldestEntry(besides: place) {
      discardPieces(of: oldest, into: &discarded)
      removeEntry(oldest)
    }
    guard byteCount + cost <= maximumBytes else { return .refused(packet, .fragmentTableFull, pointer: nil) }
    if place == nil {
      if entries.count == entries.capacity, let oldest = oldestEntry(besides: nil) {
        discardPieces(of: oldest, into: &discarded)
        removeEntry(oldest)
      }
      place = entries.insert(ReassemblyEntry(key: fields.key))?.index
      if let place {
        index.insert(fields.key.hash(with: hash), place: place)
        deadlines.set(now + lifetime, for: place)
      }
    }
    guard let place else { return .refused(packet, .fragmentTableFull, pointer: nil) }
    insert(packet, fields, into: place, cost: cost)
    guard entries[place].received == entries[place].total else { return .held }
    return complete(place, pool: pool, discarded: &discarded)
  }

  /// Why the fragment cannot join what is held of its datagram.
  private func conflict(
    of packet: borrowing Packet, _ fields: FragmentFields, with place: UInt32
  ) -> Drop.Reason? {
    if entries[place].isPoisoned { return .fragmentOverlap }
    let end = fields.offset + fields.count
    var key = entries[place].first
    var furthest = 0
    while key != FragmentPiece.none {
      let offset = pieces[key].offset
      let pieceEnd = offset + pieces[key].count
      if offset < end, fields.offset < pieceEnd {
        let isSame =
          offset == fields.offset && pieceEnd == end && fields.moreFragments == (entries[place].total != end)
          && Self.haveSamePayload(
            packet, fields.headerByteCount, pieces[key].packet, pieces[key].headerByteCount, fields.count)
        return isSame ? .fragmentDuplicate : .fragmentOverlap
      }
      furthest = pieceEnd
      key = pieces[key].next
    }
    if let total = entries[place].total {
      if end > total || !fields.moreFragments && end != total { return .fragmentMalformed }
    } else if !fields.moreFragments, end < furthest {
      return .fragmentMalformed
    }
    return entries[place].pieceCount >= maximumFragments ? .fragmentTableFull : nil
  }

  /// Whether the `count` bytes behind the headers of two fragments are the same.
  private static func haveSamePayload(
    _ a: borrowing Packet, _ headerOfA: Int, _ b: borrowing Packet, _ headerOfB: Int, _ count: Int
  ) -> Bool {
    var bytesOfA = InlineArray<256, UInt8>(repeating: 0)
    var bytesOfB = InlineArray<256, UInt8>(repeating: 0)
    var done = 0
    while done < count {
      let run = min(256, count - done)
      var left = bytesOfA.mutableSpan
      unsafe left.withUnsafeMutableBytes { target in
        if let base = target.baseAddress { unsafe a.copyBytes(from: headerOfA + done, count: run, to: base) }
      }
      var right = bytesOfB.mutableSpan
      unsafe right.withUnsafeMutableBytes { target in
        if let base = target.baseAddress { unsafe b.copyBytes(from: headerOfB + done, count: run, to: base) }
      }
      for place in 0..<run where bytesOfA[place] != bytesOfB[place] { return false }
      done += run
    }
    return true
  }

  private mutating func insert(_ packet: consuming Packet, _ fields: FragmentFields, into place: UInt32, cost: Int) {
    var previous = FragmentPiece.none
    var next = entries[place].first
    while next != FragmentPiece.none, pieces[next].offset < fields.offset {
      previous = next
      next = pieces[next].next
    }
    var piece = FragmentPiece(
      offset: fields.offset, count: fields.count, headerByteCount: fields.headerByteCount, packet: packet)
    piece.next = next
    // There is room: each datagram has at most its share of the pieces.
    guard let key = pieces.insert(piece) else { return }
    if previous == FragmentPiece.none { entries[place].first = key.index } else { pieces[previous].next = key.index }
    entries[place].pieceCount += 1
    entries[place].received += fields.count
    entries[place].congestionCodes |= 1 << fields.congestionCode
    if !fields.moreFragments { entries[place].total = fields.offset + fields.count }
    byteCount += cost
  }
}

// MARK: - The whole packet

extension Reassembler {
  private mutating func complete(
    _ place: UInt32, pool: borrowing PacketPool, discarded: inout PacketQueue
  ) -> Outcome {
    let total = entries[place].received
    let codes = entries[place].congestionCodes
    // A mark says nothing about a datagram of which a part could not be marked (RFC 3168 section 5.3).
    let isMixed = codes & 0b1000 != 0 && codes & 0b0001 != 0
    var reason = isMixed ? Drop.Reason.fragmentMalformed : nil
    let first = entries[place].first
    if reason == nil, let fields = FragmentFields(of: pieces[first].packet, on: entries[place].key.interface) {
      let front = fields.keptHeaderByteCount
      if front - (fields.version == .v4 ? 0 : IPv6Header.byteCount) + total > 65_535 {
        reason = .fragmentTooBig
      } else if var packet = gather(place, headers: front, total: total, pool: pool) {
        Self.fixHeader(of: &packet, fields, isMarked: codes & 0b1000 != 0)
        packet.metadata = pieces[first].packet.metadata
        var used = PacketQueue()
        discardPieces(of: place, into: &used)
        removeEntry(place)
        return .complete(packet)
      } else {
        reason = .poolExhausted
      }
    }
    // The fragment that came last is among the pieces; any of them stands for it.
    var pieces = PacketQueue()
    discardPieces(of: place, into: &pieces)
    removeEntry(place)
    guard let stand = pieces.popFirst() else { return .held }
    discarded.append(contentsOf: &pieces)
    return .refused(stand, reason ?? .fragmentMalformed, pointer: nil)
  }

  /// A packet with the first `headers` bytes of the first piece and the payload of all: as much of it as fits in the linear
  /// part, the rest in regions.
  private func gather(_ place: UInt32, headers: Int, total: Int, pool: borrowing PacketPool) -> Packet? {
    guard var whole = pool.allocate() else { return nil }
    let first = entries[place].first
    whole.extend(headers)
    unsafe whole.pointer.copyMemory(from: pieces[first].packet.pointer, byteCount: headers)
    var key = first
    var taken = 0
    let linear = min(total, whole.tailRoom)
    whole.extend(linear)
    unsafe copyPayload(&key, &taken, count: linear, to: whole.pointer + headers)
    var left = total - linear
    let isLarge = left > 8 * PacketPool.smallRegionByteCount
    while left > 0 {
      guard let region = pool.allocateRegion(large: isLarge) else { return nil }
      let run = min(left, region.byteCount)
      unsafe copyPayload(&key, &taken, count: run, to: region.bytes)
      guard whole.append(Slice(region, offset: 0, count: run)) else { return nil }
      left -= run
    }
    return whole
  }

  /// Copies the next `count` bytes of payload, from byte `taken` of piece `key` on.
  private func copyPayload(
    _ key: inout UInt32, _ taken: inout Int, count: Int, to destination: UnsafeMutableRawPointer
  ) {
    var done = 0
    while done < count, key != FragmentPiece.none {
      let run = min(count - done, pieces[key].count - taken)
      unsafe pieces[key].packet.copyBytes(
        from: pieces[key].headerByteCount + taken, count: run, to: destination + done)
      done += run
      taken += run
      if taken == pieces[key].count {
        key = pieces[key].next
        taken = 0
      }
    }
  }

  /// Makes the headers those of a packet that was never fragmented.
  private static func fixHeader(of packet: inout Packet, _ fields: FragmentFields, isMarked: Bool) {
    let count = packet.count
    var bytes = packet.mutableBytes
    switch fields.version {
    case .v4:
      let kept: UInt16 = bytes.bytes.bigEndian(at: 6)
      bytes.store(bigEndian: UInt16(count), at: 2)
      bytes.store(bigEndian: kept & 0xc000, at: 6)
      if isMarked { bytes.store(bigEndian: bytes.bytes.bigEndian(at: 1, as: UInt8.self) | 3, at: 1) }
      bytes.store(bigEndian: UInt16(0), at: IPv4Header.checksumOffset)
      let checksum = InternetChecksum.of(bytes.bytes.extracting(first: fields.headerByteCount))
      bytes.store(bigEndian: checksum, at: IPv4Header.checksumOffset)
    case .v6:
      bytes.store(bigEndian: UInt16(count - IPv6Header.byteCount), at: IPv6Header.payloadLengthOffset)
      bytes.store(bigEndian: fields.upperProtocol.value, at: fields.linkOffset)
      if isMarked { bytes.store(bigEndian: bytes.bytes.bigEndian(at: 1, as: UInt8.self) | 0x30, at: 1) }
    }
  }

  /// Takes the fragment header out of an IPv6 packet that is whole (RFC 6946).
  private static func removeFragmentHeader(of packet: inout Packet, _ fields: FragmentFields) {
    guard fields.version == .v6 else { return }
    unsafe (packet.pointer + FragmentHeader.byteCount).copyMemory(
      from: packet.pointer, byteCount: fields.fragmentHeaderOffset)
    packet.removeFirst(FragmentHeader.byteCount)
    fixHeader(of: &packet, fields, isMarked: false)
  }
}

// MARK: - Time and room

extension Reassembler {
  /// The next datagram that waited too long at `now`; nil when there is none (any more).
  ///
  /// - Parameter discarded: where its fragments go but the first (``Drop/Reason/fragmentTimeout``).
  package mutating func nextTimeout(at now: Instant, discarded: inout PacketQueue) -> Timeout? {
    while let place = deadlines.popDue(at: now) {
      if entries[place].pieceCount == 0 {
        removeEntry(place)
        continue
      }
      let interface = entries[place].key.interface
      let hasFirst = pieces[entries[place].first].offset == 0
      var held = PacketQueue()
      discardPieces(of: place, into: &held)
      removeEntry(place)
      let first = hasFirst ? held.popFirst() : nil
      discarded.append(contentsOf: &held)
      return Timeout(first: first, interface: interface)
    }
    return nil
  }

  /// Lets go of every datagram that came in by `interface`.
  package mutating func removeAll(on interface: InterfaceID, discarded: inout PacketQueue) {
    for place in 0..<entries.indexBound
    where entries.key(at: place) != nil && entries[place].key.interface == interface {
      discardPieces(of: place, into: &discarded)
      removeEntry(place)
    }
  }

  private func find(_ key: ReassemblyKey) -> UInt32? {
    index.find(key.hash(with: hash)) { entries[$0].key == key }
  }

  /// The datagram that began first, if it is not `place`.
  private mutating func oldestEntry(besides place: UInt32?) -> UInt32? {
    guard let deadline = deadlines.first, let oldest = deadlines.popDue(at: .distantFuture) else { return nil }
    if oldest != place { return oldest }
    let second = deadlines.popDue(at: .distantFuture)
    deadlines.set(deadline, for: oldest)
    return second
  }

  private mutating func discardPieces(of place: UInt32, into queue: inout PacketQueue) {
    var next = entries[place].first
    while next != FragmentPiece.none, let key = pieces.key(at: next) {
      next = pieces[key.index].next
      byteCount -= pieces[key.index].heldByteCount
      if let piece = pieces.remove(key) { queue.append(piece.packet) }
    }
    entries[place].first = FragmentPiece.none
    entries[place].pieceCount = 0
  }

  private mutating func removeEntry(_ place: UInt32) {
    deadlines.set(nil, for: place)
    index.remove(entries[place].key.hash(with: hash), place: place)
    if let key = entries.key(at: place) { entries.remove(key) }
  }
}
