import Martlet
import MartletLinks

/// 10.0.0.1 and 10.0.0.2 on a wire of 5 ms.
func wiredHosts(_ loop: Loop) throws -> (client: VirtualHost, server: VirtualHost) {
  let (client, server) = (loop.host("client"), loop.host("server"))
  var configuration = VirtualWire.Configuration()
  configuration.delay = .milliseconds(5)
  let wire = VirtualWire(configuration)
  try client.attach(wire.left, addresses: ["10.0.0.1/24"])
  try server.attach(wire.right, addresses: ["10.0.0.2/24"])
  return (client, server)
}
