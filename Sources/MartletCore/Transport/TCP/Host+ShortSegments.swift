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
    guard count > 0 else { return false }
    let now = now
    return unsafe sendAlongWay(connection, index, length: connection.pointee.tcp.plainHeaderByteCount &+ count) {
      unsafe connection.pointee.tcp.depart(count, to: $0, at: now)
    }
  }

  /// Sends a segment of `length` bytes of `connection`, at `index`, along a known way, if there is one that takes it, and says
  /// whether it did. `depart` writes the segment without its checksum and returns the sum of its words.
  @unsafe @inline(__always)
  mutating func sendAlongWay(
    _ connection: UnsafeMutablePointer<Connection>, _ index: UInt32, length: Int,
    _ depart: (UnsafeMutableRawPointer) -> UInt64
  ) -> Bool {
    guard unsafe connection.pointee.tcp.flow.zone == .loopback,
      let place = unsafe findWay(
        from: connection.pointee.tcp.flow.localAddress, to: connection.pointee.tcp.flow.remoteAddress)
    else { return false }
    let way = unsafe ways.pointer(at: place)
    let front = unsafe way.pointee.headerByteCount
    let interface = unsafe way.pointee.interface
    guard unsafe !way.pointee.leavesChecksum, unsafe !way.pointee.isTooNarrow,
      unsafe length <= Int(way.pointee.linkRoom),
      interfaces[Int(interface.index)].transmitQueue.count < configuration.internet.maximumTransmitQueue,
      var packet = pool.allocate(headerByteCount: front, payloadByteCount: length)
    else { return false }
    let start = unsafe packet.pointer
    let segment = unsafe depart(start + front)
    let sum =
      unsafe segment &+ UInt64(UInt16(bigEndian: way.pointee.addressSum)) &+ UInt64(length)
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
    noteWaiting(interface)
    unsafe connection.pointee.isPending = false
    if unsafe connection.pointee.movesWakeUp() { unsafe connectionTimers.set(connection.pointee.wakeUp, for: index) }
    return true
  }

  // MARK: In

  /// Whether it is worth while to look for a plain segment in a frame, as far as its size says.
  @inline(__always)
  func mayBePlainSegment(_ packet: borrowing Packet) -> Bool {
    packet.linearCount > PlainFrame.headerByteCount && packet.linearCount <= PlainFrame.largestByteCount
      && packet.sliceCount == 0
  }

  /// Takes a frame that ``mayBePlainSegment(_:)``, if it is a segment that the last segment's connection waits for.
  @inline(never)
  mutating func receiveSegmentFrame(_ packet: consuming Packet, on interface: InterfaceID) {
    guard takesShortWays, let frame = PlainFrame(of: packet) else { return receiveOtherFrame(packet, on: interface) }
    let key = lastSegment.connection
    guard frame.names == lastSegment.names, interface == lastSegment.interface,
      addresses.generation == lastSegment.generation, let connection = unsafe connections.pointer(of: key)
    else { return receiveStranger(packet, frame.names, on: interface) }
    let segment = frame.segment(in: packet)
    guard isIntact(packet, frame), unsafe connection.pointee.tcp.expects(segment, at: now) else {
      return receiveOtherFrame(packet, on: interface)
    }
    packet.removeFirst(PlainFrame.headerByteCount)
    unsafe connection.pointee.tcp.take(segment, payload: packet, at: now)
    if unsafe connection.pointee.confirmedIn != confirmationPeriod { confirmNeighbor(of: key.index) }
    guard unsafe connection.pointee.announcesChanges else { return update(key.index) }
    if unsafe connection.pointee.takeNews() { events.append(SocketID(.connection, key)) }
    if unsafe connection.pointee.takePlaceInLine() { pending.append(key) }
    if unsafe connection.pointee.movesWakeUp() {
      unsafe connectionTimers.set(connection.pointee.wakeUp, for: key.index)
    }
  }

  /// Takes a frame of another connection than the last one, and remembers it if the next one may be like it.
  @inline(never)
  private mutating func receiveStranger(
    _ packet: consuming Packet, _ names: PlainFrame.Names, on interface: InterfaceID
  ) {
    receiveOtherFrame(packet, on: interface)
    let addresses = UInt64(bigEndian: names.addresses)
    let ports = UInt32(bigEndian: names.ports)
    let flow = Flow(
      localAddress: IPAddress(IPv4Address(value: UInt32(truncatingIfNeeded: addresses))),
      localPort: UInt16(truncatingIfNeeded: ports),
      remoteAddress: IPAddress(IPv4Address(value: UInt32(truncatingIfNeeded: addresses &>> 32))),
      remotePort: UInt16(truncatingIfNeeded: ports &>> 16))
    // Both the frame's addresses and those of IP have to have been found good.
    guard self.addresses.isKnownGood(ipv4: addresses, on: interface),
      UInt64(bigEndian: names.link) &>> 16 == interfaces[Int(interface.index)].macAddress.value,
      UInt64(bigEndian: names.link) & 0x0100 == 0, connections.isOccupied(lastConnection),
      connections[lastConnection].tcp.flow == flow
    else { return }
    lastSegment = LastSegment(
      names: names, interface: interface, connection: connections.tenant(at: lastConnection),
      generation: self.addresses.generation)
  }

  /// Whether the checksums of the IP header and of the segment are right, or known to be.
  @inline(__always)
  private func isIntact(_ packet: borrowing Packet, _ frame: PlainFrame) -> Bool {
    // Words of the wire's order may be added in any width (RFC 1071 section 2 (B)).
    let names = UInt64(bigEndian: frame.names.addresses)
    let both = names &>> 32 &+ (names & 0xffff_ffff)
    let header = frame.second & 0xffff_ffff_ffff &+ frame.third &>> 32 &+ (frame.third &>> 16 & 0xffff) &+ both
    guard WordSum.fold(header) == 0xffff else { return false }
    let state = packet.metadata.checksum
    guard state == .unknown || state == .computed else { return true }
    let count = packet.linearCount &- PlainFrame.networkHeaderByteCount
    let start = unsafe UnsafeRawPointer(packet.pointer + PlainFrame.networkHeaderByteCount)
    // What was turned as it was read; then, in memory's order, what was not.
    let pseudo = both &+ UInt64(IPProtocol.tcp.value) &+ UInt64(truncatingIfNeeded: count)
    var sum = UInt64(WordSum.fold(pseudo).byteSwapped)
    let text = count &- PlainFrame.transportHeaderByteCount
    if text <= 8 {
      unsafe WordSum.addWord(start, 0, to: &sum)
      unsafe WordSum.addWord(start, 8, to: &sum)
      unsafe WordSum.addWord(start, 16, to: &sum)
      unsafe WordSum.addWord(start, 24, to: &sum)
      // The last eight bytes, without those that were added already.
      let last = unsafe UInt64(littleEndian: start.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
      WordSum.add((last &>> UInt64(truncatingIfNeeded: 64 &- 8 &* text)).littleEndian, to: &sum)
    } else {
      sum &+= unsafe WordSum.partial(start, count: count)
    }
    return WordSum.fold(sum) == 0xffff
  }
}

/// The connection that the last small segment was for, and the names that led to it.
struct LastSegment: BitwiseCopyable {
  var names = PlainFrame.Names()
  var interface = InterfaceID.loopback
  var connection = SlabKey(index: .max, generation: 0)
  /// ``LocalAddresses/generation`` then.
  var generation: UInt64 = 0
}

/// What a frame says that looks like nothing but a small segment over IPv4 with timestamps and data.
struct PlainFrame: BitwiseCopyable {
  /// What tells its connection, as it stands in the frame.
  struct Names: Equatable, BitwiseCopyable {
    /// The destination's address and two bytes of the source's, whose first has the group bit.
    var link: UInt64 = 0
    var addresses: UInt64 = 0
    var ports: UInt32 = 0

    @inline(__always)
    static func == (left: Names, right: Names) -> Bool {
      (left.link ^ right.link) | (left.addresses ^ right.addresses) | UInt64(left.ports ^ right.ports) == 0
    }
  }

  var names: Names
  /// The type and the first six bytes of the IP header; the fragment's offset, hop limit, protocol, checksum.
  var second: UInt64
  var third: UInt64

  @inline(__always)
  init?(of packet: borrowing Packet) {
    let start = unsafe UnsafeRawPointer(packet.pointer)
    second = unsafe UInt64(bigEndian: start.loadUnaligned(fromByteOffset: 12, as: UInt64.self))
    third = unsafe UInt64(bigEndian: start.loadUnaligned(fromByteOffset: 20, as: UInt64.self))
    let shape = unsafe UInt32(bigEndian: start.loadUnaligned(fromByteOffset: 46, as: UInt32.self))
    let options = unsafe UInt32(bigEndian: start.loadUnaligned(fromByteOffset: 54, as: UInt32.self))
    names = unsafe Names(
      link: start.loadUnaligned(as: UInt64.self),
      addresses: start.loadUnaligned(fromByteOffset: 26, as: UInt64.self),
      ports: start.loadUnaligned(fromByteOffset: 34, as: UInt32.self))
    // The type, version and header's size; no congestion experienced; the frame's end; no fragment, and TCP; a header of 32
    // bytes, the flag ACK, whatever PSH; two NOPs, then timestamps.
    guard second &>> 40 == 0x08_0045, second &>> 32 & 3 != 3,
      Int(second &>> 16 & 0xffff) &+ EthernetHeader.untaggedByteCount == packet.linearCount,
      third & 0x3fff_00ff_0000_0000 == 0x6_0000_0000, shape & 0xfff7_0000 == 0x8010_0000,
      options == TCPOptions.alignedTimestamps
    else { return nil }
  }

  @inline(__always)
  func segment(in packet: borrowing Packet) -> TCPConnection.PlainSegment {
    let start = unsafe UnsafeRawPointer(packet.pointer)
    @inline(__always) func word(_ offset: Int) -> UInt32 {
      unsafe UInt32(bigEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
    return TCPConnection.PlainSegment(
      sequence: SequenceNumber(word(38)), acknowledgment: SequenceNumber(word(42)),
      window: UInt16(truncatingIfNeeded: word(46)), timestamps: TCPTimestamps(value: word(58), echoReply: word(62)),
      payloadCount: packet.linearCount &- Self.headerByteCount)
  }

  /// Ethernet and IPv4; TCP with timestamps; both.
  static var networkHeaderByteCount: Int { 34 }
  static var transportHeaderByteCount: Int { 32 }
  static var headerByteCount: Int { 66 }
  /// Longer frames are part of a stream.
  static var largestByteCount: Int { headerByteCount + 512 }
}
