import Martlet

// What machines and bridges may be.

extension WorldPlan {
  func checkMachines() throws(Mistake) {
    for (index, node) in description.nodes.enumerated() {
      if node.clock != ClockFault() { try checkClock(node.clock, of: index, .node(index)) }
      try checkRing(node.ring, of: index, .node(index))
    }
  }

  func checkClock(_ fault: ClockFault, of node: Int, _ subject: Subject?) throws(Mistake) {
    let node = description.nodes[node]
    guard node.hasStack else {
      throw fail(subject, "\"\(node.name)\" is a \(node.kind.word) and has no clock", "Name a host or a router.")
    }
    guard fault.drift >= -500_000, fault.drift <= 1_000_000 else {
      throw fail(
        subject, "A clock cannot drift by \(fault.drift) ppm", "Give it -500,000 (half as fast) to 1,000,000 (twice).")
    }
  }

  func checkRing(_ ring: Int?, of node: Int, _ subject: Subject?) throws(Mistake) {
    guard let ring, ring < 1 else { return }
    throw fail(
      subject, "The receive ring of \"\(description.nodes[node].name)\" has no place for a frame",
      "Give it one or more.")
  }

  func checkBridges() throws(Mistake) {
    for (index, node) in description.nodes.enumerated() where node.kind == .tap {
      guard interfaces[index].count == 1 else {
        throw fail(
          .node(index), "The TAP device \(node.name) is on \(interfaces[index].count) wires",
          "Wire it to one node; wire that to others.")
      }
    }
    for port in description.published {
      for name in [port.host] + (port.client.map { [$0] } ?? []) {
        let node = description.nodes[try index(of: name, .bridges)]
        guard node.kind == .host else {
          throw fail(
            .bridges, "\"\(name)\" is a \(node.kind.word) and has no ports that could be published", "Name a host.")
        }
      }
    }
  }
}

extension WorldDescription.Node {
  /// What it is, if it cannot crash or stand still.
  var kindWithoutPower: String? {
    switch kind {
    case .hub: "segment"
    case .tap: "TAP device"
    case .host, .router, .switch: nil
    }
  }
}
