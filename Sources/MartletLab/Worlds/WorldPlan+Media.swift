// Segments: what they are made of, and who is where on them.

extension WorldPlan {
  /// The segment that a link leads to, if any.
  func segment(of link: Int) -> Int? {
    let link = description.links[link]
    for name in [link.first.node, link.second.node] {
      if let node = indices[name], description.nodes[node].medium != nil { return node }
    }
    return nil
  }

  func medium(of link: Int) -> Medium? { segment(of: link).flatMap { description.nodes[$0].medium } }

  /// In metres from the beginning, by the segment's interfaces.
  func positions(on segment: Int) -> [Int] {
    interfaces[segment].map { interface in
      let link = description.links[interface.link]
      return (interface.end == 0 ? link.second : link.first).position ?? 0
    }
  }

  /// Who hears whom.
  static func visibility(of stations: [String], _ hidden: [[String]]) -> [[Bool]] {
    stations.map { one in
      stations.map { other in one != other && !hidden.contains { $0.contains(one) && $0.contains(other) } }
    }
  }

  func checkSegments() throws(Mistake) {
    for (number, link) in description.links.enumerated() {
      let ends = [link.first, link.second]
      var media: [Medium?] = []
      for end in ends { media.append(description.nodes[try index(of: end.node, .link(number))].medium) }
      guard media.contains(where: { $0 != nil }) else {
        for end in ends where end.position != nil {
          throw fail(
            .link(number), "\"\(end.node)\" has a place on a wire that is no segment", "Leave the position out.")
        }
        continue
      }
      guard media.contains(where: { $0 == nil }) else {
        throw fail(
          .link(number), "The wire \(link.name) joins two segments", "Put a switch or a router between them.")
      }
      for way in [link.there, link.back]
      where way.rate != nil || way.delay != .zero || !way.rateChanges.isEmpty || way.queue.discipline != .dropTail {
        throw fail(
          .link(number), "The wire \(link.name) leads to a segment and has a rate, a delay or a discipline of its own",
          "Leave them out: the segment has a rate, and stations have positions on it.")
      }
      for way in [link.there, link.back] where way.mtu > 1_500 {
        throw fail(.link(number), "The wire \(link.name) leads to a segment, whose MTU is 1500", "Give it no more.")
      }
      for (end, medium) in zip(ends, media) {
        guard let position = end.position else { continue }
        let other = media.compactMap { $0 }.first
        if medium == nil, case .bus = other, (0...1_000_000).contains(position) { continue }
        throw fail(
          .link(number), "\"\(end.node)\" cannot be at \(position) m",
          "Give stations on a bus a place from 0 m to 1000 km.")
      }
    }
    for (index, node) in description.nodes.enumerated() {
      guard let medium = node.medium else { continue }
      guard node.kind == .hub else {
        throw fail(
          .node(index), "\"\(node.name)\" is a \(node.kind.word) and shares no medium", "Make it a segment.")
      }
      if let problem = medium.problem {
        throw fail(.node(index), "The segment \"\(node.name)\" cannot be: \(problem)", "Give it more.")
      }
      guard case .wireless(let cell) = medium else { continue }
      let stations = interfaces[index].map { interface in
        let link = description.links[interface.link]
        return interface.end == 0 ? link.second.node : link.first.node
      }
      for name in cell.hidden.flatMap({ $0 }) where !stations.contains(name) {
        throw fail(
          .node(index), "\"\(name)\" is hidden and not on \"\(node.name)\"", Self.suggestion(name, stations))
      }
    }
  }
}

extension Medium {
  /// What is wrong with it, if anything.
  var problem: String? {
    if rate == 0 { return "its rate is 0" }
    switch self {
    case .bus(let bus): return bus.attemptLimit < 1 ? "it has not one attempt" : nil
    case .wireless(let cell):
      if cell.controlRate == 0 { return "its control rate is 0" }
      if cell.retryLimit < 1 { return "it has not one attempt" }
      if cell.slot <= .zero { return "its slots take no time" }
      let windows = 1...32_767
      if !windows.contains(cell.minimumContentionWindow) || cell.maximumContentionWindow > 32_767
        || cell.maximumContentionWindow < cell.minimumContentionWindow
      {
        return "its contention windows are not from 1 to 32767, the greater one last"
      }
      return nil
    }
  }
}
