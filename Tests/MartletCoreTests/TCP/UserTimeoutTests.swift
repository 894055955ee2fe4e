import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: the user timeout option (RFC 5482)")
struct TCPUserTimeoutTests {
  private static func options(_ seconds: Int?, fixed: Int? = nil) -> TCPSocketOptions {
    var options = TCPSocketOptions()
    options.advertisedUserTimeout = seconds.map { .seconds($0) }
    options.userTimeout = fixed.map { .seconds($0) }
    return options
  }

  private func opened(_ options: TCPSocketOptions, peer: Int?) -> TCPScript {
    let t = TCPScript(.connecting { $0.options = options })
    t.change { _ in }
    t.ignore()
    t.receive(ScriptSegment.synAck(mss: 1_000).with { $0.userTimeout = peer })
    return t
  }

  @Test("It is in the SYN and in the first acknowledgement, and then no more", .rfc(5482, section: "3"))
  func sent() {
    let t = TCPScript(.connecting { $0.options = Self.options(500) })
    t.change { _ in }
    t.expect(ScriptSegment.syn().with { $0.userTimeout = 500 })
    t.receive(.synAck(mss: 1_000))
    t.expect(ScriptSegment.ack(1).with { $0.userTimeout = 500 })
    t.receive(.data(seq: 1, count: 1_000), .data(seq: 1_001, count: 1_000))
    t.expect(ScriptSegment.ack(2_001).with { $0.userTimeout = 0 })
  }

  @Test("It is not sent unless the program wants it, and what the peer says changes nothing then")
  func disabled() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    t.expect(ScriptSegment.syn().with { $0.userTimeout = 0 })
    t.receive(ScriptSegment.synAck(mss: 1_000).with { $0.userTimeout = 300 })
    #expect(t.connection.limits.userTimeout == 900_000)
  }

  @Test(
    "The longer of both wishes holds, within limits", .rfc(5482, section: "3.1"),
    arguments: [(500, 300, 500), (300, 500, 500), (10, 20, 100), (10, 100_000, 3_600), (10, 0, 900)])
  func adopted(own: Int, peer: Int, result: Int) {
    let t = opened(Self.options(own), peer: peer)
    #expect(t.connection.limits.userTimeout == UInt32(result) * 1_000)
  }

  @Test("What the program chose itself is not changed", .rfc(5482, section: "3.1"))
  func fixed() {
    let t = opened(Self.options(500, fixed: 60), peer: 700)
    #expect(t.connection.limits.userTimeout == 60_000)
  }

  @Test("The peer may say it on any segment, and a change on this side is told")
  func later() {
    let t = opened(Self.options(500), peer: nil).ignore()
    #expect(t.connection.limits.userTimeout == 900_000)
    t.receive(ScriptSegment.data(seq: 1, count: 10, ack: 1).with { $0.userTimeout = 700 })
    #expect(t.connection.limits.userTimeout == 700_000)
    t.at(0.1).ignore()
    t.change { $0.advertise(Self.options(800)) }
    t.expect(ScriptSegment.ack(11).with { $0.userTimeout = 800 })
  }

  @Test("A connection whose peer is silent is given up after the adopted timeout")
  func givesUp() {
    let t = opened(Self.options(120), peer: 110)
    t.write(100).at(119.5)
    t.expectState(.established)
    t.at(121)
    t.expectState(.closed)
  }
}
