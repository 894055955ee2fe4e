import Martlet
import MartletCore
import MartletWire

// Segments, and who is on them.

extension WorldCore {
  func lay(_ medium: Medium, _ node: Int, _ pool: borrowing PacketPool) -> SharedMedium {
    let name = plan.description.nodes[node].name
    var taps: [SharedMedium.Tap] = []
    var stations: [MACAddress: Int] = [:]
    for (index, interface) in plan.interfaces[node].enumerated() {
      let link = plan.description.links[interface.link]
      let (station, way) = interface.end == 0 ? (link.second.node, link.back) : (link.first.node, link.there)
      taps.append(
        SharedMedium.Tap(
          name: station, outgoing: lanes[interface.link * 2 + interface.end],
          incoming: lanes[interface.link * 2 + 1 - interface.end], limit: way.queue.maximumFrames))
      if let other = plan.indices[station], plan.description.nodes[other].hasStack {
        for own in plan.interfaces[other] where own.link == interface.link { stations[own.mac] = index }
      }
    }
    let random = taps.indices.map { index in
      RandomStream(
        seed: seed, forkedFor: "segment:\(name).\(plan.description.links[plan.interfaces[node][index].link].name)")
    }
    let model: any MediumModel
    switch medium {
    case .bus(let bus): model = BusModel(bus, positions: plan.positions(on: node), random: random)
    case .wireless(let cell):
      model = CellModel(cell, hears: WorldPlan.visibility(of: taps.map(\.name), cell.hidden), random: random)
    }
    let shared = SharedMedium(
      node: node, model: model, taps: taps, stations: stations, pool: pool, recorder: recorder)
    shared.wake = loop.add(shared)
    for index in taps.indices {
      let port = MediumPort(shared, station: index)
      taps[index].incoming.wake = loop.add(port)
    }
    return shared
  }

  /// What a machine that is gone was to send on segments.
  func forgetFrames(of node: Int, at now: Instant) {
    for interface in plan.interfaces[node] {
      guard let segment = plan.segment(of: interface.link), let medium = media[segment],
        let station = plan.interfaces[segment].firstIndex(where: {
          $0.link == interface.link && $0.end == 1 - interface.end
        })
      else { continue }
      medium.forget(station, at: now.nanoseconds)
    }
  }

  /// What stations did on segments, each station's with the station.
  var mediumCounters: [Recording.Counter] {
    var result: [Recording.Counter] = []
    for case let medium? in media {
      let segment = plan.description.nodes[medium.node].name
      for counters in medium.model.counters {
        guard let node = plan.indices[counters.station] else { continue }
        for (name, value) in counters.rows {
          result.append(Recording.Counter(node: node, name: "\(segment): \(name)", value: value))
        }
      }
    }
    return result
  }
}

extension MediumCounters {
  /// In words; what can only be on the other medium is left out when there is none.
  var rows: [(String, UInt64)] {
    var rows = [
      ("attempts", attempts), ("frames through", sent), ("collisions", collisions), ("deferrals", deferrals),
      ("backoff slots", backoffSlots), ("drops", drops),
    ]
    if lateCollisions > 0 { rows.append(("late collisions", lateCollisions)) }
    if requests > 0 {
      rows.append(("requests to send", requests))
      rows.append(("requests that collided", requestCollisions))
    }
    rows.append(("airtime, ns", UInt64(max(0, airtime.inNanoseconds))))
    return rows
  }
}
