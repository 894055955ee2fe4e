// What the schedule names has to be there, and what anybody does to a world.

extension WorldPlan {
  func checkSchedule() throws(Mistake) {
    for (number, entry) in description.schedule.enumerated() { try check(entry.fault, .schedule(number)) }
  }

  /// Throws if what `fault` names is not there, or cannot have it.
  func check(_ fault: WorldDescription.Fault, _ subject: Subject?) throws(Mistake) {
    switch fault {
    case .down(let link), .up(let link), .hold(let link), .release(let link):
      guard linkIndices[link] != nil else {
        throw fail(
          subject, "There is no link called \"\(link)\"", Self.suggestion(link, description.links.map(\.name)))
      }
    case .crash(let name), .restart(let name), .pause(let name), .resume(let name):
      if let kind = description.nodes[try index(of: name, subject)].kindWithoutPower {
        throw fail(subject, "\"\(name)\" is a \(kind)", "Name a host, a router or a switch.")
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
