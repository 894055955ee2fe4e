package import MartletCore

extension VirtualHost {
  /// Shows the host to `body`. Only on the loop's thread; unlike a call, a look gives the host no turn.
  package func look<R>(_ body: (borrowing Host) -> R) -> R { unsafe body(box.host) }

  /// Whether it is paused, or gone. Only on the loop's thread.
  package var standsStill: Bool { unsafe box.isPaused }
}
