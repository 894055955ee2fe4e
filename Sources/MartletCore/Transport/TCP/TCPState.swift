/// The states of a connection (RFC 9293 section 3.3.2). LISTEN is a listener's, which is another type.
public enum TCPState: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case closed, synSent, synReceived, established, finWait1, finWait2, closeWait, closing, lastAck, timeWait

  /// The state's name as the RFC writes it.
  public var name: String {
    switch self {
    case .closed: "CLOSED"
    case .synSent: "SYN-SENT"
    case .synReceived: "SYN-RECEIVED"
    case .established: "ESTABLISHED"
    case .finWait1: "FIN-WAIT-1"
    case .finWait2: "FIN-WAIT-2"
    case .closeWait: "CLOSE-WAIT"
    case .closing: "CLOSING"
    case .lastAck: "LAST-ACK"
    case .timeWait: "TIME-WAIT"
    }
  }

  /// Whether both ends know each other's sequence numbers (RFC 9293 section 3.5.2).
  @inline(__always) package var isSynchronized: Bool { rawValue >= TCPState.established.rawValue }

  /// Whether this end has not said that it is done, so that the program may write.
  @inline(__always) package var maySend: Bool { self == .established || self == .closeWait }

  /// Whether the other end may still send data.
  @inline(__always) package var mayReceive: Bool { self == .established || self == .finWait1 || self == .finWait2 }
}
