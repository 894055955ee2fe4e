import Martlet
import MartletLinks
import MartletNIO
import MartletWire
import NIOCore

/// Two hosts with a wire between them.
struct Pair: Sendable {
  let loop: Loop
  let client: VirtualHost
  let server: VirtualHost

  static let times: [Loop.Time] = [.real, .virtual(seed: 7)]
  static let serverAddress = "10.0.0.2"

  init(_ time: Loop.Time = .virtual(seed: 7)) throws {
    loop = Loop(time)
    client = loop.host("client")
    server = loop.host("server")
    var wire = VirtualWire.Configuration()
    if loop.isVirtual { wire.delay = .milliseconds(10) }
    let cable = VirtualWire(wire)
    try client.attach(cable.left, addresses: ["10.0.0.1/24", "fd00::1/64"])
    try server.attach(cable.right, addresses: ["10.0.0.2/24", "fd00::2/64"])
    client.hosts = HostsTable("10.0.0.2 server server.example\nfd00::2 six")
  }
}
