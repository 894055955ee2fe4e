package import MartletCore

extension Loop {
  /// Calls `body` once, when the next thing to happen in virtual time is later than `time`, before it does. Nil: never. Only on the
  /// loop's thread.
  ///
  /// A timer would do so too, but while there is one nothing waits in vain: ``SocketError/stalled``.
  package func setHorizon(_ time: Instant?, _ body: @escaping () -> Void = {}) {
    core.horizon = time ?? Instant(nanoseconds: .max)
    core.horizonReached = time == nil ? nil : body
  }
}

extension LoopCore {
  func reachHorizon() {
    let body = horizonReached
    horizon = Instant(nanoseconds: .max)
    horizonReached = nil
    body?()
  }
}
