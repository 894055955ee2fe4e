import Dispatch
import Glibc
import Martlet
import MartletLab
import Synchronization

/// Says on a terminal, a few times a second, how far a world is; standard output stays what it is.
final class LabProgress: Sendable {
  private struct State {
    var world: World?
    var isRunning = false
    var hasShown = false
  }
  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "progress")
  private let isShown: Bool

  /// - Parameter isShown: Whether anything is shown; nothing ever is in a pipe.
  init(isShown: Bool) { self.isShown = isShown && isatty(STDERR_FILENO) == 1 }

  /// The world whose time is told from now on.
  func watch(_ world: World) { state.withLock { $0.world = world } }

  /// Shows how far it is until ``stop()``.
  func start() {
    guard isShown else { return }
    state.withLock { $0.isRunning = true }
    let clock = ContinuousClock()
    let begin = clock.now
    queue.async { [self] in
      // What is over at once has no progress.
      while !pause(milliseconds: 100) {
        let (time, rest) = state.withLock { ($0.world.map { seconds($0.loop.now) }, $0.isRunning) }
        guard rest, let time else { continue }
        let wall = seconds(clock.now - begin)
        StandardStreams.write(
          "\r\u{1b}[K\(fixed(time, 3)) s of the world's time in \(fixed(wall, 1)) s", to: STDERR_FILENO)
        state.withLock { $0.hasShown = true }
      }
    }
  }

  /// Takes the line away.
  func stop() {
    state.withLock {
      $0.isRunning = false
      $0.world = nil
    }
    queue.sync {}
    if state.withLock({ $0.hasShown }) { StandardStreams.write("\r\u{1b}[K", to: STDERR_FILENO) }
  }

  /// Whether it was stopped meanwhile.
  private func pause(milliseconds: Int) -> Bool {
    for _ in 0..<milliseconds / 10 {
      if !state.withLock({ $0.isRunning }) { return true }
      _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(10))
    }
    return !state.withLock { $0.isRunning }
  }
}
