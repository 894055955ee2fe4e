import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Kurose and Ross section 6.3: a cable, two at its ends who begin within its length, and many who want it all the time.
  static let csmaCD = Scenario(
    "csma-cd", "a cable of 2,000 m: who begins before it hears the other collides, jams, and waits a random time"
  ) { stage in
    let world = try stage.world { world in
      world.segment("ether", .bus(EthernetBus()))
      for (name, position) in [("left", 0), ("middle", 1_000), ("right", 2_000)] {
        world.host(name)
        world.wire(.init(name, position: position), "ether")
      }
    }
    let (left, middle, right) = (try world.host("left"), try world.host("middle"), try world.host("right"))
    let target = SocketAddress(try world.address(of: "middle"), port: 9)
    let began = try world.runAndWait { () -> Int64 in
      for host in [left, right] { _ = try await host.ping(target.address) }
      let inbox = try middle.bindUDP(on: 9)
      let (one, other) = (try left.bindUDP(), try right.bindUDP())
      try await left.loop.clock.sleep(for: .seconds(1))
      let began = left.loop.now.nanoseconds
      try one.send([UInt8](repeating: 1, count: 458), to: target)
      // The cable is 10 µs long.
      try await left.loop.clock.sleep(for: .microseconds(4))
      try other.send([UInt8](repeating: 2, count: 458), to: target)
      for _ in 0..<2 { _ = try await inbox.receive() }
      return began
    }
    let recording = world.finish()
    stage.say("Both have 500 bytes for the middle; right begins 4 µs after left, and the cable is 10 µs long:")
    var rows: [[String]] = []
    for event in recording.events where event.time >= began && event.node != recording.node("middle") {
      guard ["sent", "collision", "backoff", "deferred"].contains(event.kind) else { continue }
      let text: String
      switch event.kind {
      case "sent": text = event.text.hasSuffix(")") ? "sends its 500 bytes again" : "sends 500 bytes"
      case "collision": text = "hears the other: collision, jam"
      default: text = event.text
      }
      let name = recording.nodes[event.node].name
      rows.append([milliseconds(event.time - began), name == "ether" ? "" : name, text])
    }
    stage.table(rows)
    func attempts(_ name: String) -> [Recording.Frame] {
      recording.frames.filter {
        $0.link == recording.link("\(name)-ether") && $0.end == 0 && $0.departure >= began
          && recording.view($0).protocol == .udp
      }
    }
    let (ones, others) = (attempts("left"), attempts("right"))
    stage.check(
      ones.first.map { $0.arrival - $0.departure } == 14_000, "left hears right 4 µs and the cable's length later")
    stage.check(
      others.first.map { $0.arrival - $0.departure } == 6_000, "right hears left when left has sent for 10 µs")
    stage.check(ones.last?.fate == .delivered && others.last?.fate == .delivered, "in the end both are through")

    stage.say("\nStations that always have something to send, on 500 m, for 300 ms:")
    var table = [["stations", "bytes a frame", "frames", "collisions", "of the cable", "by Metcalfe and Boggs"]]
    var shares: [Double] = []
    for (count, size) in [(1, 1_514), (2, 1_514), (5, 1_514), (10, 1_514), (20, 1_514), (10, 500), (10, 60)] {
      var bus = BusModel(
        EthernetBus(), positions: (0..<max(2, count)).map { $0 * 500 / max(1, count - 1) },
        random: (0..<max(2, count)).map { RandomStream(seed: stage.seed, forkedFor: "station \($0) of \(count)") })
      fill(&bus, stations: count, byteCount: size, to: nil, for: 300_000_000)
      let sent = bus.counters.reduce(0) { $0 + $1.sent }
      let frame = Double(EthernetBus().time(ofFrame: size))
      let share = Double(sent) * frame / 3e8
      shares.append(share)
      // Each of Q tries in each slot with the chance 1/Q; a slot in which not exactly one does so is wasted.
      let quiet = (1..<max(2, count)).reduce(1.0) { value, _ in value * (1 - 1 / Double(count)) }
      let formula = count == 1 ? frame / (frame + 9_600) : frame / (frame + 9_600 + (1 - quiet) / quiet * 51_200)
      table.append([
        "\(count)", "\(size)", "\(sent)", "\(bus.counters.reduce(0) { $0 + $1.collisions })",
        "\(decimal(share * 100, 1)) %", "\(decimal(formula * 100, 1)) %",
      ])
    }
    stage.table(table)
    stage.check(abs(shares[0] - 1_220_800.0 / 1_230_400) < 0.005, "alone, a station loses only the gaps of 9.6 µs")
    stage.say(
      "(The formula has all try with the same chance; on a real bus who got through goes on while others wait.)")
    stage.check(shares[3] > 0.9 && shares[4] < shares[0], "twenty share a full cable without losing much of it")
    stage.check(shares[6] < shares[5] && shares[5] < shares[3], "the shorter the frames, the more of it is lost")
    return recording
  }

  /// Kurose and Ross section 7.3: two who do not hear each other, and one who hears both.
  static let hiddenTerminal = Scenario(
    "hidden-terminal",
    "two stations that do not hear each other collide at the third, unless they ask for leave to send"
  ) { stage in
    func play(_ threshold: Int?) throws -> (recording: Recording, counters: [MediumCounters], received: Int) {
      let world = try stage.world { world in
        world.host("alice")
        world.host("base")
        world.host("bob")
        world.segment("air", .wireless(WirelessCell(requestThreshold: threshold, hidden: [["alice", "bob"]])))
        for name in ["alice", "base", "bob"] { world.wire(.init(name), "air") }
      }
      let (alice, base, bob) = (try world.host("alice"), try world.host("base"), try world.host("bob"))
      let target = SocketAddress(try world.address(of: "base"), port: 9)
      let received = try world.runAndWait { () -> Int in
        for host in [alice, bob] { _ = try await host.ping(target.address) }
        let inbox = try base.bindUDP(on: 9)
        let start = base.loop.now
        for host in [alice, bob] {
          let outbox = try host.bindUDP()
          host.loop.task {
            // A little more than the air carries.
            for _ in 0..<100 {
              try outbox.send([UInt8](repeating: 7, count: 1_458), to: target)
              try await host.loop.clock.sleep(for: .microseconds(400))
            }
          }
        }
        var count = 0
        while (try? await base.loop.withTimeout(.milliseconds(30)) { try await inbox.receive() }) != nil { count += 1 }
        _ = start
        return count
      }
      let counters = try world.mediumCounters(of: "air")
      return (world.finish(), counters, received)
    }
    var collisions: [UInt64] = []
    var arrivals: [Int] = []
    var last: Recording?
    for (words, threshold) in [("Without asking", nil), ("With requests to send (RTS) and clearances (CTS)", 500)] {
      let (recording, counters, received) = try play(threshold)
      stage.say("\(words), 100 datagrams each:")
      var rows = [
        ["station", "frames sent", "collisions", "RTS", "collisions", "through", "given up", "slots waited", "airtime"]
      ]
      for one in counters {
        rows.append([
          one.station, "\(one.attempts)", "\(one.collisions)", "\(one.requests)", "\(one.requestCollisions)",
          "\(one.sent)", "\(one.drops)", "\(one.backoffSlots)", milliseconds(one.airtime.inNanoseconds),
        ])
      }
      stage.table(rows)
      stage.say("base receives \(received) of 200.\n")
      collisions.append(counters.reduce(0) { $0 + $1.collisions })
      arrivals.append(received)
      if last == nil { last = recording }
    }
    stage.check(collisions[0] > 50, "who cannot hear the other sends into its frames: \(collisions[0]) collisions")
    stage.check(
      collisions[1] * 5 < collisions[0], "who hears base's clearance is silent: \(collisions[1]) frames collide")
    stage.check(arrivals[1] > arrivals[0], "and more arrives: \(arrivals[1]) instead of \(arrivals[0])")
    return last ?? Recording(name: "hidden-terminal", seed: stage.seed)
  }

  /// Gives stations something to send whenever they have nothing left.
  private static func fill(
    _ model: inout some MediumModel, stations: Int, byteCount: Int, to destination: Int?, for span: Int64
  ) {
    func next(_ events: [MediumEvent], _ time: Int64) {
      for event in events {
        switch event.kind {
        case .sent(let station), .dropped(let station, _):
          next(model.offer(byteCount, by: station, to: destination, at: time), time)
        default: break
        }
      }
    }
    for station in 0..<stations { next(model.offer(byteCount, by: station, to: destination, at: 0), 0) }
    while let time = model.nextDeadline, time <= span { next(model.step(), time) }
  }
}
