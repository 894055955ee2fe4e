import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: keep-alive", .bothVersions)
struct TCPKeepAliveTests {
  private func script() -> TCPScript {
    TCPScript(.established { $0.options.keepAlive = true })
  }

  @Test("Nothing is sent unless asked for", .rfc(9293, "MUST-25"))
  func off() {
    let t = TCPScript()
    t.expectNothing(until: 100_000)
    t.expectState(.established)
  }

  @Test(
    "After two hours of silence a probe without data goes out, and an answer puts it off", .rfc(9293, "MUST-24"),
    .rfc(9293, "MUST-28"), .rfc(9293, "SHLD-12"), .rfc(9293, "MAY-5"))
  func probe() {
    let t = script()
    t.expectNothing(until: 7_199.999)
    t.at(7_200).expect(.ack(1, seq: 0))
    t.at(7_201).receive(.ack(1))
    t.expectNothing(until: 14_400.999)
    t.at(14_401).expect(.ack(1, seq: 0))
  }

  @Test("It takes many unanswered probes to end the connection", .rfc(9293, "MUST-29"))
  func dead() {
    let t = script()
    t.at(7_200 + 8 * 75)
    #expect(t.sent.count == 9)
    t.expectState(.established)
    t.ignore().at(7_200 + 9 * 75)
    t.expectState(.closed)
    t.expectError(.timedOut(after: .seconds(7_200 + 9 * 75)))
    t.expect(.rst(seq: 1, ack: 1))
  }

  @Test("Data that is outstanding, or was heard, puts probes off", .rfc(9293, "MUST-26"))
  func busy() {
    let t = script()
    t.at(7_000).receive(.data(seq: 1, count: 10, ack: 1)).at(7_001).ignore()
    t.expectNothing(until: 14_199.999)
    t.write(10).ignore()
    t.at(14_200.1)
    t.expectNothing()
  }

  @Test("The program sets the times", .rfc(9293, "MUST-27"))
  func times() {
    let t = TCPScript(
      .established {
        $0.options.keepAlive = true
        $0.options.keepAliveIdle = .seconds(10)
        $0.options.keepAliveInterval = .seconds(1)
        $0.options.keepAliveProbes = 2
      })
    t.at(11).expect(.ack(1, seq: 0), .ack(1, seq: 0))
    t.at(12).expect(.rst(seq: 1, ack: 1))
  }

  @Test("It is switched on and off during the connection", .rfc(9293, "MUST-24"))
  func switching() {
    let t = TCPScript()
    t.change { $0.setKeepAlive(true, at: t.now) }.at(7_200)
    t.expect(.ack(1, seq: 0))
    t.receive(.ack(1)).change { $0.setKeepAlive(false, at: t.now) }
    t.expectNothing(until: 50_000)
  }

  @Test("A peer's probe is answered", .rfc(9293, section: "3.8.4"), arguments: [0, 1])
  func answer(count: Int) {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 10, ack: 1)).at(1).ignore()
    t.receive(.data(seq: 10, count: count, ack: 1))
    t.expect(.ack(11, seq: 1))
  }
}
