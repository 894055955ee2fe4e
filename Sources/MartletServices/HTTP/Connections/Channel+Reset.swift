import Glibc
import NIOCore

extension Channel {
  /// Ends the connection at once, so that the client knows that it has not all, and nothing waits for it any more.
  func reset() {
    guard let options = self as? any SocketOptionProvider else { return close(promise: nil) }
    // To close without lingering is to reset.
    options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in self.close(promise: nil) }
  }
}
