internal import BasicContainers
internal import MartletWire

// The short ways of segments without text, which open, acknowledge and end connections: out along a known way, and in over
// IPv4 with the options that mostly are there. Each is decided before anything is changed; whatever is out of the ordinary
// goes the long way, which comes to the same (ShortWayTests).

extension Host {
  // MARK: Out

  /// Sends what `connection`, at `index`, has to send, if that is one segment without text along a known way; says whether it
  /// did.
  @unsafe @inline(__always)
  mutating func sendBareSegment(_ connection: UnsafeMutablePointer<Connection>, _ index: UInt32) -> Bool {
    let length = unsafe connection.pointee.tcp.bareDeparture
    guard length > 0 else { return false }
    let now = now
    return unsafe sendAlongWay(connection, index, length: length) {
      unsafe connection.pointee.tcp.departBare(to: $0, at: now)
    }
  }

  // MARK: In

  /// Whether it is worth while to look for a segment without text in a frame, as far as its size and the place of the flag SYN
  /// say.
  @inline(__always)
  func mayBeBareSegment(_ packet: borrowing Packet) -> Bool {
    guard packet.linearCount == packet.count else { return false }
    return packet.count == BareFrame.byteCount
      || (packet.count == BareFrame.byteCountOfSYN && packet.bytes.bigEndian(at: 47, as: UInt8.self) & 2 != 0)
  }

  /// Takes a frame that ``mayBeBareSegment(_:)``.
  @inline(never)
  mutating func receiveBareFrame(_ packet: consuming Packet, on interface: InterfaceID) {
    // Acknowledgements of data are taken elsewhere, and come in trains.
    let isOfData =
      packet.count == BareFrame.byteCount && connections.isOccupied(lastConnection)
      && connections[lastConnection].tcp.sender.isPresent
    guard takesShortWays, !isOfData, receiveBare(packet, on: interface) else {
      return receiveOtherFrame(packet, on: interface)
    }
  }

  /// Takes a segment without text if its connection waits for it, or nothing is the matter with the one it opens, and all its
  /// checksums are right, and its sender is known; says whether it was so.
  @inline(__always)
  private mutating func receiveBare(_ packet: borrowing Packet, on interface: InterfaceID) -> Bool {
    let start = unsafe UnsafeRawPointer(packet.pointer)
    @inline(__always) func word(_ offset: Int) -> UInt64 {
      unsafe UInt64(bigEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    // The addresses on the link; the type and the first six bytes of the IP header; the fragment's offset, hop limit,
    // protocol and checksum; the addresses of IP.
    let first = word(0)
    let second = word(12)
    let third = word(20)
    let addresses = word(26)
    guard second &>> 40 == BareFrame.ipv4, third & 0x3fff_00ff_0000_0000 == BareFrame.tcp,
      Int(second &>> 16 & 0xffff) &+ 14 == packet.linearCount,
      first &>> 16 == interfaces[Int(interface.index)].macAddress.value, first & 0x0100 == 0,
      self.addresses.isKnownGood(ipv4: addresses, on: interface)
    else { return false }
    let both = WordSum.halves(addresses)
    let header = (second & 0xffff_ffff_ffff) &+ third &>> 32 &+ (third &>> 16 & 0xffff) &+ both
    guard WordSum.fold(header) == 0xffff else { return false }

    let ports = word(34)
    let shape = word(42)
    let options = word(50)
    let times = word(58)
    let isSYN = packet.linearCount == BareFrame.byteCountOfSYN
    let last = isSYN ? word(66) : 0
    let state = packet.metadata.checksum
    if state == .unknown || state == .computed {
      let sum =
        WordSum.halves(ports) &+ WordSum.halves(shape) &+ WordSum.halves(options) &+ WordSum.halves(times)
        &+ WordSum.halves(last) &+ both &+ UInt64(IPProtocol.tcp.value) &+ UInt64(packet.linearCount &- 34)
      guard WordSum.fold(sum) == 0xffff else { return false }
    }
    if isSYN { return receiveSYN(ports, shape, options, times, last, addresses) }
    guard shape & 0xf1fe_0000 == BareFrame.acknowledgment,
      UInt32(truncatingIfNeeded: options) == TCPOptions.alignedTimestamps,
      let index = findConnection(ports: UInt32(truncatingIfNeeded: ports &>> 32), addresses)
    else { return false }
    let segment = BareSegment(
      sequence: SequenceNumber(UInt32(truncatingIfNeeded: ports)),
      acknowledgment: SequenceNumber(UInt32(truncatingIfNeeded: shape &>> 32)),
      timestamp: UInt32(truncatingIfNeeded: times &>> 32), window: UInt16(truncatingIfNeeded: shape),
      isFIN: shape & 0x1_0000 != 0)
    let connection = unsafe connections.pointer(at: index)
    guard unsafe connection.pointee.tcp.expects(segment) else { return false }
    let isConversation = unsafe connection.pointee.tcp.state == .established && !segment.isFIN
    unsafe connection.pointee.tcp.receive(segment, at: now)
    if isConversation, unsafe connection.pointee.confirmedIn != confirmationPeriod { confirmNeighbor(of: index) }
    update(index)
    return true
  }

  /// A SYN, or the answer to one, with the options that nearly all have.
  @inline(never)
  private mutating func receiveSYN(
    _ ports: UInt64, _ shape: UInt64, _ first: UInt64, _ second: UInt64, _ third: UInt64, _ addresses: UInt64
  ) -> Bool {
    let header = TCPHeader(
      sourcePort: UInt16(truncatingIfNeeded: ports &>> 48), destinationPort: UInt16(truncatingIfNeeded: ports &>> 32),
      sequenceNumber: SequenceNumber(UInt32(truncatingIfNeeded: ports)),
      acknowledgmentNumber: SequenceNumber(UInt32(truncatingIfNeeded: shape &>> 32)), headerByteCount: 40,
      flags: TCPFlags(rawValue: UInt16(truncatingIfNeeded: shape &>> 16) & 0x01ff),
      window: UInt16(truncatingIfNeeded: shape))
    guard shape & 0xf1ef_0000 == BareFrame.syn, header.sourcePort != 0, header.destinationPort != 0,
      let options = TCPOptions.plainSYN(UInt32(truncatingIfNeeded: first), second, third)
    else { return false }
    let known = findConnection(ports: UInt32(truncatingIfNeeded: ports &>> 32), addresses)
    if header.flags.contains(.ack) {
      guard let known, connections[known].tcp.receiveAnswer(header, options, at: now) else { return false }
      update(known)
      return true
    }
    guard known == nil else { return false }
    let flow = Flow(ports: UInt32(truncatingIfNeeded: ports &>> 32), addresses)
    guard let listener = findListener(flow, .v4), takesSYN(listener),
      let maximumSegmentSize = maximumSegmentSize(for: flow),
      let index = openPassively(header, options, flow, listener, maximumSegmentSize: maximumSegmentSize)
    else { return false }
    update(index)
    return true
  }

  /// The connection of a segment over IPv4 with these ports and addresses, which belong to no link; source and destination
  /// each in one word.
  @inline(__always)
  private mutating func findConnection(ports: UInt32, _ addresses: UInt64) -> UInt32? {
    let flow = Flow(ports: ports, addresses)
    // Segments come in trains: mostly it is the connection of the one before.
    if connections.isOccupied(lastConnection), connections[lastConnection].tcp.flow == flow { return lastConnection }
    return searchConnection(flow)
  }

  private enum BareFrame {
    /// Ethernet, IPv4, TCP with timestamps; with all the options that a SYN has.
    static var byteCount: Int { 66 }
    static var byteCountOfSYN: Int { 74 }
    /// The type, version and header length of an IPv4 packet without options.
    static var ipv4: UInt64 { 0x08_0045 }
    /// No fragment, and TCP, in the eight bytes that begin with the fragment's offset.
    static var tcp: UInt64 { 6 &<< 32 }
    /// A header of 32 bytes and the flag ACK, whatever FIN; one of 40 and the flag SYN, whatever ACK.
    static var acknowledgment: UInt64 { 0x8010_0000 }
    static var syn: UInt64 { 0xa002_0000 }
  }
}

extension Flow {
  /// The flow of a segment that came over IPv4 with these ports and addresses, source and destination each in one word.
  @inline(__always)
  fileprivate init(ports: UInt32, _ addresses: UInt64) {
    self.init(
      localAddress: IPAddress(IPv4Address(value: UInt32(truncatingIfNeeded: addresses))),
      localPort: UInt16(truncatingIfNeeded: ports),
      remoteAddress: IPAddress(IPv4Address(value: UInt32(truncatingIfNeeded: addresses &>> 32))),
      remotePort: UInt16(truncatingIfNeeded: ports &>> 16))
  }
}
