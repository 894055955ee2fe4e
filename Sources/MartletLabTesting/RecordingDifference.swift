internal import MartletLab

/// Where two runs of the same seed went apart.
struct RecordingDifference: Error, CustomStringConvertible {
  var description: String

  /// Nil if they did not.
  init?(_ first: Recording, _ second: Recording) {
    let fingerprints = (first.fingerprint, second.fingerprint)
    guard fingerprints.0 != fingerprints.1 else { return nil }
    description =
      "Two runs with seed \(first.seed) were not the same (fingerprints \(String(fingerprints.0, radix: 16)) and \(String(fingerprints.1, radix: 16)))."
    if let (left, right) = Self.apart(first, second) {
      description += "\n  the first:  \(left)\n  the second: \(right)"
    }
    description +=
      "\nWhat usually does that: Task.sleep or Date in place of the world's clock, Task.detached, a random generator of the system, "
      + "the order of a Set or Dictionary, state that outlives a run."
  }

  /// The first events that differ.
  private static func apart(_ first: Recording, _ second: Recording) -> (String, String)? {
    func words(_ recording: Recording, _ index: Int) -> String {
      guard index < recording.events.count else { return "nothing more" }
      let event = recording.events[index]
      return "\(Duration.nanoseconds(event.time)) \(recording.nodes[event.node].name) \(event.kind) \(event.text)"
    }
    for index in 0..<max(first.events.count, second.events.count) {
      let (left, right) = (words(first, index), words(second, index))
      if left != right { return (left, right) }
    }
    return first.duration == second.duration
      ? nil : ("ends at \(Duration.nanoseconds(first.duration))", "ends at \(Duration.nanoseconds(second.duration))")
  }
}
