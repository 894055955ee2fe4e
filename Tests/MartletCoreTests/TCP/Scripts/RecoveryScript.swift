import MartletWire
import Testing

@testable import MartletCore

extension TCPScript {
  /// An active open at the time 0 whose answer took `roundTrip` seconds: SRTT and the shortest round trip are that, RTTVAR
  /// half of it, the timeout three times it and at least 200 ms (RFC 6298 (2.2)). The program may send from then on.
  static func measured(
    _ roundTrip: Double = 0.1, initialWindow: Int = 10, sack: Bool = true, timestamps: Bool = false,
    _ change: (inout Setup) -> Void = { _ in }
  ) -> TCPScript {
    let t = TCPScript(
      .connecting {
        $0.mss = timestamps ? 1_012 : 1_000
        $0.initialWindow = initialWindow
        change(&$0)
      })
    t.change { _ in }.at(roundTrip)
    t.receive(
      .synAck(
        mss: t.setup.mss, scale: t.setup.peerScale, sackPermitted: sack, timestamp: timestamps ? 1_000 : nil,
        echo: timestamps ? t.stamp(at: 0) : nil)
    ).ignore()
    return t
  }

  /// What a segment sent at `seconds` carries as its timestamp.
  func stamp(at seconds: Double) -> UInt32 {
    connection.timestamp(at: Instant(nanoseconds: Int64((seconds * 1e9).rounded())))
  }
}
