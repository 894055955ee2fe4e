internal import Martlet
internal import MartletCore

extension World {
  /// What there is now: sockets and tables of every node, what waits and travels on every link.
  public func snapshot() -> WorldSnapshot {
    let (core, loop) = (core, loop)
    return loop.sync { core.snapshot(at: loop.now) }
  }

  /// All that is known of the run so far; the world goes on. Without a recording only its nodes, links and counters.
  public func recording() -> Recording {
    let (core, loop) = (core, loop)
    return loop.sync { core.finish(at: loop.now) }
  }
}

extension WorldCore {
  fileprivate func snapshot(at now: Instant) -> WorldSnapshot {
    WorldSnapshot(
      time: now,
      nodes: plan.description.nodes.indices.map { node($0, at: now) },
      links: plan.description.links.indices.map { link in
        let description = plan.description.links[link]
        let (first, second) = (description.first.node, description.second.node)
        return WorldSnapshot.Link(
          name: description.name,
          there: direction(lanes[link * 2], from: first, to: second, at: now),
          back: direction(lanes[link * 2 + 1], from: second, to: first, at: now))
      })
  }

  private func node(_ index: Int, at now: Instant) -> WorldSnapshot.Node {
    let description = plan.description.nodes[index]
    var node = WorldSnapshot.Node(
      name: description.name, kind: description.kind, condition: .running, sockets: [], neighbors: [], routes: [],
      stations: [])
    if let box = switches[index] {
      node.stations = box.rows(at: now.nanoseconds).map { WorldSnapshot.Station(address: $0[0], port: $0[1]) }
    }
    if isGone(index) {
      // What it has now it will have when it starts again.
      node.condition = .crashed
      return node
    }
    guard let host = hosts[index] else { return node }
    if host.standsStill { node.condition = .paused }
    host.look { host in
      node.sockets = host.socketTable().map {
        WorldSnapshot.Socket(
          kind: $0.kind, local: $0.local, remote: $0.remote, state: $0.state, receiveQueue: $0.receiveQueue,
          sendQueue: $0.sendQueue)
      }
      node.neighbors = host.neighborTable().map {
        WorldSnapshot.Neighbor(
          address: $0.address, mac: $0.mac, state: $0.state, interface: host.name(of: $0.interface))
      }
      node.routes = host.routeTable.filter { $0.interface != .loopback }.map { route in
        var gateway: IPAddress?
        if case .gateway(let address) = route.nextHop { gateway = address }
        return WorldSnapshot.Route(
          destination: route.destination, gateway: gateway, interface: host.name(of: route.interface),
          metric: route.metric)
      }
    }
    return node
  }

  private func direction(
    _ lane: Lane, from source: String, to destination: String, at now: Instant
  ) -> WorldSnapshot.Direction {
    let contents = lane.contents(at: now)
    return WorldSnapshot.Direction(
      source: source, destination: destination, isUp: contents.isUp, isHeld: lane.isHeld,
      waitingFrames: contents.waitingFrames, waitingBytes: contents.waitingBytes,
      travelingFrames: contents.travelingFrames, counters: World.LinkCounters(lane.counters),
      faults: lane.direction.faultWords)
  }
}
