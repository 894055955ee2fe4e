import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: windows, both ways", .bothVersions)
struct TCPWindowScripts {
  // MARK: What we offer

  @Test("A program that reads nothing keeps the window at zero, probe after probe", .rfc(9293, "MAY-8"))
  func closedForEver() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 1_000 })
    t.receive(.data(seq: 1, count: 1_000, ack: 1)).at(1).ignore()
    for minute in 1...100 {
      t.at(Double(minute) * 60).receive(.data(seq: 1_001, count: 1, ack: 1))
      t.expect(.ack(1_001, window: 0))
    }
    t.expectState(.established)
    #expect(t.read() == .bytes(1_000))
    t.expect(.ack(1_001, window: 1_000))
  }

  @Test("A probe of the last free byte is taken", .rfc(9293, section: "3.8.6.1"))
  func probeFits() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 1_001 })
    t.receive(.data(seq: 1, count: 1_000, ack: 1)).at(1).ignore()
    t.receive(.data(seq: 1_001, count: 1, ack: 1)).at(2)
    t.expect(.ack(1_002, window: 0))
    #expect(t.read() == .bytes(1_001))
  }

  @Test("A segment at the right edge is acceptable by its first byte, the rest is cut off", .rfc(9293, section: "3.4"))
  func acrossEdge() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 1_000 })
    t.receive(.data(seq: 1, count: 600, ack: 1), .data(seq: 601, count: 600, ack: 1))
    t.expect(.ack(1_001, window: 0))
    #expect(t.read() == .bytes(1_000))
  }

  @Test("A segment that begins at the right edge is not acceptable", .rfc(9293, section: "3.4"))
  func atEdge() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 1_000 })
    t.receive(.data(seq: 1_001, count: 1, ack: 1))
    t.expectDrops(.tcpOutsideWindow)
    t.expect(.ack(1))
  }

  @Test("The last byte of the window is acceptable", .rfc(9293, section: "3.4"))
  func lastByte() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 1_000 })
    t.receive(.data(seq: 1_000, count: 1, ack: 1))
    t.expectDrops()
    #expect(t.info.outOfOrderByteCount == 1)
  }

  @Test(
    "An empty segment is acceptable up to the last byte of the window", .rfc(9293, section: "3.4"),
    arguments: [(1_000, true), (1_001, false)])
  func emptySegment(place: Int, isAcceptable: Bool) {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 1_000 })
    t.receive(.ack(1, seq: place))
    if isAcceptable { t.expectDrops() } else { t.expectDrops(.tcpOutsideWindow) }
  }

  @Test("With a closed window an empty segment at RCV.NXT is acceptable, and text is not", .rfc(9293, section: "3.4"))
  func closedWindow() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 1_000 })
    t.receive(.data(seq: 1, count: 1_000, ack: 1)).at(1).ignore()
    t.receive(.ack(1, seq: 1_001))
    t.expectDrops()
    t.expectNothing()
    t.receive(.data(seq: 1_001, count: 5, ack: 1))
    t.expectDrops(.tcpOutsideWindow)
    t.expect(.ack(1_001, window: 0))
  }

  @Test("A FIN finds place even when the window is closed to text", .rfc(9293, section: "3.10.7.4"))
  func finBehindLastByte() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 1_000 })
    t.receive(.fin(seq: 1, count: 999, ack: 1))
    t.expectState(.closeWait)
    #expect(t.read() == .bytes(999))
    #expect(t.read() == .endOfStream)
  }

  @Test("Reading a little of a full buffer offers nothing new, reading half of it does", .rfc(9293, "MUST-39"))
  func halfOfBuffer() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 2_000 })
    t.receive(.data(seq: 1, count: 1_000, ack: 1), .data(seq: 1_001, count: 1_000, ack: 1)).ignore()
    t.read(900)
    t.expectNothing(until: 10)
    t.read(100)
    t.expect(.ack(2_001, window: 1_000))
  }

  @Test("An ACK that goes out anyway offers no sliver", .rfc(9293, "MUST-39"))
  func noSliver() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 4_000 })
    for place in 0..<4 { t.receive(.data(seq: 1 + place * 1_000, count: 1_000, ack: 1)) }
    t.ignore().read(500)
    t.write(10)
    t.expect(.data(seq: 1, count: 10, ack: 4_001, window: 0))
  }

  @Test("What came out of order takes nothing off the window's right edge", .rfc(9293, "SHLD-14"))
  func edgeStays() {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 10_000 })
    t.receive(.data(seq: 2_001, count: 1_000, ack: 1))
    t.expect(.ack(1, window: 10_000))
    t.receive(.data(seq: 5_001, count: 1_000, ack: 1))
    t.expect(.ack(1, window: 10_000))
    t.receive(.data(seq: 1, count: 2_000, ack: 1))
    t.expect(.ack(3_001, window: 7_000))
  }

  @Test("Windows that we offer above 65,535 are scaled, and none before", .rfc(7323, section: "2.2"))
  func offeredScale() {
    let t = TCPScript(.connecting { $0.options.receiveBufferByteCount = 1 << 20 })
    t.change { _ in }
    t.expect(.syn(scale: 5, window: 65_535))
    t.receive(.synAck(mss: 1_000, scale: 0))
    t.expect(.ack(1, window: 32_768))
  }

  @Test("If the peer offers no scale ours is not used", .rfc(7323, section: "2.2"))
  func scaleIsMutual() {
    let t = TCPScript(.connecting { $0.options.receiveBufferByteCount = 1 << 20 })
    t.change { _ in }
    t.ignore().receive(.synAck(mss: 1_000))
    t.expect(.ack(1, window: 65_535))
    t.receive(.ack(1, window: 1_000))
    #expect(t.info.sendWindow == 1_000)
  }

  @Test(
    "Without a scale nothing past the 65,535 bytes that were offered is taken", .rfc(9293, section: "3.4"),
    arguments: [(65_535, true), (65_536, false)])
  func offeredIsAll(place: Int, isTaken: Bool) {
    let t = TCPScript(.established { $0.options.receiveBufferByteCount = 1 << 20 })
    t.write(10).ignore()
    t.receive(.data(seq: place, count: 1, ack: 1))
    if isTaken { t.expectDrops() } else { t.expectDrops(.tcpOutsideWindow) }
  }

  @Test("A SYN without the option is answered without it", .rfc(7323, section: "2.2"))
  func answerWithoutScale() {
    let t = TCPScript(.accepting())
    t.change { _ in }
    #expect(t.sent.map(\.scale) == [nil])
  }

  @Test("A window scale in a segment without SYN is ignored", .rfc(7323, section: "2.2"))
  func scaleOutsideSYN() {
    let t = TCPScript(.established(scale: 2))
    t.receive(.ack(1, window: 100).with { $0.scale = 7 })
    #expect(t.info.sendWindow == 400)
  }

  @Test("Scales from 0 to 14 multiply the peer's window", .rfc(7323, section: "2.2"), arguments: [0, 1, 7, 13, 14])
  func peerScale(scale: Int) {
    let t = TCPScript(.established(scale: scale))
    t.receive(.ack(1, window: 1_000))
    #expect(t.info.sendWindow == 1_000 << scale)
  }

  @Test(
    "The buffer decides the scale that we offer", .rfc(7323, section: "2.3"),
    arguments: [(65_535, 0), (65_536, 1), (1 << 20, 5), (1 << 30, 14)])
  func scaleOfBuffer(buffer: Int, scale: Int) {
    let t = TCPScript(.connecting { $0.options.receiveBufferByteCount = buffer })
    t.change { _ in }
    #expect(t.sent.map(\.scale) == [scale])
  }

  // MARK: What the peer offers

  @Test("Text stops at the right edge of the peer's window", .rfc(9293, section: "3.8.6"))
  func stopsAtEdge() {
    let t = TCPScript(.established(window: 2_500))
    t.write(5_000)
    t.expect(.data(seq: 1, count: 1_000), .data(seq: 1_001, count: 1_000))
    t.receive(.ack(1_001, window: 2_500))
    t.expect(.data(seq: 2_001, count: 1_000))
  }

  @Test("An open window of less than a segment takes what there is, if that is all", .rfc(9293, "MUST-38"))
  func smallWindowTakesAll() {
    let t = TCPScript(.established(window: 600))
    t.write(500)
    t.expect(.data(seq: 1, count: 500, push: true))
  }

  @Test(
    "Half of the largest window is worth a segment, less is not", .rfc(9293, "MUST-38"),
    arguments: [(500, true), (499, false)])
  func halfOfLargest(window: Int, goes: Bool) {
    let t = TCPScript(.established(window: 1_000))
    t.write(3_000)
    t.expect(.data(seq: 1, count: 1_000))
    t.receive(.ack(1_001, window: window))
    if goes { t.expect(.data(seq: 1_001, count: window)) } else { t.expectNothing() }
  }

  @Test("A window update lets out what waited", .rfc(9293, section: "3.10.7.4"))
  func windowUpdate() {
    let t = TCPScript(.established(window: 1_000))
    t.write(2_000).receive(.ack(1_001, window: 0)).ignore()
    t.receive(.ack(1_001, window: 1_000))
    t.expect(.data(seq: 1_001, count: 1_000))
  }

  @Test("Of two updates the one with the higher sequence number wins", .rfc(9293, section: "3.10.7.4"))
  func newestSequenceWins() {
    let t = TCPScript()
    t.receive(.data(seq: 1, count: 10, ack: 1, window: 500)).receive(.ack(1, seq: 1, window: 900))
    #expect(t.info.sendWindow == 500)
  }

  @Test("At one sequence number the higher acknowledgement wins", .rfc(9293, section: "3.10.7.4"))
  func newestAcknowledgmentWins() {
    let t = TCPScript()
    t.write(2_000).receive(.ack(2_001, window: 700)).receive(.ack(1_001, window: 9_000))
    #expect(t.info.sendWindow == 700)
  }

  @Test("A closed window holds back a FIN that follows text", .rfc(9293, section: "3.8.6"))
  func finWaits() {
    let t = TCPScript(.established(window: 1_000))
    t.write(1_500).receive(.ack(1_001, window: 0)).ignore().close()
    t.expectNothing()
    t.receive(.ack(1_001, window: 1_000))
    t.expect(.fin(seq: 1_001, count: 500))
  }

  @Test("A closed window is probed in CLOSE-WAIT too", .rfc(9293, "MUST-36"))
  func probeInCloseWait() {
    let t = TCPScript(.established(window: 1_000))
    t.receive(.fin(seq: 1, ack: 1)).write(2_000).receive(.ack(1_001, window: 0)).ignore()
    t.at(0.3).expect(.data(seq: 1_001, count: 1))
  }

  @Test("... and when a FIN waits behind the text", .rfc(9293, "MUST-36"))
  func probeInFinWait1() {
    let t = TCPScript(.established(window: 1_000))
    t.write(2_000).close().receive(.ack(1_001, window: 0)).ignore()
    t.expectState(.finWait1)
    t.at(0.3).expect(.data(seq: 1_001, count: 1))
  }

  @Test("A window closed from the start is probed", .rfc(9293, "MUST-36"))
  func closedFromStart() {
    let t = TCPScript(.established(window: 0))
    t.write(100)
    t.expectNothing(until: 0.199)
    t.at(0.2).expect(.data(seq: 1, count: 1))
    t.receive(.ack(1, window: 100))
    t.expect(.data(seq: 1, count: 100))
  }

  @Test("Nothing is probed when nothing waits", .rfc(9293, "MUST-36"))
  func nothingToProbe() {
    let t = TCPScript(.established(window: 1_000))
    t.write(1_000).receive(.ack(1_001, window: 0)).ignore()
    t.expectNothing(until: 1_000)
  }

  @Test("The time between probes doubles up to the longest timeout", .rfc(9293, "SHLD-30"))
  func probesBackOff() {
    let t = TCPScript(.established(window: 1_000) { $0.configuration.maximumRetransmissionTimeout = .seconds(10) })
    t.write(2_000).receive(.ack(1_001, window: 0)).ignore()
    var last = 0.0
    var spans: [Double] = []
    for _ in 0..<10 {
      guard let deadline = t.deadline else { break }
      t.at(deadline).ignore().receive(.ack(1_001, window: 0))
      spans.append(((deadline - last) * 1_000).rounded() / 1_000)
      last = deadline
    }
    #expect(spans == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10, 10, 10])
  }

  @Test("A window that is taken back and given again loses no byte", .rfc(9293, "MUST-34"))
  func shrinksAndGrows() {
    let t = TCPScript(.established(sack: false, window: 3_000))
    t.write(5_000).ignore()
    t.receive(.ack(1_001, window: 500))
    t.expectNothing()
    t.receive(.ack(3_001, window: 3_000))
    t.expect(.data(seq: 3_001, count: 1_000), .data(seq: 4_001, count: 1_000))
  }

  // MARK: Nagle and pushes

  @Test("Nagle: what waits goes with the data of the next write once it fills a segment", .rfc(9293, "SHLD-7"))
  func nagleFills() {
    let t = TCPScript()
    t.write(100).write(100).write(850)
    t.expect(.data(seq: 1, count: 100))
    t.write(60)
    t.expect(.data(seq: 101, count: 1_000))
  }

  @Test("Nagle: a small segment that follows a full one does not wait for it", .rfc(9293, "SHLD-7"))
  func nagleAfterFull() {
    let t = TCPScript()
    t.write(1_000).write(10)
    t.expect(.data(seq: 1, count: 1_000), .data(seq: 1_001, count: 10))
  }

  @Test("Nagle: what was written before a close does not wait", .rfc(9293, "SHLD-7"))
  func nagleAndClose() {
    let t = TCPScript()
    t.write(10).write(10).close()
    t.expect(.data(seq: 1, count: 10), .fin(seq: 11, count: 10))
  }

  @Test("Switching Nagle off lets out what waits", .rfc(9293, "MUST-17"))
  func noDelayLater() {
    let t = TCPScript()
    t.write(10).write(10).ignore()
    t.change { $0.noDelay = true }
    t.expect(.data(seq: 11, count: 10))
    t.change { $0.noDelay = false }.write(10)
    t.expectNothing()
  }

  @Test(
    "Several writes make one segment with one PSH", .rfc(9293, "SHLD-27"), .rfc(9293, "MAY-16"))
  func pushesMerge() {
    let t = TCPScript()
    t.write(10).write(20).write(30).write(40)
    t.expect(.data(seq: 1, count: 10, push: true))
    t.receive(.ack(11))
    t.expect(.data(seq: 11, count: 90, push: true))
  }
}
