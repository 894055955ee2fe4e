// Frames on a segment, which are sent again and again until nobody else speaks.

extension Recorder {
  /// The frame has been handed over and is not on its way yet.
  func waits(_ tag: UInt32) {
    guard tag > 0 else { return }
    frames[Int(tag) - 1].fate = .lost("still waiting")
  }

  /// The same frame is sent once more.
  func again(_ tag: UInt32, attempt: Int, cause: Cause?, at time: Int64) -> UInt32 {
    guard tag > 0 else { return 0 }
    var frame = frames[Int(tag) - 1]
    frame.queued = time
    frame.departure = time
    frame.arrival = time
    frame.fate = .lost("still on its way")
    frame.comment = "attempt \(attempt)"
    var trail = trails[Int(tag) - 1]
    trail.cause = cause
    trail.route = "attempt \(attempt)"
    trail.looked = -1
    frames.append(frame)
    trails.append(trail)
    return UInt32(frames.count)
  }

  /// The attempt met another's: at once, or where it should have been heard.
  func died(_ tag: UInt32, _ reason: String, at time: Int64) {
    guard tag > 0 else { return }
    // In the air a sender learns of it later than it happens.
    if case .delivered = frames[Int(tag) - 1].fate {
      frames[Int(tag) - 1].fate = .lost(reason)
    } else {
      lost(tag, reason, at: time)
    }
  }

  /// A station hears what another sent: its first bit was there at `start`.
  func heard(_ number: Int, from tag: UInt32, since start: Int64) {
    guard tag > 0, number < frames.count else { return }
    frames[number].queued = start
    frames[number].departure = start
    frames[number].origin = Int(tag) - 1
    trails[number].cause = .sent(Int(tag) - 1)
    trails[number].isHeard = true
  }
}
