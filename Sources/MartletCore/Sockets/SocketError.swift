public import MartletWire

/// Why a socket call did not do what was asked.
public enum SocketError: Error, Hashable, Sendable, BitwiseCopyable {
  /// Another socket has that address and port.
  case addressInUse
  /// The host has no such address.
  case addressNotAvailable
  /// The address cannot be used here: a broadcast or multicast peer for TCP, an unspecified one, a port of zero.
  case invalidAddress
  /// No route leads there.
  case noRoute
  /// All ports or all room for sockets are taken.
  case noResources
  /// The host offers programs no sockets: it is a router.
  case offersNoSockets
  /// The socket does not exist (any more), or is not of the kind the call is for.
  case notASocket
  /// The socket is in a state that has no such call (writing after half-close, reading from a listener).
  case invalidState
  /// The connection or datagram socket has no peer.
  case notConnected
  /// The peer answered that nobody listens (RST to a SYN, ICMP port unreachable).
  case refused
  /// The peer reset the connection.
  case reset
  /// The connection was given up because this end aborted it.
  case aborted
  /// Nobody answered in time; `after` is how long it was tried.
  case timedOut(after: Duration)
  /// A router or the host itself said that the destination cannot be reached.
  case unreachable(by: IPAddress)
  /// The datagram is larger than can be sent.
  case messageTooLong
  /// The task that called was cancelled, or its loop was shut down.
  case cancelled
  /// In virtual time: every task waits, and nothing is left to happen that could end the wait.
  case stalled
}
