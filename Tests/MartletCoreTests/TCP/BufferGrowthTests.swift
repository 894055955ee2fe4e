import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: buffers that grow")
struct TCPBufferGrowthTests {
  /// A connection whose buffers may grow from 64 KiB to 512 KiB.
  private func script(timestamps: Bool = true, _ change: (inout TCPScript.Setup) -> Void = { _ in }) -> TCPScript {
    TCPScript(
      .established(timestamps: timestamps, scale: 7) {
        $0.configuration.receiveBufferByteCount = 65_536
        $0.configuration.maximumReceiveBufferByteCount = 524_288
        $0.configuration.sendBufferByteCount = 65_536
        $0.configuration.maximumSendBufferByteCount = 524_288
        change(&$0)
      })
  }

  /// The peer fills the window in each of `rounds` round trips of 100 ms, in segments of 10,000 bytes.
  private func fill(_ t: TCPScript, rounds: Int, reads: Bool = true, timestamps: Bool = true) {
    var next = 1
    for round in 1...rounds {
      let milliseconds = UInt32(round * 100)
      t.at(Double(round) / 10)
      var room = t.info.receiveWindow
      while room >= 10_000 {
        t.receive(
          .data(
            seq: next, count: 10_000, timestamp: timestamps ? 1_000 + milliseconds : nil,
            echo: timestamps ? milliseconds - 100 : nil))
        next += 10_000
        room -= 10_000
      }
      if reads { t.read() }
    }
    t.ignore()
  }

  @Test("The window grows to its bound while the program reads all that comes", arguments: [true, false])
  func grows(timestamps: Bool) {
    let t = script(timestamps: timestamps)
    fill(t, rounds: 12, timestamps: timestamps)
    let window = t.info.receiveWindow
    #expect(window > 500_000 && window <= 524_288)
  }

  @Test("A program that does not read makes no buffer grow")
  func slowReader() {
    let t = script()
    fill(t, rounds: 12, reads: false)
    #expect(t.connection.limits.receiveBuffer == 65_536)
    #expect(t.info.receiveQueueByteCount <= 65_536)
  }

  @Test("A little in every round trip makes no buffer grow")
  func trickle() {
    let t = script()
    for round in 1...50 {
      t.at(Double(round) / 10).receive(
        .data(
          seq: 1 + (round - 1) * 5_000, count: 5_000, timestamp: 1_000 + UInt32(round), echo: UInt32(round - 1) * 100))
      t.read()
    }
    #expect(t.connection.limits.receiveBuffer == 65_536)
  }

  @Test("A round trip too short for the clock says nothing")
  func shortRoundTrip() {
    let t = script()
    for round in 1...50 {
      t.at(Double(round) / 1_000).receive(
        .data(seq: 1 + (round - 1) * 50_000, count: 50_000, timestamp: 1_000 + UInt32(round), echo: UInt32(round - 1)))
      t.read()
    }
    #expect(t.connection.limits.receiveBuffer == 65_536)
  }

  @Test("A receive buffer that the program chose stays as it is")
  func chosenReceiveBuffer() {
    let t = script { $0.options.receiveBufferByteCount = 50_000 }
    fill(t, rounds: 12)
    #expect(t.connection.limits.receiveBuffer == 50_000)
  }

  @Test("The window's scale is made for the largest buffer", .rfc(7323, section: "2.3"))
  func scale() {
    for (most, scale) in [(1 << 20, 5), (8 << 20, 8), (64 << 20, 11), (1 << 30, 14)] {
      let t = TCPScript(.connecting { $0.configuration.maximumReceiveBufferByteCount = most })
      t.change { _ in }
      t.expect(.syn(scale: scale))
    }
    let t = TCPScript(.connecting { $0.options.receiveBufferByteCount = 65_535 })
    t.change { _ in }
    t.expect(.syn(scale: 0))
  }

  @Test("The send buffer grows to twice the congestion window while that holds the program back")
  func sendBuffer() {
    let t = script { $0.peerWindow = 65_535 }
    var acknowledged = 1
    var buffer = 65_536
    for round in 1...12 {
      t.at(Double(round) / 10)
      t.write(1 << 20)
      let end = acknowledged + t.info.bytesInFlight
      while acknowledged < end {
        acknowledged = min(end, acknowledged + 2_000)
        t.receive(.ack(acknowledged, timestamp: 1_000 + UInt32(round) * 100, echo: UInt32(round) * 100))
      }
      let grown = Int(t.connection.limits.sendBuffer)
      #expect(grown >= buffer)
      buffer = grown
      t.ignore()
    }
    #expect(buffer == 524_288)
    #expect(t.info.congestionWindow * 2 >= buffer)
  }

  @Test("A program that fills a send buffer before the window is open is told when there is room")
  func writableAfterGrowth() {
    let t = script()
    t.write(1 << 20)
    _ = t.changes()
    #expect(t.connection.sendRoom == 0)
    var acknowledged = 1
    for round in 1...3 {
      t.at(Double(round) / 10)
      let end = acknowledged + t.info.bytesInFlight
      while acknowledged < end {
        acknowledged = min(end, acknowledged + 2_000)
        t.receive(.ack(acknowledged, timestamp: 1_000 + UInt32(round) * 100, echo: UInt32(round) * 100))
      }
    }
    #expect(t.changes().contains(.writable))
    #expect(t.connection.sendRoom > 0)
  }

  @Test(
    "A send buffer that the program chose, or whose window is not the limit, stays as it is", arguments: [true, false])
  func sendBufferStays(isChosen: Bool) {
    let t = script { if isChosen { $0.options.sendBufferByteCount = 65_536 } }
    var acknowledged = 1
    for round in 1...100 {
      t.at(Double(round) / 10)
      t.write(isChosen ? 1 << 20 : 1_000)
      acknowledged += t.info.bytesInFlight
      t.receive(.ack(acknowledged, timestamp: 1_000 + UInt32(round) * 100, echo: UInt32(round) * 100))
      t.ignore()
    }
    #expect(t.connection.limits.sendBuffer == 65_536)
  }
}
