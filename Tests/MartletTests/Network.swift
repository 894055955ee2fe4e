import Martlet
import MartletCore
import MartletLinks
import MartletWire

/// Two hosts with a wire between them.
struct Network {
  let loop: Loop
  let client: VirtualHost
  let server: VirtualHost

  static let serverV4: IPAddress = "10.0.0.2"
  static let serverV6: IPAddress = "fd00::2"
  static let times: [Loop.Time] = [.real, .virtual(seed: 7)]

  init(_ time: Loop.Time = .virtual(seed: 7), _ configuration: Host.Configuration = Host.Configuration()) throws {
    loop = Loop(time)
    client = loop.host("client", configuration: configuration)
    server = loop.host("server", configuration: configuration)
    var wire = VirtualWire.Configuration()
    if loop.isVirtual { wire.delay = .milliseconds(10) }
    let cable = VirtualWire(wire)
    try client.attach(cable.left, addresses: ["10.0.0.1/24", "fd00::1/64"])
    try server.attach(cable.right, addresses: ["10.0.0.2/24", "fd00::2/64"])
    client.hosts = HostsTable("10.0.0.2 server server.example\nfd00::2 six")
  }
}
