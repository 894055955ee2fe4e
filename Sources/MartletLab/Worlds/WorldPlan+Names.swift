// Who is called what, and what is meant by a name that nobody has.

extension WorldPlan {
  mutating func nameNodes() throws(Mistake) {
    for (index, node) in description.nodes.enumerated() {
      guard !node.name.isEmpty else { throw fail(.node(index), "A node has no name", "Give it one.") }
      guard indices.updateValue(index, forKey: node.name) == nil else {
        throw fail(.node(index), "Two nodes are called \"\(node.name)\"", "Give one of them another name.")
      }
      if !node.hasStack, !node.services.isEmpty {
        throw fail(
          .node(index), "\"\(node.name)\" is a \(node.kind.word) and cannot run a service",
          "Run it on a host: a \(node.kind.word) has no sockets.")
      }
      if node.kind == .router, !node.services.isEmpty {
        throw fail(
          .node(index), "\"\(node.name)\" is a router and cannot run a service",
          "Run it on a host: routers forward and offer no sockets to programs.")
      }
      for service in node.services {
        if let mistake = WorldService.mistake(in: service) {
          throw fail(.node(index), mistake.problem, mistake.remedy)
        }
      }
    }
  }

  func index(of name: String, _ subject: Subject?) throws(Mistake) -> Int {
    guard let index = indices[name] else {
      throw fail(subject, "There is no node called \"\(name)\"", Self.suggestion(name, description.nodes.map(\.name)))
    }
    return index
  }

  /// The nearest name, or all of them.
  static func suggestion(_ name: String, _ known: [String]) -> String {
    let near = known.min { distance(name, $0) < distance(name, $1) }
    if let near, distance(name, near) <= max(1, (name.count + 1) / 3), distance(name, near) < name.count {
      return "Did you mean \"\(near)\"?"
    }
    return known.isEmpty ? "There are none yet." : "There are \(known.prefix(12).joined(separator: ", "))."
  }

  /// How many letters have to be changed, put in or taken out.
  static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (index, letter) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in right.indices {
        let change = diagonal + (letter == right[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(change, min(row[column], row[column + 1]) + 1)
      }
    }
    return row[right.count]
  }
}
