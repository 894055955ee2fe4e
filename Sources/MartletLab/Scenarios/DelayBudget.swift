import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Kurose and Ross, chapter 1: processing, queueing, transmission and propagation at every hop.
  static let delayBudget = Scenario(
    "delay-budget",
    "where the time of a packet goes: processing, queueing, transmission and propagation, to the nanosecond"
  ) { stage in
    let world = try stage.world { world in
      world.host("sender")
      world.router("r1") { $0.processing = .microseconds(30) }
      world.router("r2") { $0.processing = .microseconds(50) }
      world.host("receiver")
      world.wire("sender", "r1", LinkDirection(rate: 100_000_000, delay: .microseconds(7)))
      world.wire("r1", "r2", LinkDirection(rate: 3_000_000, delay: .milliseconds(4)))
      world.wire("r2", "receiver", LinkDirection(rate: 1_000_000_000, delay: .microseconds(2)))
    }
    let (sender, receiver) = (try world.host("sender"), try world.host("receiver"))
    let address = SocketAddress(try world.address(of: "receiver"), port: 5_000)
    // The third of three that are sent at once waits for the two before it.
    let times = try world.runAndWait { () -> (Int64, Int64) in
      _ = try await sender.ping(address.address)
      let inbox = try receiver.bindUDP(on: 5_000)
      let outbox = try sender.bindUDP()
      let start = sender.loop.now.nanoseconds
      for number in 1...3 { try outbox.send([UInt8](repeating: UInt8(number), count: 1_000), to: address) }
      for _ in 1...3 { _ = try await inbox.receive() }
      return (start, receiver.loop.now.nanoseconds)
    }
    let recording = world.finish()
    guard
      let last = recording.frames.lastIndex(where: {
        $0.link == recording.link("r2-receiver") && recording.view($0).payloadByteCount == 1_000
      })
    else {
      stage.check(false, "the third datagram arrived")
      return recording
    }
    var rows = [["link", "processing", "queueing", "transmission", "propagation", "together"]]
    var sums = [Int64](repeating: 0, count: 4)
    var before = times.0
    for index in recording.way(to: last) {
      let frame = recording.frames[index]
      let link = recording.links[frame.link]
      let transmission = frame.arrival - frame.departure - link.delay
      let parts = [frame.queued - before, frame.departure - frame.queued, transmission, link.delay]
      for (place, part) in parts.enumerated() { sums[place] += part }
      rows.append([link.name] + parts.map(milliseconds) + [milliseconds(parts.reduce(0, +))])
      before = frame.arrival
    }
    let total = sums.reduce(0, +)
    rows.append(["all"] + sums.map(milliseconds) + [milliseconds(total)])
    stage.table(rows)
    stage.say("\nMeasured by the programs: \(milliseconds(times.1 - times.0)) from sending to receiving.")
    stage.check(total == times.1 - times.0, "the parts add up to what was measured, to the nanosecond")
    stage.check(sums[0] == 80_000, "the routers took 30 and 50 µs to look at it")
    // 1,042 bytes at 100 Mbit/s, 3 Mbit/s and 1 Gbit/s.
    let bits = 1_042.0 * 8
    let expected = bits / 0.1 + bits / 0.003 + bits / 1
    stage.check(abs(Double(sums[2]) - expected) <= 3, "transmission is L/R: \(decimal(expected / 1e6, 6)) ms")
    stage.check(sums[1] > 0, "it waited behind the two before it")
    return recording
  }
}
