import MartletCore
import MartletWire
import Testing

/// A conversation between two hosts that a seed determines: writes of all sizes, reads, pauses, losses, options and ends.
private struct Conversation: ~Copyable {
  var net: TwoHosts
  var random: RandomStream
  let there: IPAddress
  /// Both ends of each connection.
  var pairs: [(client: SocketID, server: SocketID)] = []
  let listener: SocketID
  /// Everything that programs got to see.
  var seen: [String] = []
  /// What is lost, one frame in so many; 0 for none.
  var lossEvery: UInt64 = 0

  init(_ net: consuming TwoHosts, seed: UInt64, to there: IPAddress, listener: SocketID) {
    self.net = net
    self.there = there
    self.listener = listener
    random = RandomStream(seed: seed, forkedFor: "conversation")
  }

  mutating func connect() throws {
    let client = try net.a.connect(to: SocketAddress(there, port: 80), at: net.now)
    net.exchange()
    let accepted = try net.b.accept(from: listener)
    pairs.append((client, try #require(accepted)))
  }

  /// What happened to the sockets since the last look.
  mutating func look(_ what: String) {
    while let event = net.a.nextEvent() { seen.append("\(what): a \(event)") }
    while let event = net.b.nextEvent() { seen.append("\(what): b \(event)") }
  }

  /// Carries frames, losing some.
  mutating func carry() {
    if lossEvery == 0 { return net.exchange() }
    var random = RandomStream(seed: self.random.next())
    let every = lossEvery
    net.delivers = { _, _ in UInt64.random(in: 0..<every, using: &random) != 0 }
    net.exchange()
    net.delivers = { _, _ in true }
  }

  mutating func write(_ count: Int, byClient: Bool, of pair: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ seen.count) }
    let taken =
      byClient
      ? unsafe try? net.a.write(bytes.span.bytes, to: pairs[pair].client, at: net.now)
      : unsafe try? net.b.write(bytes.span.bytes, to: pairs[pair].server, at: net.now)
    seen.append("write \(count): \(taken.map(String.init) ?? "refused")")
  }

  mutating func read(_ count: Int, byClient: Bool, of pair: Int) {
    var buffer = [UInt8](repeating: 0, count: count)
    var span = buffer.mutableSpan
    var raw = unsafe span.mutableBytes
    let result =
      byClient
      ? try? net.a.read(from: pairs[pair].client, into: &raw, at: net.now)
      : try? net.b.read(from: pairs[pair].server, into: &raw, at: net.now)
    seen.append("read \(count): \(result.map { "\($0)" } ?? "refused") \(buffer.prefix(32))")
  }

  /// One request and its answer, and so on, nothing else happening: what the short ways are for.
  mutating func converse(_ turns: Int, of pair: Int) {
    for _ in 0..<turns {
      let sizes = [1, 2, 7, 8, 9, 31, 88, 89, 128, 129, 400]
      for byClient in [true, false] {
        write(sizes[Int.random(in: 0..<sizes.count, using: &random)], byClient: byClient, of: pair)
        carry()
        read(512, byClient: !byClient, of: pair)
      }
      look("turn")
    }
  }

  mutating func step() throws {
    let pair = Int.random(in: 0..<pairs.count, using: &random)
    let byClient = Bool.random(using: &random)
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<8: converse(Int.random(in: 1...12, using: &random), of: pair)
    case 8, 9: write(Int.random(in: 1...3_000, using: &random), byClient: byClient, of: pair)
    case 10: write(Int.random(in: 1...200_000, using: &random), byClient: byClient, of: pair)
    case 11, 12: read(Int.random(in: 1...100, using: &random), byClient: byClient, of: pair)
    case 13: read(300_000, byClient: byClient, of: pair)
    case 14: net.run(for: .milliseconds(Int64.random(in: 1...600, using: &random)))
    case 15: net.run(for: .seconds(Int64.random(in: 1...90, using: &random)))
    case 16: lossEvery = [0, 0, 0, 3, 10].randomElement(using: &random) ?? 0
    case 17:
      var options = TCPSocketOptions()
      options.noDelay = Bool.random(using: &random)
      options.keepAlive = Bool.random(using: &random)
      if byClient {
        try? net.a.setOptions(options, of: pairs[pair].client)
      } else {
        try? net.b.setOptions(options, of: pairs[pair].server)
      }
    case 18:
      // Several small ones before anything is carried.
      for _ in 0..<Int.random(in: 2...5, using: &random) {
        write(Int.random(in: 1...60, using: &random), byClient: byClient, of: pair)
      }
    default:
      guard Int.random(in: 0..<4, using: &random) == 0 else { break }
      net.a.close(pairs[pair].client, at: net.now)
      carry()
      net.b.close(pairs[pair].server, at: net.now)
      lossEvery = 0
      net.run(for: .seconds(1))
      pairs.remove(at: pair)
      try connect()
    }
    carry()
    look("step")
  }

  /// What both ends know of their connections.
  mutating func finish() {
    net.run(for: .seconds(5))
    look("end")
    for pair in pairs {
      seen.append((try? "\(net.a.info(of: pair.client))") ?? "gone")
      seen.append((try? "\(net.b.info(of: pair.server))") ?? "gone")
    }
    seen.append("\(net.a.drops) \(net.b.drops)")
  }
}

@Suite("The short ways of TCP segments, and the long ones")
struct ShortSegmentTests {
  private func run(
    _ seed: UInt64, _ version: IPVersion, takesShortWays: Bool, _ configuration: Host.Configuration
  ) throws -> (frames: [[UInt8]], seen: [String]) {
    var net = try TwoHosts(configuration: configuration, seed: seed)
    net.a.takesShortWays = takesShortWays
    net.b.takesShortWays = takesShortWays
    let listener = try net.b.listen(on: SocketAddress(.any(version), port: 80))
    let there = version == .v4 ? TwoHosts.b4 : TwoHosts.b6
    var conversation = Conversation(net, seed: seed, to: there, listener: listener)
    for _ in 0..<2 { try conversation.connect() }
    for _ in 0..<60 { try conversation.step() }
    conversation.finish()
    return (conversation.net.frames.map(\.bytes), conversation.seen)
  }

  private func compare(_ seed: UInt64, _ version: IPVersion, _ configuration: Host.Configuration) throws {
    let short = try run(seed, version, takesShortWays: true, configuration)
    let long = try run(seed, version, takesShortWays: false, configuration)
    let frame = zip(short.frames, long.frames).enumerated().first { $0.element.0 != $0.element.1 }
    if let frame {
      Issue.record(
        "frame \(frame.offset): \(frame.element.0.prefix(120)) by the short way, \(frame.element.1.prefix(120))")
    }
    let event = zip(short.seen, long.seen).first { $0 != $1 }
    if let event { Issue.record("\(event.0.prefix(800)) by the short way, \(event.1.prefix(800))") }
    #expect(short.frames.count == long.frames.count)
    #expect(short.seen.count == long.seen.count)
    #expect(short.frames.count > 100)
  }

  @Test(
    "A random conversation comes to the same frames and events by either way",
    arguments: 1...12 as ClosedRange<UInt64>, [IPVersion.v4, .v6])
  func sameConversation(seed: UInt64, version: IPVersion) throws {
    try compare(seed, version, Host.Configuration())
  }

  @Test(
    "So it does without timestamps, without SACK, with marks and with other congestion controls",
    arguments: 31...32 as ClosedRange<UInt64>, 0..<6)
  func otherOptions(seed: UInt64, choice: Int) throws {
    var configuration = Host.Configuration()
    switch choice {
    case 0: configuration.tcp.timestamps = false
    case 1: configuration.tcp.selectiveAcknowledgments = false
    case 2: configuration.tcp.ecn = .on
    case 3: configuration.tcp.congestionControl = .newReno
    case 4: configuration.tcp.congestionControl = .bbr
    default: configuration.tcp.tailLossProbes = false
    }
    try compare(seed, .v4, configuration)
  }
}
