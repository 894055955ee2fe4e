import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: explicit congestion notification (RFC 3168)")
struct TCPCongestionMarkTests {
  private static let asking = ScriptSegment.syn(mss: 1_000).with { $0.flags = [.syn, .ece, .cwr] }
  static let agreeing = ScriptSegment.synAck(mss: 1_000, sackPermitted: true).with {
    $0.flags = [.syn, .ack, .ece]
  }

  /// A connection that this end opened and both agreed on.
  private func agreed() -> TCPScript {
    let t = TCPScript(.connecting { $0.configuration.ecn = .on })
    t.change { _ in }
    t.expect(Self.asking.with { $0.mss = nil })
    t.at(0.1).receive(Self.agreeing)
    t.expect(.ack(1).with { $0.ecn = .notCapable })
    return t
  }

  @Test("Both ends agree in their SYNs", .rfc(3168, section: "6.1.1"))
  func agreement() {
    #expect(agreed().info.usesCongestionNotification)
  }

  @Test(
    "A peer that asks is told yes, by default too, and no by a host that does not want it", arguments: [true, false])
  func answer(isOn: Bool) {
    let t = TCPScript(
      .accepting {
        if !isOn { $0.configuration.ecn = .off }
        $0.synFlags = [.syn, .ece, .cwr]
      })
    t.change { _ in }
    t.expect(.synAck().with { $0.flags = isOn ? [.syn, .ack, .ece] : [.syn, .ack] })
    t.receive(.ack(1))
    #expect(t.info.usesCongestionNotification == isOn)
  }

  @Test("A SYN does not ask unless told to")
  func doesNotAsk() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    t.expect(.syn())
    t.receive(Self.agreeing)
    #expect(!t.info.usesCongestionNotification)
  }

  @Test("An answer that merely mirrors the SYN's flags is no agreement", .rfc(3168, section: "6.1.1"))
  func mirrored() {
    let t = TCPScript(.connecting { $0.configuration.ecn = .on })
    t.change { _ in }
    t.ignore()
    t.receive(Self.agreeing.with { $0.flags = [.syn, .ack, .ece, .cwr] })
    #expect(!t.info.usesCongestionNotification)
  }

  @Test("A SYN that is lost asks no more, and nothing is marked then", .rfc(3168, section: "6.1.1.1"))
  func fallBack() {
    let t = TCPScript(.connecting { $0.configuration.ecn = .on })
    t.change { _ in }
    t.expect(Self.asking.with { $0.mss = nil })
    t.at(1)
    t.expect(.syn())
    t.receive(Self.agreeing).ignore()
    t.write(100)
    t.expect(.data(seq: 1, count: 100).with { $0.ecn = .notCapable })
    #expect(!t.info.usesCongestionNotification)
    // The peer may have seen the first SYN: its marks are echoed.
    t.receive(.data(seq: 1, count: 100, ack: 101).with { $0.ecn = .congestionExperienced }).at(1.2)
    t.expect(.ack(101).with { $0.flags = [.ack, .ece] })
  }

  @Test(
    "New data is capable; acknowledgements, retransmissions and probes are not", .rfc(3168, section: "6.1.4"),
    .rfc(3168, section: "6.1.5"), .rfc(3168, section: "6.1.6"))
  func capable() {
    let t = agreed()
    t.write(1_000)
    t.expect(.data(seq: 1, count: 1_000).with { $0.ecn = .capable0 })
    t.at(2)
    #expect(!t.sent.isEmpty)
    #expect(t.sent.allSatisfy { $0.ecn == .notCapable })
    t.ignore()
    t.receive(.ack(1_001, window: 0)).write(10).at(10)
    #expect(!t.sent.isEmpty)
    #expect(t.sent.allSatisfy { $0.ecn == .notCapable })
  }

  @Test("What is written while a tail-loss probe is armed is new data, and capable", .rfc(3168, section: "6.1.4"))
  func capableBeforeProbe() {
    let t = agreed()
    t.write(1_000)
    t.expect(.data(seq: 1, count: 1_000).with { $0.ecn = .capable0 })
    t.write(1_000)
    t.expect(.data(seq: 1_001, count: 1_000).with { $0.ecn = .capable0 })
  }

  @Test("A mark is echoed until the sender says that it reduced its window", .rfc(3168, section: "6.1.3"))
  func echo() {
    let t = agreed()
    t.receive(
      .data(seq: 1, count: 1_000, ack: 1).with { $0.ecn = .congestionExperienced }, .data(seq: 1_001, count: 1_000))
    t.expect(.ack(2_001).with { $0.flags = [.ack, .ece] })
    t.receive(.data(seq: 2_001, count: 1_000), .data(seq: 3_001, count: 1_000))
    t.expect(.ack(4_001).with { $0.flags = [.ack, .ece] })
    t.receive(.data(seq: 4_001, count: 1_000).with { $0.flags.insert(.cwr) }, .data(seq: 5_001, count: 1_000))
    t.expect(.ack(6_001))
    t.receive(
      .data(seq: 6_001, count: 1_000).with {
        $0.flags.insert(.cwr)
        $0.ecn = .congestionExperienced
      }, .data(seq: 7_001, count: 1_000))
    t.expect(.ack(8_001).with { $0.flags = [.ack, .ece] })
  }

  @Test("A mark outside the window, or on a bare acknowledgement, means nothing", .rfc(3168, section: "6.1.5"))
  func outside() {
    let t = agreed()
    t.receive(.data(seq: 1, count: 1_000, ack: 1), .data(seq: 1_001, count: 1_000)).ignore()
    t.receive(.data(seq: 1, count: 1_000).with { $0.ecn = .congestionExperienced })
    t.expect(.ack(2_001))
    t.receive(
      .ack(1).with { $0.ecn = .congestionExperienced }, .data(seq: 2_001, count: 1_460),
      .data(seq: 3_461, count: 1_460))
    t.expect(.ack(4_921))
  }

  /// Ten segments in flight.
  private func flight(_ algorithm: TCPCongestionControl) -> TCPScript {
    let t = TCPScript(
      .connecting {
        $0.configuration.ecn = .on
        $0.configuration.congestionControl = algorithm
      })
    t.change { _ in }.at(0.1).receive(Self.agreeing)
    t.write(40_000).ignore().at(0.2)
    return t
  }

  private static func echo(_ number: Int) -> ScriptSegment { .ack(number).with { $0.flags = [.ack, .ece] } }

  @Test(
    "An echo makes the window smaller, once for all that is in flight, and the next new data says so",
    .rfc(3168, section: "6.1.2"), .rfc(9293, "SHLD-8"), .rfc(8511, section: "3"),
    arguments: [(TCPCongestionControl.newReno, 5_000), (.cubic, 8_500)])
  func reduction(algorithm: TCPCongestionControl, window: Int) {
    let t = flight(algorithm)
    t.receive(Self.echo(1_001))
    #expect(t.info.congestionWindow == window)
    #expect(t.info.slowStartThreshold == window)
    // Echoes go on until the peer hears of it: they make the window neither smaller nor larger.
    for number in 2...6 { t.receive(Self.echo(number * 1_000 + 1)) }
    #expect(t.info.congestionWindow == window)
    #expect(t.sent.first?.flags.contains(.cwr) == true)
    #expect(t.sent.first?.seq == 10_001)
    #expect(t.sent.dropFirst().allSatisfy { !$0.flags.contains(.cwr) })
  }

  @Test("The last echo of a window counts with it, the next window's anew", .rfc(3168, section: "6.1.2"))
  func nextWindow() {
    let t = flight(.newReno)
    t.receive(Self.echo(1_001)).ignore()
    t.receive(Self.echo(10_001))
    #expect(t.info.congestionWindow == 5_000)
    #expect(t.info.bytesInFlight == 5_000)
    // The data with CWR is the first of these.
    t.receive(.ack(11_001)).receive(Self.echo(12_001))
    #expect(t.info.congestionWindow == 2_500)
  }

  @Test("BBR does not take a single mark for a full network", .rfc(3168, section: "6.1.2"))
  func modelled() {
    let t = flight(.bbr)
    t.receive(Self.echo(1_001))
    #expect(t.info.congestionWindow > 5_000)
  }

  @Test("Without agreement an echo means nothing")
  func notAgreed() {
    let t = TCPScript()
    t.write(5_000).ignore()
    let window = t.info.congestionWindow
    t.receive(.ack(1_001).with { $0.flags = [.ack, .ece] })
    #expect(t.info.congestionWindow >= window)
    t.receive(.data(seq: 1, count: 1_000, ack: 5_001).with { $0.ecn = .congestionExperienced }).at(0.1)
    t.expect(.ack(1_001))
  }
}
