public import MartletCore

extension SocketError: CustomStringConvertible {
  /// What happened, in words for a person.
  public var description: String {
    switch self {
    case .addressInUse: "another socket has that address and port"
    case .addressNotAvailable: "this host does not have that address"
    case .invalidAddress: "that address or port cannot be used here"
    case .noRoute: "no route leads there"
    case .noResources: "no port, memory or room for sockets is left"
    case .notASocket: "the socket is closed, or of another kind"
    case .invalidState: "the socket cannot do that in its state"
    case .notConnected: "the socket is not connected"
    case .refused: "refused: nobody listens on that port"
    case .reset: "the peer reset the connection"
    case .aborted: "the connection was aborted on this side"
    case .timedOut(let after): "timed out: no answer for \(after)"
    case .unreachable(let address): "unreachable, says \(address)"
    case .messageTooLong: "the datagram is larger than can be sent"
    case .cancelled: "cancelled"
    case .offersNoSockets: "the host is a router, which offers programs no sockets"
    case .stalled: "nothing is left to happen: every task waits, and no timer runs"
    }
  }
}
