import Martlet
import MartletCore
import MartletWire

extension CommandHost {
  /// Carries a port of this machine to a port of the host, as long as the result is kept.
  func publish(_ port: PublishedPort) throws -> Publication {
    // From the host itself, by its loopback interface: no address has to be known.
    let version = port.outside.version
    let target = SocketAddress(.loopback(version), port: port.port)
    do {
      return try loop.publish(port.outside, port.transport == .tcp ? .tcp : .udp, on: host, to: target)
    } catch {
      throw CommandFailure(.network, "--publish \(port.description): \(error)")
    }
  }
}
