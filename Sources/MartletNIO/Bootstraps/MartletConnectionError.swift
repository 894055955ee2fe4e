public import NIOCore

/// None of the addresses of a name could be connected to.
public struct MartletConnectionError: Error, CustomStringConvertible {
  /// One address that was tried, and why it did not answer.
  public struct Failure: Sendable {
    public var address: NIOCore.SocketAddress
    public var error: any Error
  }

  /// The name.
  public var host: String
  /// What was tried, in order.
  public var failures: [Failure]

  public var description: String {
    "no connection to \(host): " + failures.map { "\($0.address): \($0.error)" }.joined(separator: "; ")
  }
}
