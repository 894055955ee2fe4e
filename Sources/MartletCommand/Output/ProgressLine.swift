import Glibc

/// How far something is: a bar on a terminal, a line for each quarter in a pipe.
struct ProgressLine {
  /// What is counted.
  enum Unit {
    case bytes
    /// Runs of a measurement; shown on standard error, because standard output is for the result.
    case runs
  }

  private let total: Int
  private let unit: Unit
  private let isShown: Bool
  private let isBar: Bool
  private var lastStep = 0

  init(total: Int, isShown: Bool = true, unit: Unit = .bytes) {
    self.total = max(1, total)
    self.isShown = isShown
    self.unit = unit
    isBar = isatty(unit == .bytes ? STDOUT_FILENO : STDERR_FILENO) == 1
  }

  private var descriptor: CInt { unit == .bytes ? STDOUT_FILENO : STDERR_FILENO }

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
      StandardStreams.write("\r   \(bar) \(percent) %", to: descriptor)
    } else {
      let text = unit == .bytes ? byteCountText(Double(count)) : "\(count) of \(total) runs"
      StandardStreams.write("   \(percent) %  \(text)\n", to: descriptor)
    }
  }

  /// Takes the bar away.
  func finish() {
    if isShown && isBar && lastStep > 0 { StandardStreams.write("\r\u{1b}[K", to: descriptor) }
  }
}
