import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Flow control: a program that reads slowly holds the sender back.
  static let slowReader = Scenario(
    "slow-reader", "the reader takes 2,000 bytes each 100 ms: its window closes, the sender waits"
  ) { stage in
    let buffer = 16_384
    let world = try stage.world { world in
      world.host("sender") { $0.tuning = .textbook }
      world.host("reader") {
        $0.tuning = .textbook
        $0.tuning.receiveBuffer = buffer
      }
      world.wire("sender", "reader", LinkDirection(rate: 10_000_000, delay: .milliseconds(5), mtu: 1_040), name: "line")
    }
    let (sender, reader) = (try world.host("sender"), try world.host("reader"))
    let address = SocketAddress(try world.address(of: "reader"), port: 5_000)
    let byteCount = 60_000
    let got = try world.runAndWait { () -> Int in
      _ = try await sender.ping(address.address)
      let listener = try reader.listen(on: 5_000)
      let slow = reader.loop.task { () -> Int in
        let connection = try await listener.accept()
        defer { connection.close() }
        var count = 0
        while true {
          let bytes = try await connection.read(upTo: 2_000)
          if bytes.isEmpty { return count }
          count += bytes.count
          try await reader.loop.clock.sleep(for: .milliseconds(100))
        }
      }
      try await Transfer.send(byteCount, from: sender, to: address)
      return try await slow.value
    }
    let lost = try world.counters(of: "line").reduce(0) { $0 + $1.lost }
    let recording = world.finish()
    let samples = recording.flows.flatMap(\.samples)
    let sent = samples.filter(\.isClient)
    let received = samples.filter { !$0.isClient }
    var rows = [["time", "the sender may send", "in flight", "the reader has not read"]]
    for step in stride(from: Int64(0), through: 3_000, by: 200) {
      let time = step * 1_000_000
      guard let left = sent.last(where: { $0.time <= time }) else { continue }
      let right = received.last { $0.time <= time }
      rows.append([
        milliseconds(time), "\(left.receiveWindow)", "\(left.inFlight)", "\(right?.receiveQueue ?? 0)",
      ])
    }
    stage.table(rows)
    stage.check(got == byteCount, "all \(byteCount) bytes were read")
    let most = received.map(\.receiveQueue).max() ?? 0
    stage.check(most <= buffer, "never more than the buffer's \(buffer) bytes waited (at most \(most))")
    let closed = sent.contains { $0.receiveWindow < 1_000 }
    stage.check(closed, "the window closed, or took no full segment")
    stage.check(lost == 0, "and nothing was lost for it")
    return recording
  }
}
