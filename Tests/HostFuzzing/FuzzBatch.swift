public import MartletCore
import MartletWire

/// One reproducible round of fuzzing: a host with sockets of every kind in many states, some thousands of bad frames, and
/// then the question whether all is well. Everything follows from the seed.
public enum FuzzBatch {
  /// What a batch came to.
  public struct Result: Sendable {
    /// How many bad frames the host was given.
    public var cases: Int
    /// What is wrong, if something is.
    public var complaint: String?
    /// A digest of everything that B sent: the same seed gives the same.
    public var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    /// How often B dropped a packet for which reason.
    public var drops: Drop.Counters?

    mutating func note(_ frames: [[UInt8]]) {
      for frame in frames { for byte in frame { digest = (digest ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 } }
    }
  }

  /// Gives a fresh host the batch of `seed`, `count` frames or a few more. Without short ways every packet goes the long
  /// way, which must come to the same.
  ///
  /// A host that `forwards` has a second link, and gets frames for others too.
  public static func run(
    seed: UInt64, count: Int = 2_000, takesShortWays: Bool = true, forwards: Bool = false
  ) -> Result {
    var configuration = Host.Configuration()
    if forwards { configuration.forwarding = .router }
    configuration.internet.maximumReassemblies = 16
    configuration.internet.maximumReassemblyBytes = 64 << 10
    configuration.tcp.synQueue = 32
    configuration.tcp.receiveBufferByteCount = 64 << 10
    configuration.datagrams.receiveBufferByteCount = 64 << 10
    var result = Result(cases: 0)
    do {
      var bench = try Bench(configuration: configuration, seed: seed)
      bench.a.takesShortWays = takesShortWays
      bench.b.takesShortWays = takesShortWays
      try run(&bench, seed: seed, count: count, &result)
      result.drops = bench.b.drops
    } catch { result.complaint = "\(error)" }
    return result
  }

  /// Gives a fresh host every prefix of every frame there is.
  public static func prefixes() -> Result {
    var cases = 0
    do {
      var bench = try Bench()
      for frame in FrameCorpus().frames {
        for count in 0...min(frame.count, 200) {
          bench.deliver(Array(frame.prefix(count)))
          cases += 1
          // A prefix that claims to be whole, too.
          var whole = Array(frame.prefix(count))
          FrameMutator.fixChecksums(&whole)
          bench.deliver(whole)
        }
        bench.exchange()
        bench.sent = []
      }
      return Result(cases: cases, complaint: health(&bench))
    } catch { return Result(cases: cases, complaint: "\(error)") }
  }

  private static func run(
    _ bench: inout Bench, seed: UInt64, count: Int, _ result: inout Result
  ) throws {
    let corpus = FrameCorpus().frames
    var mutator = FrameMutator(random: RandomStream(seed: seed, forkedFor: "mutator"))
    var sockets = try FuzzSockets(&bench)
    var mostBlocks = 0
    while result.cases < count {
      // Frames of live connections: what A says now, damaged, before what A really said, or in its place.
      var live: [[UInt8]] = []
      sockets.speak(&bench, &mutator.random)
      bench.a.advance(to: bench.now)
      bench.a.transmit(from: Bench.eth, at: bench.now) { live.append($0.bytesForFuzzing) }
      for frame in live {
        for _ in 0..<8 {
          bench.deliver(mutator.mutate(frame, with: corpus + live))
          result.cases += 1
        }
        if Int.random(in: 0..<16, using: &mutator.random) != 0 { bench.deliver(frame) }
      }
      for _ in 0..<32 {
        guard var frame = corpus.randomElement(using: &mutator.random) else { break }
        if bench.b.forwarding.isOn { mutator.redirect(&frame) }
        bench.deliver(mutator.mutate(frame, with: corpus))
        result.cases += 1
      }
      mostBlocks = max(mostBlocks, bench.pool.statistics.blocksInUse)
      if Int.random(in: 0..<8, using: &mutator.random) == 0 {
        bench.run(for: .milliseconds(Int64.random(in: 1...2_000, using: &mutator.random)))
      } else {
        _ = bench.exchangeOnce()
      }
      result.note(bench.sent)
      result.note(bench.elsewhere)
      bench.sent = []
      bench.elsewhere = []
      result.complaint = bounds(&bench)
      if result.complaint != nil { return }
    }
    sockets.close(&bench)
    result.complaint = mostBlocks < 20_000 ? health(&bench) : "\(mostBlocks) blocks at one time"
    result.note(bench.sent)
  }

  /// What has grown past its bound.
  private static func bounds(_ bench: inout Bench) -> String? {
    let connections = bench.b.socketTable().count { $0.kind == .tcp }
    // The SYN queue, the accept backlog, and what the batch itself opened.
    if connections > 32 + 128 + 64 { return "\(connections) connections" }
    let neighbors = bench.b.neighborTable().count
    if neighbors > bench.b.configuration.neighbors.maximumEntries { return "\(neighbors) neighbours" }
    return nil
  }

  private static func health(_ bench: inout Bench) -> String? {
    // Forged neighbours and path MTUs have had their time by then.
    bench.drainComplaint(after: .seconds(10_000)) ?? bench.complaint() ?? bench.drainComplaint()
  }
}

/// B's sockets beside its servers, and A's connections to them.
struct FuzzSockets {
  private var ofA: [SocketID] = []
  private var ofB: [SocketID] = []
  private var echoOfA: SocketID
  private var datagramOfA: SocketID

  init(_ bench: inout Bench) throws {
    let peer = SocketAddress(IPAddress(Bench.a4), port: 9)
    let bound = try bench.b.openDatagram(on: SocketAddress(IPAddress(Bench.b4), port: 5_001))
    try bench.b.connectDatagram(bound, to: peer)
    ofB = [
      bound, try bench.b.openDatagram(on: SocketAddress(.any(.v4), port: 5_002)),
      try bench.b.listen(on: SocketAddress(IPAddress(Bench.b6), port: 5_003)),
      try bench.b.openEcho(version: .v4), try bench.b.openEcho(version: .v6),
    ]
    echoOfA = try bench.a.openEcho(version: .v4)
    datagramOfA = try bench.a.openDatagram(on: SocketAddress(.any(.v6), port: 0))
    // B's own opens: one that nobody answers, one that A refuses.
    for address in [IPAddress(Bench.c4), IPAddress(Bench.a4), IPAddress(Bench.a6)] {
      ofB.append(try bench.b.connect(to: SocketAddress(address, port: 79), at: bench.now))
    }
  }

  /// Lets A do something: open, write, half-close, close, reset, send a datagram or a ping.
  mutating func speak(_ bench: inout Bench, _ random: inout RandomStream) {
    let version: IPVersion = Bool.random(using: &random) ? .v4 : .v6
    let server = SocketAddress(Bench.ip(version).b, port: Bench.port)
    let payload = [UInt8](repeating: 0x78, count: Int.random(in: 0...3_000, using: &random))
    let place = ofA.isEmpty ? 0 : Int.random(in: 0..<ofA.count, using: &random)
    switch Int.random(in: 0..<10, using: &random) {
    case 0, 1:
      if ofA.count < 12, let socket = try? bench.a.connect(to: server, at: bench.now) { ofA.append(socket) }
    case 2, 3, 4:
      if !ofA.isEmpty { _ = try? bench.a.write(unsafe payload.span.bytes, to: ofA[place], at: bench.now) }
    case 5:
      if !ofA.isEmpty { try? bench.a.shutdownWrite(ofA[place], at: bench.now) }
    case 6:
      if !ofA.isEmpty { bench.a.close(ofA.remove(at: place), at: bench.now) }
    case 7:
      if !ofA.isEmpty { bench.a.abort(ofA.remove(at: place), at: bench.now) }
    case 8:
      try? bench.a.send(unsafe payload.span.bytes, to: server, from: datagramOfA, at: bench.now)
    default:
      try? bench.a.sendEcho(
        unsafe payload.span.bytes, sequence: 1, to: SocketAddress(IPAddress(Bench.b4), port: 0), from: echoOfA,
        at: bench.now)
    }
    if !ofA.isEmpty { _ = try? bench.readText(ofA[Int.random(in: 0..<ofA.count, using: &random)]) }
  }

  /// Ends everything.
  mutating func close(_ bench: inout Bench) {
    for socket in ofA { bench.a.abort(socket, at: bench.now) }
    for socket in ofB { bench.b.abort(socket, at: bench.now) }
    bench.a.close(echoOfA, at: bench.now)
    bench.a.close(datagramOfA, at: bench.now)
    ofA = []
    ofB = []
  }
}
