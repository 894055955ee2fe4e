// What the schedule names has to be there.

extension WorldPlan {
  func checkSchedule() throws(Mistake) {
    for (number, entry) in description.schedule.enumerated() {
      let subject = Subject.schedule(number)
      switch entry.fault {
      case .down(let link), .up(let link), .hold(let link), .release(let link):
        guard linkIndices[link] != nil else {
          throw fail(
            subject, "There is no link called \"\(link)\"", Self.suggestion(link, description.links.map(\.name)))
        }
      case .crash(let name), .restart(let name), .pause(let name), .resume(let name):
        let node = try index(of: name, subject)
        guard description.nodes[node].kind != .hub else {
          throw fail(subject, "\"\(name)\" is a segment", "Name a host, a router or a switch.")
        }
      case .partition(let left, let right, _):
        for name in left + right { _ = try index(of: name, subject) }
      case .heal: break
      }
    }
  }
}
