import MartletCore
import MartletWire

/// Two routers in a ring, each sending what is for far off networks to the other by its second interface, so that a packet
/// goes round until its hops are used up.
struct Ring: ~Copyable {
  var left: Host
  var right: Host
  let pool = PacketPool()
  var now = Instant.zero
  private static let hither = InterfaceID(index: 1)
  private static let onward = InterfaceID(index: 2)
  private let frames: [[UInt8]]

  /// - Parameter destinations: to how many addresses packets go, in turns.
  init(_ version: IPVersion, destinations: Int) throws {
    var configuration = Host.Configuration()
    configuration.forwarding = .router
    left = Host(name: "left", configuration: configuration, pool: pool, seed: 1)
    right = Host(name: "right", configuration: configuration, pool: pool, seed: 2)
    let macOfLeft: MACAddress = "02:00:00:00:00:01"
    frames = (0..<destinations).map { Self.frame(version, $0, to: macOfLeft) }
    _ = left.addInterface(InterfaceConfiguration(name: "eth0", macAddress: macOfLeft))
    _ = left.addInterface(InterfaceConfiguration(name: "eth1", macAddress: "02:00:00:00:00:02"))
    _ = right.addInterface(InterfaceConfiguration(name: "eth0", macAddress: "02:00:00:00:00:03"))
    _ = right.addInterface(InterfaceConfiguration(name: "eth1", macAddress: "02:00:00:00:00:04"))
    try left.addAddress("10.0.1.1/24", to: Self.onward)
    try right.addAddress("10.0.1.2/24", to: Self.hither)
    try right.addAddress("10.0.2.1/24", to: Self.onward)
    try left.addAddress("10.0.2.2/24", to: Self.hither)
    try left.addAddress("fd01::1/64", to: Self.onward)
    try right.addAddress("fd01::2/64", to: Self.hither)
    try right.addAddress("fd02::1/64", to: Self.onward)
    try left.addAddress("fd02::2/64", to: Self.hither)
    try left.addRoute(to: "203.0.0.0/8", via: "10.0.1.2", on: Self.onward)
    try right.addRoute(to: "203.0.0.0/8", via: "10.0.2.2", on: Self.onward)
    try left.addRoute(to: "2001:db8::/32", via: "fd01::2", on: Self.onward)
    try right.addRoute(to: "2001:db8::/32", via: "fd02::2", on: Self.onward)
    exchange()
  }

  /// A UDP datagram of 64 bytes with 255 hops.
  private static func frame(_ version: IPVersion, _ index: Int, to mac: MACAddress) -> [UInt8] {
    let byteCount = version == .v4 ? 14 + 20 + 72 : 14 + 40 + 72
    var frame = [UInt8](repeating: 0, count: byteCount)
    var span = frame.mutableSpan
    var bytes = span.mutableBytes
    EthernetHeader(destination: mac, source: "02:00:00:00:00:99", type: version == .v4 ? .ipv4 : .ipv6).write(
      to: &bytes)
    if version == .v4 {
      var header = IPv4Header(
        totalLength: 92, timeToLive: 255, protocol: .udp, source: "192.0.2.1",
        destination: IPv4Address(value: 0xcb00_0000 + UInt32(index) + 1))
      header.checksum = header.computedChecksum
      var rest = bytes._mutatingExtracting(14..<34)
      header.write(to: &rest)
    } else {
      let header = IPv6Header(
        trafficClass: .bestEffort, payloadLength: 72, nextHeader: .udp, hopLimit: 255, source: "2001:db9::1",
        destination: IPv6Address(high: 0x2001_0db8_0000_0000, low: UInt64(index) + 1))
      var rest = bytes._mutatingExtracting(14..<54)
      header.write(to: &rest)
    }
    return frame
  }

  /// Sends one packet to each destination, lets all go round until none is left, and returns how many hops they made.
  mutating func turn() -> Int {
    let before = left.forwardingCounters.forwardedPackets + right.forwardingCounters.forwardedPackets
    for frame in frames {
      guard var packet = pool.allocate() else { break }
      packet.append(copying: frame.span.bytes)
      left.receive(packet, on: Self.hither, at: now)
    }
    exchange()
    return Int(left.forwardingCounters.forwardedPackets + right.forwardingCounters.forwardedPackets - before)
  }

  private mutating func exchange() {
    var moved = true
    while moved {
      moved = false
      now.nanoseconds += 1_000
      left.transmit(from: Self.onward, at: now) { packet in
        right.receive(packet, on: Self.hither, at: now)
        moved = true
      }
      right.transmit(from: Self.onward, at: now) { packet in
        left.receive(packet, on: Self.hither, at: now)
        moved = true
      }
      // Questions and answers of neighbours, and the errors at the end.
      left.transmit(from: Self.hither, at: now) { packet in
        right.receive(packet, on: Self.onward, at: now)
        moved = true
      }
      right.transmit(from: Self.hither, at: now) { packet in
        left.receive(packet, on: Self.onward, at: now)
        moved = true
      }
    }
  }
}

extension InProcess {
  /// Packets forwarded per second, of 64 bytes of payload to `destinations` hosts in turns.
  static func forwarding(_ version: IPVersion, destinations: Int, seconds: Double) throws -> Double {
    var ring = try Ring(version, destinations: destinations)
    // The first ones wait for the neighbour's address, and few may.
    _ = ring.turn()
    guard ring.turn() >= destinations * 250 else { throw SocketError.noRoute }
    return rate(seconds) { ring.turn() }
  }
}
