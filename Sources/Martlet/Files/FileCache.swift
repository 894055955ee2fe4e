internal import MartletCore

/// The parts of files that a loop has mapped, for all its connections: whoever sends the same file finds it mapped and its
/// checksums known.
final class FileCache {
  /// The most windows that are kept for nobody in particular: half a gigabyte of addresses.
  static let windowLimit = 256
  /// How long a window is kept that nobody asks for. A file that was deleted keeps its blocks on the disk as long.
  static let idleTime = Nanoseconds.milliseconds(5_000)

  private struct Key: Hashable {
    var identity: FileIdentity
    var index: Int64
  }

  /// Looked up by key; the oldest is found by its time, which no two share.
  private var windows: [Key: FileWindow] = [:]
  private var clock: UInt64 = 0
  /// The clock at the last look around.
  private var lastSweep: UInt64 = 0
  private var timer: LoopTimer?

  /// Window `index` of a file, mapped now if it was not; nil if the system refuses. Says whether it is new.
  func window(
    _ index: Int64, of identity: FileIdentity, descriptor: CInt, on loop: LoopCore
  ) -> (window: FileWindow, isNew: Bool)? {
    clock += 1
    let key = Key(identity: identity, index: index)
    if let known = windows[key], !known.isFaulty {
      known.lastUse = clock
      return (known, false)
    }
    guard let window = FileWindow(index: index, of: identity, descriptor: descriptor) else { return nil }
    window.lastUse = clock
    if windows.count >= Self.windowLimit { removeOldest() }
    windows[key] = window
    if timer == nil { setTimer(on: loop) }
    return (window, true)
  }

  /// Lets go of what is kept of a file that is not the same any more.
  func forget(_ identity: FileIdentity) {
    windows = windows.filter { $0.key.identity != identity }
  }

  private func removeOldest() {
    guard let oldest = windows.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return }
    windows[oldest.key] = nil
  }

  private func setTimer(on loop: LoopCore) {
    lastSweep = clock
    timer = loop.setTimer(at: loop.now + Self.idleTime) { [weak self, unowned loop] in
      guard let self else { return }
      timer = nil
      let border = lastSweep
      windows = windows.filter { $0.value.lastUse > border }
      if !windows.isEmpty { setTimer(on: loop) }
    }
  }
}
