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
        guard description.nodes[node].kind != .hub, description.nodes[node].kind != .tap else {
          throw fail(
            subject, "\"\(name)\" is a \(description.nodes[node].kind.word)", "Name a host, a router or a switch.")
        }
      case .clock(let name, let fault): try checkClock(fault, of: try index(of: name, subject), subject)
      case .cpu(let name, _): _ = try index(of: name, subject)
      case .ring(let name, let ring): try checkRing(ring, of: try index(of: name, subject), subject)
      case .partition(let left, let right, _):
        for name in left + right { _ = try index(of: name, subject) }
      case .heal: break
      }
    }
  }
}
