package import MartletWire

/// A connection's inner numbers at one moment, for a model check that asks whether they make sense together.
package struct TCPObservation: BitwiseCopyable {
  /// Names the connection for as long as it lives, whether or not a program has it.
  package var socket: SocketID
  package var local: IPAddress
  package var remote: IPAddress
  package var localPort: UInt16
  package var remotePort: UInt16
  package var state: TCPState
  package var initialSend: SequenceNumber
  package var sendUnacknowledged: SequenceNumber
  package var sendNext: SequenceNumber
  package var sendMaximum: SequenceNumber
  package var initialReceive: SequenceNumber
  package var receiveNext: SequenceNumber
  package var receiveEdge: SequenceNumber
  package var sendQueueByteCount: Int
  package var receiveQueueByteCount: Int
  package var outOfOrderByteCount: Int
  /// The receive buffer's bound, in bytes.
  package var receiveBufferByteCount: Int
  package var finQueued: Bool
  package var isCorked: Bool
  package var isReleased: Bool
  /// Whether bytes were received in order that no acknowledgement has answered.
  package var owesAcknowledgment: Bool
  /// Whether it has something to send that it was not yet asked for.
  package var wantsTransmit: Bool
  package var retransmission: Instant
  package var delayedAcknowledgment: Instant
  /// When it next has to act by itself.
  package var deadline: Instant?
}

extension Host {
  /// Calls `body` with the inner numbers of every connection, in the order of their places.
  package func observeConnections(_ body: (TCPObservation) -> Void) {
    for index in 0..<connections.indexBound where connections.isOccupied(index) {
      body(connections[index].tcp.observation(as: SocketID(.connection, connections.tenant(at: index))))
    }
  }

  /// How many connections there are, half-open ones and those in TIME-WAIT included.
  package var connectionCount: Int { connections.count }
}

extension TCPConnection {
  @inline(__always)
  func observation(as socket: SocketID) -> TCPObservation {
    TCPObservation(
      socket: socket, local: flow.localAddress, remote: flow.remoteAddress, localPort: flow.localPort,
      remotePort: flow.remotePort, state: state, initialSend: initialSend, sendUnacknowledged: sendUnacknowledged,
      sendNext: sendNext, sendMaximum: sendMaximum, initialReceive: initialReceive, receiveNext: receiveNext,
      receiveEdge: receiveEdge, sendQueueByteCount: sendQueue.byteCount,
      receiveQueueByteCount: receiveQueue.byteCount, outOfOrderByteCount: receiveQueue.outOfOrderByteCount,
      receiveBufferByteCount: Int(limits.receiveBuffer), finQueued: flags.contains(.finQueued),
      isCorked: flags.contains(.corked), isReleased: flags.contains(.isReleased),
      owesAcknowledgment: unacknowledgedBytes > 0, wantsTransmit: wantsTransmit,
      retransmission: min(timers.retransmission, timers.pacing), delayedAcknowledgment: timers.delayedAcknowledgment,
      deadline: timers.earliest)
  }
}
