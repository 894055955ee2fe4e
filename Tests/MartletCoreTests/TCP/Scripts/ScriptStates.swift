import MartletWire
import Testing

@testable import MartletCore

extension TCPScript {
  /// A connection that came to `state` on the shortest way, with nothing sent since. Both ends sent no data; an end's FIN
  /// has number 1. The program holds on to its end.
  static func inState(_ state: TCPState, _ change: (inout Setup) -> Void = { _ in }) -> TCPScript {
    let t: TCPScript
    switch state {
    case .synSent:
      t = TCPScript(.connecting(change))
      t.change { _ in }
    case .synReceived:
      t = TCPScript(.accepting(change))
      t.change { _ in }
    default: t = TCPScript(.established(change))
    }
    switch state {
    case .closed: t.abort()
    case .finWait1: t.shutdown()
    case .finWait2: t.shutdown().receive(.ack(2, seq: 1))
    case .closeWait: t.receive(.fin(seq: 1, ack: 1))
    case .closing: t.shutdown().receive(.fin(seq: 1, ack: 1))
    case .lastAck: t.receive(.fin(seq: 1, ack: 1)).shutdown()
    case .timeWait: t.shutdown().receive(.fin(seq: 1, ack: 2))
    default: break
    }
    t.ignore()
    _ = t.changes()
    t.expectState(state)
    return t
  }

  /// Writes `count` bytes and says why that failed, if it did.
  func send(_ count: Int) -> SocketError? {
    let bytes = [UInt8](repeating: 0, count: count)
    var failure: SocketError?
    change {
      do throws(SocketError) {
        _ = unsafe try $0.write(bytes.span.bytes, from: pool, at: now)
      } catch {
        failure = error
      }
    }
    return failure
  }
}
