import Martlet
import MartletCore
import MartletLinks
import MartletWire

extension Scenario {
  /// Kurose and Ross chapter 6: four switches in a ring and one across, of which a tree remains, which heals.
  static let spanningTree = Scenario(
    "spanning-tree", "four switches and five wires: two wires rest, until one of the others breaks, and then the root"
  ) { stage in
    let switches = ["s1", "s2", "s3", "s4"]
    let world = try stage.world { world in
      for (number, name) in switches.enumerated() {
        world.host("h\(number + 1)")
        // A tenth of the usual times; the third is to be the root.
        world.switch(name) {
          $0.spanningTree = SpanningTree(
            priority: name == "s3" ? 4_096 : 32_768, hello: .milliseconds(200), maximumAge: .seconds(2),
            forwardDelay: .milliseconds(1_500))
        }
      }
      let lan = LinkDirection(rate: 100_000_000, delay: .microseconds(1))
      for (number, name) in switches.enumerated() { world.wire(.init("h\(number + 1)"), .init(name), lan) }
      for (one, other) in [("s1", "s2"), ("s2", "s3"), ("s3", "s4"), ("s4", "s1"), ("s2", "s4")] {
        world.wire(.init(one), .init(other), lan)
      }
    }
    let asker = try world.host("h1")
    let answerer = try world.address(of: "h2")

    func show(_ title: String, without gone: String? = nil) throws -> [String] {
      stage.say(title)
      var rows = [["switch", "root", "cost", "port", "leads to", "role", "state"]]
      var rests: [String] = []
      for name in switches where name != gone {
        let view = try world.spanningTree(of: name)
        let root = switches.first { (try? world.spanningTree(of: $0))?.bridge == view.root } ?? "?"
        for (number, port) in view.ports.enumerated() where port.neighbor.hasPrefix("s") {
          rows.append([
            number == 1 ? name : "", number == 1 ? root : "", number == 1 ? "\(view.rootPathCost)" : "", port.name,
            port.neighbor, port.role, port.state,
          ])
          if port.role == "blocked" { rests.append([name, port.neighbor].sorted().joined(separator: "-")) }
        }
      }
      stage.table(rows)
      return rests.sorted()
    }
    /// The switches that carry a question from the first host to the second.
    func way(_ recording: Recording, after time: Int64) -> [String] {
      guard
        let last = recording.frames.lastIndex(where: { frame in
          frame.link == recording.link("h2-s2") && frame.end == 1 && frame.departure >= time
            && recording.view(frame).destination == answerer && recording.view(frame).protocol == .icmpv4
        })
      else { return [] }
      return recording.way(to: last).compactMap { recording.sender(of: recording.frames[$0]) }
        .map { recording.nodes[$0.node].name }
    }
    func ping(_ words: String) throws -> Int64 {
      let began = world.loop.now.nanoseconds
      let took = try world.runAndWait { () -> Duration? in try? await asker.ping(answerer, timeout: .seconds(3)) }
      stage.check(
        took != nil, "\(words): h2 answers h1\(took.map { " after \(milliseconds($0.inNanoseconds))" } ?? "")")
      return began
    }

    let early = try world.runAndWait { () -> Duration? in
      try? await asker.ping(answerer, timeout: .milliseconds(500))
    }
    stage.check(early == nil, "while ports listen and learn, nothing is passed on")
    try world.run(for: .seconds(6))
    let resting = try show("The tree:")
    stage.check(resting == ["s1-s4", "s2-s4"], "two of five wires rest: \(resting.joined(separator: " and "))")
    let first = try ping("by the tree")

    stage.say("\nThe wire s1-s2 breaks.")
    try world.apply(.down(link: "s1-s2"))
    try world.run(for: .seconds(4))
    let healed = try show("The tree after it:")
    stage.check(healed == ["s2-s4"], "s1-s4 rests no more")
    let second = try ping("round the other side")

    stage.say("\nThe root loses its power.")
    try world.apply(.crash("s3"))
    try world.run(for: .seconds(8))
    let rest = try show("The tree after it:", without: "s3")
    stage.check(rest.isEmpty, "what is left of the ring is a line, and no port is blocked")
    let third = try ping("under another root")

    let recording = world.finish()
    stage.say("\nThe questions went by:")
    for (number, time) in [first, second, third].enumerated() {
      let until = [first, second, third, Int64.max][number + 1]
      var shorter = recording
      // Up to the next question.
      while let last = shorter.frames.last, last.departure >= until { shorter.frames.removeLast() }
      stage.say("  \(way(shorter, after: time).joined(separator: " → ")) → h2")
    }
    let echoes = recording.frames.filter {
      $0.link == recording.link("h2-s2") && $0.end == 1 && recording.view($0).destination == answerer
        && recording.view($0).protocol == .icmpv4
    }
    stage.check(echoes.count == 3, "each question arrived once")
    let units = recording.frames.count { recording.view($0).type.isLength }
    stage.say("\(units) messages of the spanning tree were sent; the first:")
    var describer = PacketDescriber()
    for frame in recording.frames.filter({ recording.view($0).type.isLength }).prefix(4) {
      let name = recording.sender(of: frame).map { recording.nodes[$0.node].name } ?? "?"
      let words = unsafe describer.describe(frame.bytes.span.bytes)
      stage.say("  \(name): \(words.text)")
    }
    return recording
  }

  /// Rings without a tree: what goes to all comes back for ever, and where rings meet it multiplies.
  static let broadcastStorm = Scenario(
    "broadcast-storm", "one question to all in rings of switches: without a spanning tree it never ends"
  ) { stage in
    var results: [(heard: Int, share: Double, recording: Recording)] = []
    for (words, count, tree) in [
      ("Three switches in a ring, no spanning tree", 3, nil),
      ("Four switches, each wired to each, no spanning tree", 4, nil),
      ("The same four with a spanning tree", 4, SpanningTree()),
    ] {
      let (recording, since) = try askAll(stage, count, tree)
      let questions = recording.frames.filter {
        $0.queued >= since && recording.view($0).type == .arp && $0.bytes[0] == 0xff
      }
      stage.say("\(words):")
      var rows = [["ms since", "copies on wires between switches", "lost in queues"]]
      func isBetween(_ frame: Recording.Frame) -> Bool { recording.links[frame.link].name.hasPrefix("s") }
      func isOn(_ frame: Recording.Frame) -> Bool { frame.fate != .lost("queue full") }
      for millisecond in Int64(0)..<5 {
        let span = (since + millisecond * 1_000_000)..<(since + (millisecond + 1) * 1_000_000)
        let own = questions.filter { isBetween($0) && span.contains(isOn($0) ? $0.departure : $0.queued) }
        rows.append(["\(millisecond)", "\(own.count(where: isOn))", "\(own.count { !isOn($0) })"])
      }
      stage.table(rows)
      let heard = questions.count {
        $0.link == recording.link("h3-s3") && $0.end == 1 && isOn($0) && $0.departure < since + 5_000_000
      }
      // In the last millisecond, with what else circles.
      let last = (since + 4_000_000)..<(since + 5_000_000)
      let bits = recording.frames.reduce(0) { sum, frame in
        isBetween(frame) && isOn(frame) && last.contains(frame.departure) ? sum + frame.bytes.count * 8 : sum
      }
      let share = min(1, Double(bits) / 10_000 / Double(count * (count - 1)))
      stage.say("h3, whom nobody asked, hears it \(heard) time\(heard == 1 ? "" : "s").")
      stage.say("In the end \(decimal(share * 100, 1)) % of the wires are taken.\n")
      results.append((heard, share, recording))
    }
    stage.check(results[0].heard > 20, "in a ring two copies circle, one each way, for ever")
    stage.check(results[1].share > 0.9, "where rings meet each copy becomes two, until the wires are full")
    stage.check(results[2].heard == 1, "with a tree everybody hears it once")
    return results[1].recording
  }

  /// So many switches, each wired to each, and 6 ms after somebody has asked all; the second value is when.
  private static func askAll(
    _ stage: Stage, _ count: Int, _ tree: SpanningTree?
  ) throws -> (Recording, since: Int64) {
    let world = try stage.world { world in
      world.allowsRings = tree == nil
      // Slow, so that there is less to count.
      let lan = LinkDirection(rate: 10_000_000, delay: .microseconds(1), queue: .init(maximumFrames: 20))
      for number in 1...count {
        world.host("h\(number)")
        world.switch("s\(number)") { $0.spanningTree = tree }
        world.wire(.init("h\(number)"), .init("s\(number)"), lan)
      }
      for one in 1..<count {
        for other in one + 1...count { world.wire(.init("s\(one)"), .init("s\(other)"), lan) }
      }
    }
    // Rings are closed when everybody has said who he is.
    let links = world.description.links.map(\.name).filter { $0.hasPrefix("s") && !$0.hasPrefix("s1") }
    if tree == nil { for link in links { try world.apply(.down(link: link)) } }
    try world.run(for: .seconds(40))
    if tree == nil { for link in links { try world.apply(.up(link: link)) } }
    let since = world.loop.now.nanoseconds
    let asker = try world.host("h1")
    let answerer = try world.address(of: "h2")
    _ = try world.runAndWait { try? await asker.ping(answerer, timeout: .milliseconds(5)) }
    // What waits in the fifth is on the wire in the sixth.
    try world.run(for: .nanoseconds(max(0, since + 6_000_000 - world.loop.now.nanoseconds)))
    return (world.finish(), since)
  }
}
