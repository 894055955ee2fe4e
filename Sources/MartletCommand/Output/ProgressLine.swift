import Glibc

/// How many runs of a measurement are done: a bar on a terminal, a line for each quarter in a pipe. On standard error, because
/// standard output is for the result.
struct ProgressLine {
  private let total: Int
  private let isShown: Bool
  private let isBar: Bool
  private var lastStep = 0

  init(total: Int, isShown: Bool = true) {
    self.total = max(1, total)
    self.isShown = isShown
    isBar = isatty(STDERR_FILENO) == 1
  }

  /// Shows that `count` of the total are done, if that looks different from before.
  mutating func show(_ count: Int) {
    guard isShown else { return }
    let steps = isBar ? 40 : 4
    let step = count * steps / total
    guard step > lastStep else { return }
    lastStep = step
    let percent = padded("\(count * 100 / total)", to: 3, atEnd: false)
    if isBar {
      let bar = String(repeating: "█", count: step) + String(repeating: "░", count: steps - step)
      StandardStreams.write("\r   \(bar) \(percent) %", to: STDERR_FILENO)
    } else {
      StandardStreams.write("   \(percent) %  \(count) of \(total) runs\n", to: STDERR_FILENO)
    }
  }

  /// Takes the bar away.
  func finish() {
    if isShown && isBar && lastStep > 0 { StandardStreams.write("\r\u{1b}[K", to: STDERR_FILENO) }
  }
}
