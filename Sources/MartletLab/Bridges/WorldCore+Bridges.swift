import Martlet
import MartletCore
import MartletLinks

extension WorldCore {
  /// Puts the TAP device at its wire's end.
  func plugTap(_ node: Int, _ pool: borrowing PacketPool) throws {
    #if os(Linux)
      guard let interface = plan.interfaces[node].first else { return }
      let incoming = lanes[interface.link * 2 + 1 - interface.end]
      let port = try TapPort(
        plan.description.nodes[node].name, outgoing: lanes[interface.link * 2 + interface.end], incoming: incoming,
        pool: pool)
      let wake = loop.add(port)
      incoming.wake = wake
      if let descriptor = port.descriptor {
        let loop = loop
        let isWatched = loop.watch(descriptor) { [unowned loop] in
          port.receive(at: loop.now)
          wake()
        }
        guard isWatched else { throw SocketError.noResources }
      }
    #else
      throw LinkError.unsupported("TAP devices need Linux")
    #endif
  }

  /// Says in the recording that the run cannot be repeated, and why.
  func markUnrepeatable(_ reason: String, on node: Int) {
    guard !unrepeatable.contains(reason) else { return }
    unrepeatable.append(reason)
    recorder?.note("bridge", "this run cannot be repeated: \(reason)", node: node, at: loop.now.nanoseconds)
  }

  /// Lets in what comes from the outside by TAP devices.
  func openBridges() {
    for (node, description) in plan.description.nodes.enumerated() where description.kind == .tap {
      markUnrepeatable(description.bridgeWords, on: node)
      loop.open()
    }
  }
}
