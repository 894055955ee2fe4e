internal import Martlet
public import MartletLab
public import Testing

/// Something that was to happen in a world, or to hold, and did not.
public struct WorldExpectationFailure: Error, CustomStringConvertible {
  /// What was expected and what there was instead.
  public var description: String
  /// The world at that moment.
  public var snapshot: WorldSnapshot
  /// Who expected it.
  public var sourceLocation: SourceLocation
}

extension World {
  /// Waits until `condition` holds, looking at it each `step` of the world's time, from now on.
  ///
  /// Time is virtual: a limit of an hour costs what happens in it. A condition that comes and goes between two looks is not seen.
  /// - Parameters:
  ///   - what: What is waited for, in words, for the message.
  ///   - limit: How long, in the world's time.
  /// - Throws: ``WorldExpectationFailure`` when the limit is over; what `condition` throws; `CancellationError`.
  public func eventually(
    _ what: String = "the condition holds", within limit: Duration = .seconds(60),
    every step: Duration = .milliseconds(1),
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
  ) async throws {
    precondition(step > .zero, "time has to pass between two looks")
    let deadline = loop.clock.now.advanced(by: limit)
    while true {
      if try await condition() { return }
      let now = loop.clock.now
      guard now < deadline else {
        throw WorldExpectationFailure(
          description: "Not within \(limit) of the world's time: \(what)", snapshot: snapshot(),
          sourceLocation: sourceLocation)
      }
      try await loop.clock.sleep(until: min(deadline, now.advanced(by: step)))
    }
  }

  /// Lets `span` of the world's time pass, and sees each `step` that `condition` holds.
  ///
  /// - Throws: ``WorldExpectationFailure`` as soon as it does not; what `condition` throws; `CancellationError`.
  public func always(
    _ what: String = "the condition holds", for span: Duration, every step: Duration = .milliseconds(1),
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
  ) async throws {
    precondition(step > .zero, "time has to pass between two looks")
    let start = loop.clock.now
    let deadline = start.advanced(by: span)
    while true {
      guard try await condition() else {
        throw WorldExpectationFailure(
          description: "Only for \(start.duration(to: loop.clock.now)) of \(span): \(what)", snapshot: snapshot(),
          sourceLocation: sourceLocation)
      }
      let now = loop.clock.now
      guard now < deadline else { return }
      try await loop.clock.sleep(until: min(deadline, now.advanced(by: step)))
    }
  }

  /// Waits until no frame waits or travels and no connection has anything to send: all that was said has arrived.
  ///
  /// - Throws: ``WorldExpectationFailure``, with what was still moving, if that takes longer than `limit` of the world's time.
  public func quiet(
    within limit: Duration = .seconds(300), every step: Duration = .milliseconds(1),
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    do {
      try await eventually(within: limit, every: step, sourceLocation: sourceLocation) { snapshot().unrest.isEmpty }
    } catch let told as WorldExpectationFailure {
      var failure = told
      let unrest = failure.snapshot.unrest
      failure.description =
        "The world did not become quiet within \(limit) of its time:\n"
        + unrest.prefix(8).map { "  \($0)" }.joined(separator: "\n")
        + (unrest.count > 8 ? "\n  and \(unrest.count - 8) more" : "")
        + "\nSomebody goes on sending, or a link holds or a peer does not answer what was sent."
      throw failure
    }
  }
}
