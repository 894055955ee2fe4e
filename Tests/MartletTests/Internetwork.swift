import Martlet
import MartletCore
import MartletLinks
import MartletWire

/// Three hosts and two routers in virtual time: A and C on links of the first router, B on one of the second, and between
/// the routers a narrower link.
struct Internetwork {
  let loop = Loop(.virtual(seed: 11))
  let a: VirtualHost
  let b: VirtualHost
  let c: VirtualHost
  let near: VirtualHost
  let distant: VirtualHost

  static let a4: IPAddress = "10.0.1.2"
  static let b4: IPAddress = "10.0.2.2"
  static let c4: IPAddress = "10.0.3.2"
  static let b6: IPAddress = "fd02::2"
  static let c6: IPAddress = "fd03::2"

  static func b(_ version: IPVersion) -> IPAddress { version == .v4 ? b4 : b6 }
  static func c(_ version: IPVersion) -> IPAddress { version == .v4 ? c4 : c6 }

  init(mtuBetween mtu: Int = 1_500, configuration: Host.Configuration = Host.Configuration()) throws {
    a = loop.host("a", configuration: configuration)
    b = loop.host("b", configuration: configuration)
    c = loop.host("c", configuration: configuration)
    near = loop.router("near")
    distant = loop.router("distant")
    func wire(mtu: Int = 1_500) -> VirtualWire {
      var wire = VirtualWire.Configuration()
      wire.delay = .milliseconds(5)
      wire.bitsPerSecond = 100_000_000
      wire.mtu = mtu
      return VirtualWire(wire)
    }
    let ofA = wire()
    let ofB = wire()
    let ofC = wire()
    let between = wire(mtu: mtu)
    try a.attach(ofA.left, addresses: ["10.0.1.2/24", "fd01::2/64"])
    try near.attach(ofA.right, addresses: ["10.0.1.1/24", "fd01::1/64"])
    try c.attach(ofC.left, addresses: ["10.0.3.2/24", "fd03::2/64"])
    try near.attach(ofC.right, addresses: ["10.0.3.1/24", "fd03::1/64"])
    let toDistant = try near.attach(between.left, addresses: ["10.0.12.1/24", "fd12::1/64"])
    let toNear = try distant.attach(between.right, addresses: ["10.0.12.2/24", "fd12::2/64"])
    try b.attach(ofB.left, addresses: ["10.0.2.2/24", "fd02::2/64"])
    try distant.attach(ofB.right, addresses: ["10.0.2.1/24", "fd02::1/64"])
    for (host, v4, v6) in [(a, "10.0.1.1", "fd01::1"), (b, "10.0.2.1", "fd02::1"), (c, "10.0.3.1", "fd03::1")]
      as [(
        VirtualHost, IPAddress, IPAddress
      )]
    {
      try host.addDefaultRoute(via: v4)
      try host.addDefaultRoute(via: v6)
    }
    try near.addRoute(to: "10.0.2.0/24", via: "10.0.12.2", on: toDistant)
    try near.addRoute(to: "fd02::/64", via: "fd12::2", on: toDistant)
    try distant.addDefaultRoute(via: "10.0.12.1", on: toNear)
    try distant.addDefaultRoute(via: "fd12::1", on: toNear)
  }
}
