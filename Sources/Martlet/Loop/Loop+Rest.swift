extension Loop {
  /// Waits until the jobs that are on the loop, and those they make, have run, so that what somebody on another thread does
  /// next comes behind them however slow that thread is. Time stands still. Returns at once on the loop's thread.
  package func settle() {
    guard !isCurrent else { return }
    let core = core
    let gate = Gate()
    core.whenJobless { gate.open() }
    gate.wait()
  }
}

extension LoopCore {
  /// - Parameter patience: After so many rounds it is given up: jobs that make jobs for ever leave no time to move on either.
  fileprivate func whenJobless(patience: Int = 10_000, _ body: @escaping @Sendable () -> Void) {
    enqueue(
      .call { [self] in
        if patience == 0 || (running.count == 1 && local.isEmpty && dirty.isEmpty) {
          body()
        } else {
          whenJobless(patience: patience - 1, body)
        }
      }, isExpected: true)
  }
}
