import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: a connection's numbers", .bothVersions)
struct TCPInfoTests {
  // MARK: Why it waits

  @Test("Before the handshake is done it waits for that")
  func handshake() {
    let t = TCPScript(.connecting())
    #expect(t.info.waiting == .handshake)
    t.write(100)
    #expect(t.info.waiting == .handshake)
  }

  @Test("With everything sent there is nothing to send, acknowledged or not, before and after the end")
  func nothing() {
    let t = TCPScript()
    #expect(t.info.waiting == .nothingToSend)
    t.write(100)
    #expect(t.info.waiting == .nothingToSend)
    #expect(t.info.unacknowledgedByteCount == 100)
    t.shutdown()
    #expect(t.info.waiting == .nothingToSend)
    t.at(0.1).receive(.ack(102))
    t.expectState(.finWait2)
    #expect(t.info.waiting == .nothingToSend)
  }

  @Test("A closed window, a window that is used up, and one too small for a segment are three things")
  func windows() {
    let t = TCPScript(.established(initialWindow: 50, window: 3_500))
    t.write(10_000)
    #expect(t.info.waiting == .receiveWindow)
    t.at(0.1).receive(.ack(3_001, window: 0))
    #expect(t.info.waiting == .closedWindow)
    t.at(0.2).receive(.ack(3_001, window: 900))
    #expect(t.info.waiting == .smallWindow)
    t.at(0.21).receive(.ack(3_001, window: 60_000))
    #expect(t.info.waiting == .nothingToSend)
  }

  @Test("A congestion window that is in flight holds the rest back")
  func congestionWindow() {
    let t = TCPScript(.established(initialWindow: 4))
    t.write(10_000)
    #expect(t.info.waiting == .congestionWindow)
    #expect(t.info.bytesInFlight == 4_000)
  }

  @Test("A small segment waits for the acknowledgement of another, or because the program says so")
  func small() {
    let t = TCPScript()
    t.write(100).write(100)
    #expect(t.info.waiting == .nagle)
    t.at(0.1).receive(.ack(101))
    #expect(t.info.waiting == .nothingToSend)
    t.at(0.2).receive(.ack(201))
    t.change { $0.isCorked = true }
    t.write(100)
    #expect(t.info.waiting == .cork)
    t.change { $0.isCorked = false }
    #expect(t.info.waiting == .nothingToSend)
  }

  @Test("A paced sender waits for the next segment's time")
  func pacing() {
    let t = TCPScript(.established(initialWindow: 12) { $0.configuration.pacing = true })
    t.write(1_000)
    t.at(0.1).receive(.ack(1_001))
    t.write(12_000)
    #expect(t.info.waiting == .pacing)
    #expect(t.info.pacingRate.map { $0 > 0 } == true)
  }

  @Test("What is lost goes first")
  func retransmission() {
    let t = TCPScript(.established(initialWindow: 5))
    t.write(8_000)
    t.at(0.25)
    #expect(t.info.waiting == .retransmission)
    #expect(t.info.congestionPhase == .timeout)
    #expect(t.info.lostByteCount == 5_000)
    #expect(t.info.timeouts == 1)
  }

  @Test("Nothing but the host's turn holds back what was just written")
  func turn() throws {
    let t = TCPScript()
    let bytes = [UInt8](repeating: TCPScript.byte(at: 1), count: 1)
    _ = try unsafe t.connection.write(bytes.span.bytes, from: t.pool, at: t.now)
    #expect(t.info.waiting == .turn)
  }

  // MARK: Counts

  @Test("What was delivered, sent again and lost is counted, and stays known when all is acknowledged")
  func counts() {
    let t = TCPScript()
    t.write(5_000)
    t.at(0.1).receive(.ack(1, sack: 1_001..<5_001))
    var info = t.info
    #expect(info.deliveredByteCount == 4_000)
    #expect(info.bytesInFlight == 1_000)
    #expect(info.unacknowledgedByteCount == 5_000)
    #expect(info.congestionPhase == .recovery)
    #expect(info.minimumRoundTrip == .milliseconds(100))
    #expect(info.deliveryRate != nil)
    t.at(0.15).receive(.ack(5_001))
    t.shutdown()
    t.at(0.2).receive(.ack(5_002))
    t.expectState(.finWait2)
    info = t.info
    #expect(info.deliveredByteCount == 5_000)
    #expect(info.retransmittedSegments == 1 && info.retransmittedByteCount == 1_000)
    #expect(info.lostByteCount == 1_000)
    #expect(info.congestionWindow == 0 && info.bytesInFlight == 0)
  }

  @Test("A connection to which nothing happened knows what it delivered, too")
  func plainCounts() {
    let t = TCPScript()
    #expect(t.info.deliveredByteCount == 0)
    t.write(3_000)
    t.at(0.1).receive(.ack(3_001))
    #expect(t.info.deliveredByteCount == 3_000)
    t.shutdown()
    t.at(0.2).receive(.ack(3_002))
    #expect(t.info.deliveredByteCount == 3_000)
    #expect(t.info.retransmittedByteCount == 0 && t.info.lostByteCount == 0)
  }

  @Test("The algorithm is named, and BBR tells its mode and its picture of the path")
  func algorithm() {
    let t = TCPScript(.established { $0.configuration.congestionControl = .bbr })
    t.write(5_000)
    #expect(t.info.congestionControl == .bbr)
    #expect(t.info.congestionPhase == .startup)
    t.at(0.1).receive(.ack(5_001))
    #expect(t.info.pathModel?.minimumRoundTrip == .milliseconds(100))
    let plain = TCPScript()
    #expect(plain.info.congestionControl == .newReno)
    #expect(plain.info.congestionPhase == .slowStart)
    #expect(plain.info.pathModel == nil)
  }
}
