import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: path MTU")
struct PathMTUScriptTests {
  private func script(
    sack: Bool = true, policy: Host.Configuration.TCP.PathProbing = .onBlackHole
  ) -> TCPScript {
    TCPScript(
      .established(mss: 1_460, sack: sack) {
        $0.configuration.packetizationLayerPathMTUDiscovery = policy
      })
  }

  @discardableResult
  private func tooBig(_ t: TCPScript, mtu: Int, quoting count: Int = 1_500, seq: Int) -> Bool {
    var believed = false
    t.change {
      believed = $0.receive(
        .packetTooBig(mtu: mtu, packetByteCount: count), quoted: TCPScript.localBase + seq, at: t.now)
    }
    return believed
  }

  /// Acknowledges what is sent until a segment of `count` bytes goes out, and returns it with what follows it.
  private func acknowledge(_ t: TCPScript, until count: Int) -> [ScriptSegment] {
    for _ in 0..<100 {
      let sent = t.sent
      if let place = sent.firstIndex(where: { $0.count == count }) { return Array(sent[place...]) }
      guard let end = sent.map({ ($0.seq ?? 0) + ($0.count ?? 0) }).max() else { return [] }
      t.ignore().at(Double(t.now.nanoseconds) / 1e9 + 0.1).receive(.ack(end))
    }
    return []
  }

  /// A script with 200,000 bytes to send whose full segments vanished, and a first probe in flight.
  private func probing(sack: Bool = true) throws -> (script: TCPScript, probe: ScriptSegment, end: Int) {
    let t = script(sack: sack)
    t.write(200_000).ignore()
    t.at(1.4).ignore()
    #expect(t.info.segmentSize == 1_160)
    t.receive(.ack(1_161))
    let sent = acknowledge(t, until: 1_460)
    let probe = try #require(sent.first)
    let last = try #require(sent.last)
    t.ignore()
    // Everything before the probe arrived.
    t.receive(.ack(probe.seq ?? 0))
    let end = t.sent.last.map { ($0.seq ?? 0) + ($0.count ?? 0) } ?? (last.seq ?? 0) + (last.count ?? 0)
    t.ignore()
    return (t, probe, end)
  }

  @Test(
    "A claim that cannot be true is not believed", .rfc(5927, section: "7.2"), .rfc(8201, section: "4"),
    arguments: [(1_500, 1_500), (1_400, 1_400), (1_400, 1_300), (9_000, 1_500)])
  func impossible(mtu: Int, packet: Int) {
    let t = script()
    t.write(2_920).ignore()
    #expect(!tooBig(t, mtu: mtu, quoting: packet, seq: 1))
    t.expectNothing(until: 0.1)
    #expect(t.info.segmentSize == 1_460)
  }

  @Test("A claim about a size that has arrived waits, and progress refutes it", .rfc(5927, section: "7.2"))
  func refuted() {
    let t = script()
    t.write(2_920).receive(.ack(2_921)).ignore()
    t.write(2_920).ignore()
    #expect(tooBig(t, mtu: 1_000, seq: 2_921))
    t.expectNothing(until: 0.1)
    #expect(t.info.segmentSize == 1_460)
    t.receive(.ack(5_841))
    t.write(2_920)
    t.expect(.data(seq: 5_841, count: 1_460), .data(seq: 7_301, count: 1_460))
    // The refuted claim does not come back with a timeout.
    t.at(0.8).ignore()
    #expect(t.info.segmentSize == 1_460)
  }

  @Test("A claim about a size that has arrived is believed when a timeout follows", .rfc(5927, section: "7.2"))
  func confirmed() {
    let t = script()
    t.write(2_920).receive(.ack(2_921)).ignore()
    t.write(2_920).ignore()
    #expect(tooBig(t, mtu: 1_000, seq: 2_921))
    t.expectNothing(until: 0.19)
    t.at(0.2).expect(.data(seq: 2_921, count: 960))
    #expect(t.info.segmentSize == 960)
  }

  @Test("Without a word full segments fall to the base size after three timeouts", .rfc(2923, section: "2.1"))
  func blackHole() {
    let t = script()
    t.write(14_600).ignore()
    t.at(0.2).expect(.data(seq: 1, count: 1_460))
    t.at(0.6).expect(.data(seq: 1, count: 1_460))
    t.at(1.4).expect(.data(seq: 1, count: 1_160))
    t.receive(.ack(1_161))
    t.expect(.data(seq: 1_161, count: 1_160), .data(seq: 2_321, count: 1_160))
  }

  @Test("Small segments that time out say nothing about the path", .rfc(2923, section: "2.1"))
  func smallSegments() {
    let t = script()
    t.write(100).at(20)
    #expect(t.info.segmentSize == 1_460)
  }

  @Test("A connection that must not probe stays as large as it is", .rfc(1191, section: "6.5"))
  func off() {
    let t = script(policy: .off)
    t.write(14_600).at(20)
    #expect(t.info.segmentSize == 1_460)
  }

  @Test("Where not even the base size arrives, segments fall to the smallest", .rfc(8899, section: "5.2"))
  func error() {
    let t = script()
    t.write(14_600).at(13)
    #expect(t.info.segmentSize == 512)
    t.ignore().at(26)
    #expect(t.info.segmentSize == 512)
  }

  @Test(
    "A probe is one segment of data, and the next ones are as large once it has arrived", .rfc(4821, section: "7.4"))
  func probeArrives() throws {
    let (t, probe, end) = try probing()
    #expect(probe.superSegment == 0)
    t.receive(.ack(end))
    #expect(t.info.segmentSize == 1_460)
    #expect(!t.sent.isEmpty)
    #expect(t.sent.allSatisfy { $0.count == 1_460 })
  }

  @Test("A lost probe goes out again in pieces, and cwnd stays", .rfc(4821, section: "7.5"), .rfc(8899, section: "3"))
  func probeLost() throws {
    let (t, probe, end) = try probing()
    let start = try #require(probe.seq)
    let before = t.info
    t.receive(
      .ack(start, sack: start + 1_460..<start + 2_620), .ack(start, sack: start + 1_460..<start + 3_780),
      .ack(start, sack: start + 1_460..<end))
    let resent = t.sent.filter { ($0.seq ?? 0) < start + 1_460 }
    #expect(resent.map(\.seq) == [start, start + 1_160])
    #expect(resent.map(\.count) == [1_160, 300])
    #expect(t.info.congestionWindow >= before.congestionWindow)
    #expect(t.info.slowStartThreshold == before.slowStartThreshold)
    #expect(t.info.segmentSize == 1_160)
    #expect(t.connection.probing.lostProbes == 1)
    t.ignore().receive(.ack(end))
    #expect(t.info.slowStartThreshold == before.slowStartThreshold)
  }

  @Test("Without SACK three duplicates of the ACK before it show that a probe is lost", .rfc(4821, section: "7.5"))
  func probeLostWithoutSACK() throws {
    let (t, probe, end) = try probing(sack: false)
    let start = try #require(probe.seq)
    let before = t.info
    t.receive(.ack(start), .ack(start), .ack(start))
    #expect(t.sent.first?.seq == start)
    #expect(t.sent.first?.count == 1_160)
    #expect(t.info.slowStartThreshold == before.slowStartThreshold)
    #expect(t.connection.probing.lostProbes == 1)
    t.receive(.ack(end))
    #expect(t.info.slowStartThreshold == before.slowStartThreshold)
  }

  @Test("A probe lost with others is congestion, and says nothing of its size", .rfc(4821, section: "7.5"))
  func probeLostWithOthers() throws {
    let (t, probe, end) = try probing()
    let start = try #require(probe.seq)
    let before = t.info
    // The one behind the probe is lost as well.
    t.receive(.ack(start, sack: start + 2_620..<end), .ack(start, sack: start + 2_620..<end))
    t.receive(.ack(start, sack: start + 2_620..<end))
    #expect(t.info.slowStartThreshold < before.slowStartThreshold)
    #expect(t.connection.probing.lostProbes == 0)
    #expect(t.connection.probing.probe == nil)
  }

  @Test("A probe that waits for its answer is alone", .rfc(8899, section: "5.3"))
  func oneProbe() throws {
    let (t, _, _) = try probing()
    #expect(t.connection.probing.probe == 1_500)
    t.at(Double(t.now.nanoseconds) / 1e9 + 0.05).write(20_000)
    #expect(t.sent.allSatisfy { ($0.count ?? 0) <= 1_160 })
  }

  @Test("A router's answer to a probe leaves segments as large as they are", .rfc(8899, section: "4.6.2"))
  func routerAnswersProbe() throws {
    let (t, probe, end) = try probing()
    let start = try #require(probe.seq)
    #expect(tooBig(t, mtu: 1_300, seq: start))
    #expect(t.info.segmentSize == 1_160)
    t.receive(
      .ack(start, sack: start + 1_460..<start + 2_620), .ack(start, sack: start + 1_460..<start + 3_780),
      .ack(start, sack: start + 1_460..<end))
    t.ignore().receive(.ack(end))
    let sent = acknowledge(t, until: 1_260)
    #expect(sent.first?.count == 1_260)
  }

  @Test("The MSS offered is the link's, whatever the path takes", .rfc(1191, section: "3.1"), .rfc(9293, "MUST-67"))
  func offered() {
    let t = TCPScript(.connecting { $0.mss = 1_460 })
    t.change { $0.followPath(mtu: 1_300, at: .zero) }
    t.expect(.syn(mss: 1_460))
    t.receive(.synAck(mss: 1_460))
    t.ignore().write(2_520)
    t.expect(.data(seq: 1, count: 1_260), .data(seq: 1_261, count: 1_260))
  }

  @Test("What another connection learned makes segments smaller", .rfc(8201, section: "5.4"))
  func followsCache() {
    let t = script()
    t.write(2_920).ignore()
    t.change { $0.followPath(mtu: 1_040, at: .zero) }
    t.expect(.data(seq: 1, count: 1_000), .data(seq: 1_001, count: 1_000), .data(seq: 2_001, count: 920))
  }

  @Test("No probe is larger than the peer's MSS allows", .rfc(4821, section: "7.1"))
  func peerLimit() {
    let t = TCPScript(.established(mss: 1_000))
    t.change { $0.followPath(mtu: 1_500, at: .zero) }
    #expect(t.connection.probing.ceiling == 1_040)
    #expect(t.info.segmentSize == 1_000)
  }

  @Test("A connection that always probes sends base segments until one has arrived", .rfc(4821, section: "7.2"))
  func always() {
    let t = script(policy: .always)
    t.write(100_000)
    #expect(t.sent.allSatisfy { $0.count == 1_160 })
    #expect(t.sent.count == 10)
    t.ignore().receive(.ack(2_321))
    #expect(t.sent.map(\.count).first == 1_460)
    t.receive(.ack(2_321 + 8 * 1_160 + 1_460))
    #expect(t.info.segmentSize == 1_460)
  }

  /// A search on a path of 1,300 bytes before the acknowledgement of `end` completes it.
  private func almostComplete(_ end: SequenceNumber) throws -> PathProbing {
    let raise = Nanoseconds.seconds(600)
    var probing = PathProbing(policy: .onBlackHole, ceiling: 1_500)
    for _ in 0..<3 { _ = probing.timeOut(isFull: true, base: 1_200, smallest: 552) }
    _ = probing.acknowledge(end - 1, at: .zero, raiseAfter: raise)
    for _ in 0..<100 {
      let next = try #require(probing.nextProbe)
      probing.watch(next, end: end)
      if next > 1_300 {
        probing.loseProbe(at: .zero, pause: 0, raiseAfter: raise)
        continue
      }
      let before = probing
      _ = probing.acknowledge(end, at: .zero, raiseAfter: raise)
      if probing.hasNews { return before }
    }
    Issue.record("The search does not end with an acknowledgement")
    return probing
  }

  @Test(
    "What the last acknowledgement found out is told at once, not when something is sent again",
    .rfc(8201, section: "5.2"))
  func promptNews() throws {
    let t = script()
    let end = TCPScript.localBase + 10_000
    let probing = try almostComplete(end)
    var asks = false
    var hasNews = false
    t.change {
      $0.probing = probing
      asks = $0.wantsTransmit
      $0.notePathProgress(to: end, at: t.now)
      hasNews = $0.probing.hasNews
      asks = !asks && $0.wantsTransmit
    }
    #expect(hasNews)
    #expect(asks)
  }

  @Test("Progress counts wherever the numbers are", .rfc(4821, section: "7.6"), arguments: [1, 2, 3])
  func progressFarAway(gigabytes: Int) throws {
    let t = script()
    let end = TCPScript.localBase + (gigabytes << 30) + 10_000
    let probing = try almostComplete(end)
    t.change {
      $0.probing = probing
      $0.notePathProgress(to: end, at: t.now)
    }
    #expect(t.connection.probing.phase == .searchComplete)
    #expect(t.connection.probing.watched == 0)
  }

  @Test("A probe goes out when cwnd takes it and one segment behind it, not three", .rfc(4821, section: "7.4"))
  func smallWindow() {
    let t = script(policy: .always)
    t.write(11_600).ignore()
    t.receive(.ack(11_601))
    t.change { $0.sender.value.congestion.window = 1_460 + 1_160 }
    t.write(50_000)
    t.expect(.data(seq: 11_601, count: 1_460), .data(seq: 13_061, count: 1_160))
  }
}
