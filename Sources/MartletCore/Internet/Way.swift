internal import BasicContainers
package import MartletWire

/// What the way of packets from one of the host's addresses to another host comes to: the interface, the Ethernet header,
/// and what the addresses add to checksums. Found out once by the long way (route, neighbour, header by header) and used
/// as long as nothing changes that led to it: ``generation`` is then still ``Host/wayGeneration``.
///
/// A way is only noted for a unicast destination that is reached by the route table alone (no zone was given) and whose
/// neighbour's address is known and not stale, so whoever finds one may leave all of those questions out. What still has to
/// be asked each time is whether the packet is small enough; what is known of the path's MTU is part of the way.
struct Way: BitwiseCopyable {
  var source = IPAddress(IPv6Address.any)
  var destination = IPAddress(IPv6Address.any)
  /// 0 in a place that was never used.
  var generation: UInt64 = 0
  /// No two ways of a host have the same, so that who kept it knows that the way at its place is still the same.
  var serial: UInt64 = 0
  /// The first eight bytes of the frame: the neighbour's address and two bytes of the interface's.
  var frame0: UInt64 = 0
  /// The eight bytes that follow: four of the interface's address, the type, and two that the IP header writes over.
  var frame8: UInt64 = 0
  /// Both addresses as an IPv4 header has them.
  var addresses: UInt64 = 0
  /// The sum of both addresses' words, in memory order.
  var addressSum: UInt16 = 0
  var interface = InterfaceID.loopback
  /// The largest IP payload that the interface takes in one piece.
  var linkRoom: UInt32 = 0
  /// The largest IP payload that the path takes in one piece, as far as is known.
  var room: UInt32 = 0
  /// Whether routers have to be allowed to fragment, as the path is too narrow to keep to its MTU.
  var isTooNarrow = false
  var isIPv4 = false
  /// Whether the link fills in transport checksums.
  var leavesChecksum = false

  /// The bytes of the frame's and the IP header.
  @inline(__always)
  var headerByteCount: Int { isIPv4 ? 34 : 54 }

  /// How many ways a host keeps in mind.
  static var count: Int { 64 }

  /// The only place where the way to `destination` may stand.
  @inline(__always)
  static func place(of destination: IPAddress) -> Int {
    Int(truncatingIfNeeded: ((destination.v6.low ^ destination.v6.high) &* 0x9e37_79b9_7f4a_7c15) &>> 58)
  }
}

/// What an IP header says beside addresses and sizes.
struct HeaderFields: BitwiseCopyable {
  var `protocol`: IPProtocol
  var hopLimit: UInt8
  var trafficClass: UInt8 = 0
  /// Whether routers must not fragment the packet (IPv4; IPv6 routers never do).
  var dontFragment = false
  /// Where the transport's checksum stands in its header, 0 if it is to stay as it is.
  var checksumOffset: Int
}

extension Host {
  /// Changes with everything that a way depends on: addresses, routes, interfaces, neighbours, paths' MTUs.
  @inline(__always)
  var wayGeneration: UInt64 { routeGeneration &+ neighbors.generation &+ pathMTUs.changeCount }

  /// Forgets what was found out about routes; to be called whenever an address, a route or an interface changes.
  mutating func forgetRoutes() {
    redirects.removeAll()
    forgetWays()
  }

  /// Forgets where packets went, as some may now go elsewhere.
  mutating func forgetWays() {
    lastRoute = LastRoute()
    routeGeneration &+= 1
    pathMTUs.noteRouteChange()
  }

  /// The place of the way from `source` to `destination`, if it was noted and still holds.
  @inline(__always)
  func findWay(from source: IPAddress, to destination: IPAddress) -> Int? {
    let place = Way.place(of: destination)
    guard ways[place].generation == wayGeneration, ways[place].destination == destination,
      ways[place].source == source, takesShortWays
    else { return nil }
    return place
  }

  /// Whether packets from `source` to `destination` now take the short way.
  package func hasShortWay(from source: IPAddress, to destination: IPAddress) -> Bool {
    findWay(from: source, to: destination) != nil
  }

  /// Notes the way of a packet that just took it, to a neighbour with the address `mac`.
  @inline(never)
  mutating func noteWay(of outgoing: Outgoing, to mac: MACAddress) {
    guard takesShortWays else { return }
    // Only what the route table said without being told an interface is the same for everybody.
    guard outgoing.destination == lastRoute.destination, outgoing.nextHop == lastRoute.nextHop,
      outgoing.interface == lastRoute.interface, !outgoing.destination.isLinkLocal,
      outgoing.source.version == outgoing.destination.version
    else { return }
    let interface = Int(outgoing.interface.index)
    let own = interfaces[interface].macAddress.value
    var way = Way()
    way.source = outgoing.source
    way.destination = outgoing.destination
    way.generation = wayGeneration
    way.interface = outgoing.interface
    way.frame0 = (mac.value &<< 16 | own &>> 32).bigEndian
    way.isIPv4 = outgoing.destination.isIPv4
    let type = way.isIPv4 ? EtherType.ipv4 : EtherType.ipv6
    way.frame8 = ((own & 0xffff_ffff) &<< 32 | UInt64(type.value) &<< 16).bigEndian
    if let source = outgoing.source.v4, let destination = outgoing.destination.v4 {
      way.addresses = (UInt64(source.value) &<< 32 | UInt64(destination.value)).bigEndian
    }
    var sum = InternetChecksum()
    sum.addPseudoHeader(
      source: outgoing.source, destination: outgoing.destination, protocol: IPProtocol(value: 0), length: 0)
    way.addressSum = sum.foldedSum.bigEndian
    let header = way.isIPv4 ? IPv4Header.minimumByteCount : IPv6Header.byteCount
    way.leavesChecksum = interfaces[interface].offloads.contains(.transmitChecksum)
    way.linkRoom = UInt32(max(0, interfaces[interface].mtu - header))
    way.room = UInt32(max(0, pathMTU(to: outgoing.destination, by: outgoing.interface) - header))
    way.isTooNarrow = pathMTUs.estimate(for: outgoing.destination)?.allowsFragmentation ?? false
    nextSerial += 1
    way.serial = nextSerial
    ways[Way.place(of: outgoing.destination)] = way
  }

  /// Whether an IP packet with a payload of `byteCount` can take the way at `place` in one piece.
  @inline(__always)
  func hasRoom(for byteCount: Int, way place: Int) -> Bool { byteCount <= Int(ways[place].room) }

  /// Whether a segment that must not be fragmented can take the way at `place` as it is. Its connection knows the path's MTU,
  /// and may probe it with more than others send.
  @inline(__always)
  func fits(_ packet: borrowing Packet, way place: Int) -> Bool {
    let isWhole = packet.metadata.segmentSize == 0
    return !ways[place].isTooNarrow
      && packet.count <= (isWhole ? Int(ways[place].linkRoom) : 65_535 - IPv4Header.minimumByteCount)
  }

  /// Sends a packet, which begins with its transport header and ``fits(_:way:)``, along the way at `place`: what
  /// ``output(_:_:)`` does, without asking anybody. Filters on output belong in front of both.
  @inline(__always)
  mutating func output(_ packet: consuming Packet, way place: Int, _ fields: HeaderFields) {
    let length = packet.count
    let segmentSize = Int(packet.metadata.segmentSize)
    if fields.checksumOffset != 0 {
      putChecksum(into: &packet, way: place, fields, isLeft: segmentSize != 0 || ways[place].leavesChecksum)
    }
    packet.prepend(ways[place].headerByteCount)
    unsafe putHeaders(at: packet.pointer, way: place, fields, length: length)
    if segmentSize != 0 {
      // The pieces get identifications in a row.
      if ways[place].isIPv4 {
        interfaces[Int(ways[place].interface.index)].nextIdentification &+= UInt16(
          truncatingIfNeeded: length / segmentSize)
      }
      return finish(packet, on: ways[place].interface)
    }
    enqueue(packet, on: ways[place].interface)
  }

  /// Writes the frame's and the IP header at `start` for a transport packet of `length` bytes along the way at `place`.
  @unsafe @inline(__always)
  mutating func putHeaders(at start: UnsafeMutableRawPointer, way place: Int, _ fields: HeaderFields, length: Int) {
    let way = unsafe ways.pointer(at: place)
    unsafe start.storeBytes(of: way.pointee.frame0, as: UInt64.self)
    unsafe start.storeBytes(of: way.pointee.frame8, toByteOffset: 8, as: UInt64.self)
    if unsafe way.pointee.isIPv4 {
      let interface = unsafe Int(way.pointee.interface.index)
      let identification = interfaces[interface].nextIdentification
      interfaces[interface].nextIdentification = identification &+ 1
      let total = length &+ IPv4Header.minimumByteCount
      // The fields as the header has them: version, header length, traffic class, total length, identification, flags.
      let first =
        0x4500_0000_0000_0000 | UInt64(fields.trafficClass) &<< 48 | UInt64(truncatingIfNeeded: total) &<< 32
        | UInt64(identification) &<< 16 | (fields.dontFragment ? 0x4000 : 0)
      let second = UInt64(fields.hopLimit) &<< 8 | UInt64(fields.protocol.value)
      let sum =
        unsafe first &>> 32 &+ first & 0xffff_ffff &+ second &+ UInt64(UInt16(bigEndian: way.pointee.addressSum))
      let third = UInt32(truncatingIfNeeded: second) &<< 16 | UInt32(~WordSum.fold(sum))
      unsafe start.storeBytes(of: first.bigEndian, toByteOffset: 14, as: UInt64.self)
      unsafe start.storeBytes(of: third.bigEndian, toByteOffset: 22, as: UInt32.self)
      unsafe start.storeBytes(of: way.pointee.addresses, toByteOffset: 26, as: UInt64.self)
    } else {
      let first =
        0x6000_0000_0000_0000 | UInt64(fields.trafficClass) &<< 52 | UInt64(truncatingIfNeeded: length) &<< 16
        | UInt64(fields.protocol.value) &<< 8 | UInt64(fields.hopLimit)
      let source = unsafe way.pointee.source.v6
      let destination = unsafe way.pointee.destination.v6
      unsafe start.storeBytes(of: first.bigEndian, toByteOffset: 14, as: UInt64.self)
      unsafe start.storeBytes(of: source.high.bigEndian, toByteOffset: 22, as: UInt64.self)
      unsafe start.storeBytes(of: source.low.bigEndian, toByteOffset: 30, as: UInt64.self)
      unsafe start.storeBytes(of: destination.high.bigEndian, toByteOffset: 38, as: UInt64.self)
      unsafe start.storeBytes(of: destination.low.bigEndian, toByteOffset: 46, as: UInt64.self)
    }
  }

  /// Writes the checksum of a packet that begins with its transport header, or (`isLeft`) the part that the addresses have
  /// in it, for the link or segmentation to complete.
  @inline(__always)
  private func putChecksum(into packet: inout Packet, way place: Int, _ fields: HeaderFields, isLeft: Bool) {
    var sum = InternetChecksum()
    sum.add(sum: ways[place].addressSum, count: 8)
    sum.add(UInt16(truncatingIfNeeded: packet.count))
    sum.add(UInt16(fields.protocol.value))
    packet.metadata.checksumStart = 0
    packet.metadata.checksumOffset = UInt16(truncatingIfNeeded: fields.checksumOffset)
    let value: UInt16
    if isLeft {
      packet.metadata.checksum = .partial
      value = sum.foldedSum
    } else {
      packet.metadata.checksum = .computed
      // The field itself is zero as yet.
      packet.addAll(to: &sum)
      // Only UDP has a value that says "none" (RFC 768).
      value = fields.checksumOffset == UDPHeader.checksumOffset ? sum.udpValue : sum.value
    }
    var bytes = packet.mutableBytes
    bytes.store(bigEndian: value, at: fields.checksumOffset)
  }
}

extension Packet {
  /// Adds every byte to `sum`.
  @inline(__always)
  func addAll(to sum: inout InternetChecksum) {
    unsafe sum.add(UnsafeRawPointer(pointer), count: linearCount)
    if sliceCount > 0 { addSlices(to: &sum) }
  }

  @inline(never)
  private func addSlices(to sum: inout InternetChecksum) {
    for index in 0..<sliceCount {
      let slice = unsafe slices[index]
      let count = unsafe Int(slice.count)
      let words = unsafe WordSum.of(UnsafeRawPointer(slice.region.pointee.bytes + Int(slice.offset)), count: count)
      sum.add(sum: words, count: count)
    }
  }
}
