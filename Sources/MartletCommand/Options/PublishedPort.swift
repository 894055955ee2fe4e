import ArgumentParser
import MartletWire

/// A port of this machine that leads to a port of the host: `127.0.0.1:12000=tcp/12000`.
struct PublishedPort: ExpressibleByArgument, Equatable {
  enum Transport: String, Sendable { case tcp, udp }

  /// Where this machine listens.
  var outside: SocketAddress
  var transport: Transport
  /// The host's port.
  var port: UInt16

  init?(argument: String) {
    let sides = argument.split(separator: "=", omittingEmptySubsequences: false)
    guard sides.count == 2, let outside = SocketAddress(sides[0]) else { return nil }
    let target = sides[1].split(separator: "/", omittingEmptySubsequences: false)
    guard target.count == 2, let transport = Transport(rawValue: String(target[0])), let port = UInt16(target[1]),
      port != 0
    else { return nil }
    self.outside = outside
    self.transport = transport
    self.port = port
  }

  var description: String { "\(outside)=\(transport.rawValue)/\(port)" }
}
