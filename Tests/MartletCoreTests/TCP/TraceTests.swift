import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: the trace of events", .bothVersions)
struct TCPTraceTests {
  private typealias Kind = TCPTraceEvent.Kind

  /// An established connection whose events are recorded.
  private func script(
    _ setup: TCPScript.Setup = .established(), capacity: Int = 1_000
  ) -> TCPScript {
    let t = TCPScript(setup)
    t.change { $0.startTrace(capacity: capacity, at: t.now) }
    return t
  }

  private func take(_ t: TCPScript) -> TCPTrace {
    t.connection.takeTrace() ?? TCPTrace(events: [], overwrittenCount: -1)
  }

  private func kinds(_ t: TCPScript) -> [TCPTraceEvent.Kind] { take(t).events.map(\.kind) }

  private func sent(
    _ start: Int, _ end: Int, _ reason: TCPTraceEvent.SendReason = .new
  ) -> TCPTraceEvent.Kind {
    .sent(.init(start, end), reason)
  }

  private func acknowledged(_ number: Int, _ delivered: Int, milliseconds: Int64? = nil) -> TCPTraceEvent.Kind {
    .acknowledged(
      number, delivered: delivered, roundTrip: .init(nanoseconds: milliseconds.map { $0 * 1_000_000 } ?? -1))
  }

  @Test("What is sent and acknowledged is told, with times and what holds after it")
  func plain() {
    let t = script()
    t.at(1).write(2_500)
    t.at(1.05).receive(.ack(1_001))
    t.at(1.1).receive(.ack(2_001))
    let events = take(t).events
    #expect(
      events.map(\.kind) == [
        sent(1, 1_001), sent(1_001, 2_001), sent(2_001, 2_501), acknowledged(1_001, 1_000, milliseconds: 50),
        acknowledged(2_001, 1_000, milliseconds: 100),
      ])
    #expect(events.map(\.time.nanoseconds) == [1_000, 1_000, 1_000, 1_050, 1_100].map { $0 * 1_000_000 })
    #expect(events.map(\.bytesInFlight) == [1_000, 2_000, 2_500, 1_500, 500])
    #expect(events.map(\.unacknowledged) == [1, 1, 1, 1_001, 2_001])
    #expect(events.map(\.windowEdge) == [65_536, 65_536, 65_536, 66_536, 67_536])
    #expect(events[0].congestionWindow == 10_000)
    #expect(events[4].congestionWindow == 10_000)
    #expect(take(t).events.isEmpty)
  }

  @Test("Nothing is recorded unless it is asked for, and nothing after it is no longer wanted")
  func off() {
    let t = TCPScript()
    t.write(1_000)
    var trace = t.connection.takeTrace()
    #expect(trace == nil)
    t.change { $0.startTrace(capacity: 10, at: t.now) }
    t.at(0.1).receive(.ack(1_001))
    t.write(1_000)
    t.change { $0.stopTrace() }
    t.at(0.2).receive(.ack(2_001))
    trace = t.connection.takeTrace()
    #expect(trace == nil)
  }

  @Test("A full ring keeps the newest events and counts what it overwrote")
  func ring() {
    let t = script(capacity: 4)
    for number in 0..<3 {
      t.at(Double(number)).write(1_000)
      t.at(Double(number) + 0.1).receive(.ack(1_001 + 1_000 * number))
    }
    let trace = take(t)
    #expect(
      trace.events.map(\.kind) == [
        sent(1_001, 2_001), acknowledged(2_001, 1_000, milliseconds: 100), sent(2_001, 3_001),
        acknowledged(3_001, 1_000, milliseconds: 100),
      ])
    #expect(trace.overwrittenCount == 2)
    #expect(take(t).overwrittenCount == 0)
  }

  @Test("SACK shows a loss; what goes out again says why, and the recovery has a beginning and an end")
  func reordering() {
    let t = script()
    t.write(5_000)
    _ = take(t)
    t.at(0.1).receive(.ack(1, sack: 1_001..<5_001))
    t.at(0.15).receive(.ack(5_001))
    #expect(
      kinds(t) == [
        .held(.init(1_001, 5_001)), acknowledged(1, 4_000, milliseconds: 100),
        .lost(.init(1, 1_001), .reordering), .recoveryBegan, .phase(.avoidance), sent(1, 1_001, .reordering),
        acknowledged(5_001, 1_000), .recoveryEnded,
      ])
  }

  @Test("Three duplicates without SACK show a loss, a partial acknowledgement the next")
  func duplicates() {
    let t = script(.established(sack: false))
    t.write(5_000)
    _ = take(t)
    t.at(0.1).receive(.ack(1), .ack(1), .ack(1))
    t.at(0.15).receive(.ack(1_001))
    let kinds = kinds(t)
    #expect(kinds.filter { $0 == acknowledged(1, 0) }.count == 3)
    #expect(kinds.contains(.lost(.init(1, 1_001), .duplicates)))
    #expect(kinds.contains(sent(1, 1_001, .duplicates)))
    #expect(kinds.contains(.lost(.init(1_001, 2_001), .partialAcknowledgment)))
    #expect(kinds.contains(sent(1_001, 2_001, .partialAcknowledgment)))
  }

  @Test("A timeout is told before what it takes for lost; forward recovery undoes it")
  func timeout() {
    let t = script(.established(initialWindow: 2))
    t.write(6_000)
    _ = take(t)
    t.at(0.25)
    let first = kinds(t)
    #expect(
      first.prefix(3) == [.timedOut(1), .lost(.init(1, 2_001), .timeout), sent(1, 1_001, .timeout)])
    t.at(0.26).receive(.ack(1_001))
    #expect(kinds(t).contains(sent(2_001, 3_001)))
    t.at(0.27).receive(.ack(2_001))
    #expect(kinds(t).contains(.undone(.forwardTimeout)))
    #expect(t.info.undoneRecoveries == 1 && t.info.timeouts == 1)
  }

  @Test("A duplicate report undoes a recovery")
  func duplicateReport() {
    let t = script()
    t.write(5_000)
    t.at(0.1).receive(.ack(1, sack: 1_001..<5_001))
    _ = take(t)
    t.at(0.15).receive(.ack(3_001, sack: 1..<1_001, 3_001..<5_001))
    let kinds = kinds(t)
    #expect(kinds.contains(.duplicate(.init(1, 1_001))))
    #expect(kinds.contains(.undone(.duplicates)))
    #expect(t.info.undoneRecoveries == 1)
  }

  @Test("A timestamp of the first transmission undoes a recovery")
  func timestamp() {
    let t = script(.established(timestamps: true))
    t.at(0.1).write(5_000)
    t.at(0.2).receive(.ack(1, sack: 989..<4_941, timestamp: 1_001, echo: 100))
    _ = take(t)
    // What the peer echoes was sent with the first transmission, at 0.1.
    t.at(0.25).receive(.ack(4_941, timestamp: 1_002, echo: 100))
    #expect(kinds(t).contains(.undone(.timestamp)))
  }

  @Test("A tail-loss probe says that it is one")
  func lossProbe() {
    let t = script(.established { $0.configuration.tailLossProbes = true })
    t.write(1_000)
    t.at(0.1).receive(.ack(1_001))
    t.write(1_000)
    _ = take(t)
    t.at(0.4)
    #expect(kinds(t) == [sent(1_001, 2_001, .tailLossProbe)])
    #expect(t.info.tailLossProbes == 1)
  }

  @Test("A closed window is told, and the probes of it")
  func window() {
    let t = script()
    t.write(1_000)
    t.at(0.1).receive(.ack(1_001, window: 0))
    t.write(500)
    _ = t.at(0.5)
    let kinds = kinds(t)
    #expect(kinds.contains(.window(0)))
    #expect(kinds.contains(sent(1_001, 1_002, .windowProbe)))
  }

  @Test("The SYN is byte 0, and goes out again after a timeout")
  func opening() {
    let t = TCPScript(.connecting())
    t.change { $0.startTrace(capacity: 10, at: t.now) }
    t.at(1.1)
    #expect(kinds(t) == [sent(0, 1), .timedOut(1), sent(0, 1, .timeout)])
  }

  @Test("Numbers do not wrap")
  func wrap() {
    var ring = TCPTraceRing(
      capacity: 1, initialSend: SequenceNumber(0xffff_ff00), unacknowledged: SequenceNumber(0xffff_ff00), at: .zero)
    for step in 1...9 {
      let place = ring.place(of: SequenceNumber(0xffff_ff00) + step * (1 << 30))
      #expect(place == step << 30)
    }
    let before = ring.place(of: SequenceNumber(0xffff_fe00) + 9 * (1 << 30))
    #expect(before == (9 << 30) - 256)
  }

  @Test("A mark that a router made is told")
  func mark() {
    let t = script(.connecting { $0.configuration.ecn = .on })
    t.change { _ in }
    t.at(0.1).receive(TCPCongestionMarkTests.agreeing)
    t.write(3_000)
    t.at(0.2).receive(.ack(1_001).with { $0.flags.insert(.ece) })
    #expect(kinds(t).contains(.congestionMarked))
  }

  @Test("A smaller path is why what was too big goes out again", .rfc(1191, section: "6.5"))
  func pathMTU() {
    let t = script(.established(mss: 1_400))
    t.write(2_800)
    _ = take(t)
    t.change { $0.followPath(mtu: 1_000, at: t.now) }
    let kinds = kinds(t)
    #expect(kinds.contains(.lost(.init(1, 2_801), .pathMTU)))
    #expect(kinds.contains { if case .sent(_, .pathMTU) = $0 { true } else { false } })
  }

  @Test("A host records for those that it has, and no more for one that is gone")
  func host() throws {
    var net = try TwoHosts()
    let pair = try net.connection(.v4)
    #expect(try net.a.takeTrace(of: pair.client) == nil)
    try net.a.startTrace(of: pair.client, capacity: 8)
    let bytes = [UInt8](repeating: 1, count: 10)
    _ = try unsafe net.a.write(bytes.span.bytes, to: pair.client, at: net.now)
    net.exchange()
    let trace = try #require(try net.a.takeTrace(of: pair.client))
    #expect(trace.events.map(\.kind).first == sent(1, 11))
    try net.a.stopTrace(of: pair.client)
    #expect(try net.a.takeTrace(of: pair.client) == nil)
    let listener = pair.listener
    #expect(throws: SocketError.notASocket) { try net.b.startTrace(of: listener) }
  }
}
