import Martlet
internal import MartletCore

/// A fault that ends when whoever began it says so, whatever else goes wrong meanwhile.
package enum GuardedFault: Sendable {
  case partition([String], from: [String], isOneWay: Bool)
  case down(link: String)
  case hold(link: String)
  case crash(String)
  case pause(String)
  /// Nil leaves a direction as it is.
  case impair(link: String, there: LinkDirection?, back: LinkDirection?)
}

/// Faults that are to end: a link that two took down is up again when both have ended.
struct GuardedFaults {
  enum Place: Hashable {
    case down(String)
    case hold(String)
    case crash(String)
    case pause(String)
  }

  /// What one fault made of a link.
  struct Layer {
    var number: Int
    var there: LinkDirection?
    var back: LinkDirection?
  }

  struct Impairment {
    var there: LinkDirection
    var back: LinkDirection
    var layers: [Layer] = []

    /// What the topmost of those that say something about it says.
    var current: (there: LinkDirection, back: LinkDirection) {
      (layers.last { $0.there != nil }?.there ?? there, layers.last { $0.back != nil }?.back ?? back)
    }
  }

  private(set) var counts: [Place: Int] = [:]
  /// By link, as long as there are any.
  var impairments: [Int: Impairment] = [:]
  var number = 0

  /// Counts one more; true for the first.
  mutating func begin(_ place: Place) -> Bool {
    counts[place, default: 0] += 1
    return counts[place] == 1
  }

  /// Counts one less; true for the last.
  mutating func end(_ place: Place) -> Bool {
    guard let count = counts[place] else { return false }
    counts[place] = count > 1 ? count - 1 : nil
    return count == 1
  }
}

extension World {
  /// Begins `fault` now and returns what ends it, to be called once.
  ///
  /// - Throws: ``WorldError`` if a node or link is not there, or cannot have such a fault.
  package func begin(_ fault: GuardedFault) throws(WorldError) -> @Sendable () -> Void {
    switch fault {
    case .partition(let left, let right, let isOneWay):
      try check(.partition(left, from: right, isOneWay: isOneWay))
      try checkSides(left, right)
    case .down(let link): try check(.down(link: link))
    case .hold(let link): try check(.hold(link: link))
    case .crash(let name): try check(.crash(name))
    case .pause(let name): try check(.pause(name))
    case .impair(let link, let there, let back):
      try check(.down(link: link))
      for direction in [there, back].compactMap({ $0 }) {
        if direction.rate == 0 {
          throw WorldError("\(link) cannot have a rate of 0", remedy: "Take it down, or leave the rate out.")
        }
        if direction.mtu < 68 {
          throw WorldError("\(link) cannot have an MTU below 68", remedy: "Give it 68 or more (RFC 791).")
        }
      }
    }
    let (core, loop) = (core, loop)
    let number = loop.sync { core.begin(fault) }
    return { loop.sync { core.end(fault, number: number) } }
  }

  private func checkSides(_ left: [String], _ right: [String]) throws(WorldError) {
    if left.isEmpty || right.isEmpty {
      throw WorldError("A partition needs somebody on both sides", remedy: "Name hosts or routers on each.")
    }
    for name in left + right {
      if left.contains(name), right.contains(name) {
        throw WorldError("\"\(name)\" cannot be cut off from itself", remedy: "Name it on one side.")
      }
      if let node = plan.indices[name], core.hosts[node] == nil {
        throw WorldError(
          "\"\(name)\" has no addresses that a partition could go by",
          remedy: "Name hosts or routers, or take a link of \"\(name)\" down.")
      }
    }
  }

  /// What the link called `name` does to frames now.
  package func directions(of name: String) throws(WorldError) -> (there: LinkDirection, back: LinkDirection) {
    let index = try link(name)
    let (core, loop) = (core, loop)
    return loop.sync { (core.lanes[index * 2].direction, core.lanes[index * 2 + 1].direction) }
  }
}

extension WorldCore {
  fileprivate func begin(_ fault: GuardedFault) -> Int {
    guarded.number += 1
    switch fault {
    case .partition(let left, let right, let isOneWay): apply(.partition(left, from: right, isOneWay: isOneWay))
    case .down(let link): if guarded.begin(.down(link)) { apply(.down(link: link)) }
    case .hold(let link): if guarded.begin(.hold(link)) { apply(.hold(link: link)) }
    case .crash(let name): if guarded.begin(.crash(name)) { apply(.crash(name)) }
    case .pause(let name): if guarded.begin(.pause(name)) { apply(.pause(name)) }
    case .impair(let name, let there, let back):
      guard let link = plan.linkIndices[name] else { break }
      let (first, second) = (lanes[link * 2].direction, lanes[link * 2 + 1].direction)
      guarded.impairments[link, default: GuardedFaults.Impairment(there: first, back: second)].layers
        .append(GuardedFaults.Layer(number: guarded.number, there: there, back: back))
      change(link, there: there, back: back)
    }
    return guarded.number
  }

  fileprivate func end(_ fault: GuardedFault, number: Int) {
    switch fault {
    case .partition(let left, let right, let isOneWay): allow(left, right, isOneWay: isOneWay)
    case .down(let link): if guarded.end(.down(link)) { apply(.up(link: link)) }
    case .hold(let link): if guarded.end(.hold(link)) { apply(.release(link: link)) }
    case .crash(let name): if guarded.end(.crash(name)) { apply(.restart(name)) }
    case .pause(let name):
      // One that crashed meanwhile does not go on.
      if guarded.end(.pause(name)), let node = plan.indices[name], !isGone(node) { apply(.resume(name)) }
    case .impair(let name, _, _):
      guard let link = plan.linkIndices[name], var impairment = guarded.impairments[link] else { break }
      let before = impairment.current
      impairment.layers.removeAll { $0.number == number }
      let after = impairment.current
      guarded.impairments[link] = impairment.layers.isEmpty ? nil : impairment
      change(
        link, there: after.there == before.there ? nil : after.there,
        back: after.back == before.back ? nil : after.back)
    }
  }

  private func allow(_ left: [String], _ right: [String], isOneWay: Bool) {
    let (left, right) = (left.compactMap { plan.indices[$0] }, right.compactMap { plan.indices[$0] })
    for source in left {
      for destination in right {
        partition.allow(from: source, to: destination)
        if !isOneWay { partition.allow(from: destination, to: source) }
      }
    }
    for node in left {
      recorder?.note(
        "fault",
        "\(plan.description.nodes[node].name) reaches \(right.map { plan.description.nodes[$0].name }.joined(separator: ", ")) again",
        node: node, at: loop.now.nanoseconds)
    }
  }
}
