import Glibc

/// Signals as values that are waited for. Blocked in every thread, they interrupt nothing.
struct Signals {
  private var set = sigset_t()

  /// Blocks `signals`; call it before the first thread is made, which inherits that.
  init(blocking signals: [CInt]) {
    unsafe sigemptyset(&set)
    for signal in signals { unsafe sigaddset(&set, signal) }
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    // A reader that went away is an error of the write, not the end of the program.
    signal(SIGPIPE, SIG_IGN)
  }

  /// Waits for the next of them, blocking the calling thread.
  func wait() -> CInt {
    var set = set
    var number: CInt = 0
    while unsafe sigwait(&set, &number) != 0 {}
    return number
  }
}
