public import Martlet
internal import MartletCore
internal import MartletLinks

/// A client and a server with a wire between them that takes 10 ms each way, in virtual time.
public struct TwoHosts: Sendable {
  /// The thread and the clock of both.
  public let loop: Loop
  /// 192.0.2.1; it knows the server by its name, `server.example`.
  public let client: VirtualHost
  /// 192.0.2.2 and, without a name, 192.0.2.3.
  public let server: VirtualHost

  /// Sets the two up.
  public init(_ time: Loop.Time = .virtual(seed: 1)) throws {
    loop = Loop(time)
    (client, server) = (loop.host("client"), loop.host("server"))
    var configuration = VirtualWire.Configuration()
    configuration.delay = .milliseconds(10)
    let wire = VirtualWire(configuration)
    try client.attach(wire.left, addresses: ["192.0.2.1/24"])
    try server.attach(wire.right, addresses: ["192.0.2.2/24", "192.0.2.3/24"])
    client.hosts = HostsTable("192.0.2.2 server.example")
  }

  /// How long it has all taken, by the hosts' clock.
  public var elapsed: Duration { .nanoseconds(loop.now.nanoseconds) }
}
