public import MartletCore
public import MartletWire

/// A router under test with two links, on each of which a test speaks for everybody else.
///
/// On the left are 192.0.2.0/24 and 2001:db8:1::/64, with host A and a second router N; on the right 198.51.100.0/24 and
/// 2001:db8:2::/64, with host B and a gateway G to 203.0.113.0/24 and 2001:db8:3::/48. N leads to 203.0.112.0/24 and
/// 2001:db8:4::/48.
public struct RouterBench: ~Copyable {
  public static let left = InterfaceID(index: 1)
  public static let right = InterfaceID(index: 2)
  public static let macLeft: MACAddress = "02:00:00:00:01:01"
  public static let macRight: MACAddress = "02:00:00:00:02:01"
  public static let macA: MACAddress = "02:00:00:00:01:0a"
  public static let macN: MACAddress = "02:00:00:00:01:0e"
  public static let macB: MACAddress = "02:00:00:00:02:0b"
  public static let macG: MACAddress = "02:00:00:00:02:09"
  public static let left4: IPv4Address = "192.0.2.1"
  public static let right4: IPv4Address = "198.51.100.1"
  public static let a4: IPv4Address = "192.0.2.10"
  public static let n4: IPv4Address = "192.0.2.14"
  public static let b4: IPv4Address = "198.51.100.11"
  public static let g4: IPv4Address = "198.51.100.9"
  /// Behind G, and behind N.
  public static let far4: IPv4Address = "203.0.113.77"
  public static let detour4: IPv4Address = "203.0.112.77"
  public static let left6: IPv6Address = "2001:db8:1::1"
  public static let right6: IPv6Address = "2001:db8:2::1"
  public static let a6: IPv6Address = "2001:db8:1::a"
  public static let b6: IPv6Address = "2001:db8:2::b"
  public static let n6: IPv6Address = "fe80::e"
  public static let g6: IPv6Address = "fe80::9"
  public static let far6: IPv6Address = "2001:db8:3::77"
  public static let detour6: IPv6Address = "2001:db8:4::77"

  public let pool: PacketPool
  public var router: Host
  public var now = Instant.zero

  /// A frame that the router sent.
  public struct Sent: Equatable, Sendable {
    public var interface: InterfaceID
    public var bytes: [UInt8]

    /// The IP packet.
    public var packet: [UInt8] { Array(bytes.dropFirst(14)) }
    /// To whom the frame goes.
    public var mac: [UInt8] { Array(bytes.prefix(6)) }
  }

  /// - Parameters:
  ///   - mtu: The right link's.
  ///   - introducesNeighbors: Whether the router knows everybody's Ethernet address already.
  public init(
    forwarding: Host.Configuration.Forwarding = .router, mtu: Int = 1_500, offloads: LinkOffloads = [],
    introducesNeighbors: Bool = true, _ change: (inout Host.Configuration) -> Void = { _ in }
  ) throws {
    pool = PacketPool()
    var configuration = Host.Configuration()
    configuration.forwarding = forwarding
    change(&configuration)
    router = Host(name: "r", configuration: configuration, pool: pool, seed: 1)
    _ = router.addInterface(
      InterfaceConfiguration(name: "left", macAddress: Self.macLeft, mtu: 9_000, offloads: offloads))
    _ = router.addInterface(
      InterfaceConfiguration(name: "right", macAddress: Self.macRight, mtu: mtu, offloads: offloads))
    try router.addAddress("192.0.2.1/24", to: Self.left)
    try router.addAddress("198.51.100.1/24", to: Self.right)
    try router.addAddress("2001:db8:1::1/64", to: Self.left)
    try router.addAddress("2001:db8:2::1/64", to: Self.right)
    try router.addRoute(to: "203.0.113.0/24", via: "198.51.100.9", on: Self.right)
    try router.addRoute(to: "203.0.112.0/24", via: "192.0.2.14", on: Self.left)
    try router.addRoute(to: "2001:db8:3::/48", via: "fe80::9", on: Self.right)
    try router.addRoute(to: "2001:db8:4::/48", via: "fe80::e", on: Self.left)
    if introducesNeighbors {
      introduce(Self.macA, Self.a4, Self.a6, on: Self.left)
      introduce(Self.macN, Self.n4, Self.n6, on: Self.left)
      introduce(Self.macB, Self.b4, Self.b6, on: Self.right)
      introduce(Self.macG, Self.g4, Self.g6, on: Self.right)
    }
    _ = collect()
  }

  /// Makes a neighbour known to the router, by a question of its.
  public mutating func introduce(
    _ mac: MACAddress, _ v4: IPv4Address, _ v6: IPv6Address, on interface: InterfaceID
  ) {
    let isLeft = interface == Self.left
    inject(
      Frames.ethernet(
        to: .broadcast, from: mac, type: 0x0806,
        Frames.arp(operation: 1, senderMAC: mac, sender: v4, target: isLeft ? Self.left4 : Self.right4)),
      on: interface)
    let target = isLeft ? Self.left6 : Self.right6
    var solicitation = IPv6Frame(from: v6, to: target, protocol: 58, [])
    solicitation.hopLimit = 255
    solicitation.payload = ICMPFrame(
      type: 135, Frames.bytes(of: IPAddress(target)) + [1, 1] + Frames.bytes(of: mac)
    )
    .bytes(from: IPAddress(v6), to: IPAddress(target))
    inject(
      Frames.ethernet(
        to: isLeft ? Self.macLeft : Self.macRight, from: mac, type: 0x86dd, solicitation.bytes), on: interface)
  }

  /// Gives the router a frame, and returns what it sends.
  @discardableResult
  public mutating func inject(_ frame: [UInt8], on interface: InterfaceID) -> [Sent] {
    guard let packet = pool.packet(frame) else { return [] }
    return inject(packet, on: interface)
  }

  /// Gives the router a packet of the test's own making, and returns what it sends.
  @discardableResult
  public mutating func inject(_ packet: consuming Packet, on interface: InterfaceID) -> [Sent] {
    router.receive(packet, on: interface, at: now)
    return collect()
  }

  /// A packet from A, or from whoever has `mac`, that the router gets on the left.
  @discardableResult
  public mutating func fromLeft(_ packet: IPv4Frame, mac: MACAddress = macA) -> [Sent] {
    inject(Frames.ethernet(to: Self.macLeft, from: mac, type: 0x0800, packet.bytes), on: Self.left)
  }

  @discardableResult
  public mutating func fromLeft(_ packet: IPv6Frame, mac: MACAddress = macA) -> [Sent] {
    inject(Frames.ethernet(to: Self.macLeft, from: mac, type: 0x86dd, packet.bytes), on: Self.left)
  }

  /// What the router has to send now.
  public mutating func collect() -> [Sent] {
    router.advance(to: now)
    var sent: [Sent] = []
    for interface in [Self.left, Self.right] {
      router.transmit(from: interface, at: now) { sent.append(Sent(interface: interface, bytes: $0.bytesForFuzzing)) }
    }
    return sent
  }

  /// Lets `duration` pass, and returns what the router sends meanwhile.
  public mutating func run(for duration: Duration) -> [Sent] {
    let end = now.advanced(by: duration)
    var sent = collect()
    while let next = router.nextDeadline, next <= end {
      now = max(now, next)
      sent += collect()
    }
    now = end
    return sent + collect()
  }
}
