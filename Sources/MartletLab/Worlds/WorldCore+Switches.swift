import Martlet
import MartletCore
import MartletWire

// What switches ask of their world beside ports.

extension WorldCore {
  func box(_ name: String) -> LabSwitch? { plan.indices[name].flatMap { switches[$0] } }

  /// Gives a switch its part in the spanning tree, if it is to have one.
  func plantTree(of box: LabSwitch, _ description: WorldDescription.Node) {
    guard let settings = description.spanningTree else { return }
    var costs: [UInt32] = []
    var neighbors: [String] = []
    for interface in plan.interfaces[box.node] {
      let link = plan.description.links[interface.link]
      let own = interface.end == 0 ? link.there.rate : link.back.rate
      costs.append(SpanningTree.pathCost(of: plan.medium(of: interface.link)?.rate ?? own))
      neighbors.append(interface.end == 0 ? link.second.node : link.first.node)
    }
    let tree = SwitchTree(
      box, settings, address: plan.bridgeAddress(of: box.node), pathCosts: costs, neighbors: neighbors)
    box.tree = tree
    tree.wake = loop.add(tree)
  }

  /// A switch sees at once that nothing is at the other end of a wire.
  func tellSwitches(of link: String, isUp: Bool, at now: Instant) {
    guard let number = plan.linkIndices[link] else { return }
    for name in [plan.description.links[number].first.node, plan.description.links[number].second.node] {
      guard let box = box(name),
        let port = plan.interfaces[box.node].firstIndex(where: { $0.link == number })
      else { continue }
      box.setLink(port, isUp: isUp, at: now)
    }
  }

  func crashSwitch(_ name: String, at now: Instant) {
    guard let box = box(name) else { return }
    note("crashes", box.node)
    box.crash(at: now)
    resetProcessor(of: box.node)
    for interface in plan.interfaces[box.node] {
      lanes[interface.link * 2 + interface.end].loseWaiting("its sender is gone", at: now)
    }
    tellNeighbors(of: box, isUp: false, at: now)
  }

  func restartSwitch(_ name: String, at now: Instant) {
    guard let box = box(name) else { return }
    note("starts again", box.node)
    box.restart(at: now)
    tellNeighbors(of: box, isUp: true, at: now)
  }

  func setSwitch(_ name: String, isPaused: Bool, at now: Instant) {
    guard let box = box(name) else { return }
    note(isPaused ? "stands still" : "goes on", box.node)
    if isPaused { box.pause(at: now) } else { box.resume(at: now) }
  }

  /// The lights at the other ends of its wires go out, or on.
  private func tellNeighbors(of box: LabSwitch, isUp: Bool, at now: Instant) {
    for interface in plan.interfaces[box.node] {
      let link = plan.description.links[interface.link]
      let other = self.box(interface.end == 0 ? link.second.node : link.first.node)
      guard let other,
        let port = plan.interfaces[other.node].firstIndex(where: {
          $0.link == interface.link && $0.end == 1 - interface.end
        })
      else { continue }
      other.setLink(port, isUp: isUp, at: now)
    }
  }
}
