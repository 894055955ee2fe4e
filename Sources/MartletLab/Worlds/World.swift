public import Martlet
public import MartletCore
internal import MartletLinks
public import MartletWire
internal import Synchronization

/// An internet in a process: hosts, switches, routers and lossy links under a clock of its own, with the real stack on every
/// host. The same description and seed give the same bytes.
public final class World: Sendable {
  /// What it was put up from.
  public let description: WorldDescription
  /// What all that is random follows from.
  public let seed: UInt64
  /// The thread and the clock that the world lives on.
  public let loop: Loop
  let plan: WorldPlan
  let core: WorldCore
  /// How its time passes.
  public let pace: WorldPace
  /// What the description publishes, as long as the world is there.
  let publications = Mutex<[Publication]>([])

  /// Puts up the world that `description` describes. Its time stands still until something runs.
  ///
  /// - Parameters:
  ///   - seed: In place of the description's.
  ///   - isRecorded: Whether all that happens is kept for ``finish()``.
  ///   - pool: The bounds of the memory for packets.
  ///   - pace: How its time passes, in place of the description's. Ports and TAP devices of this machine need real time.
  ///   - foreignJobs: What to do about work that comes from another thread while virtual time runs. In a world that keeps
  ///     real or scaled time the recording says that such a run cannot be repeated, and that is all.
  /// - Throws: ``WorldError`` if the description makes no sense.
  public init(
    _ description: WorldDescription, seed: UInt64? = nil, isRecorded: Bool = true,
    pool: PacketPool.Configuration = PacketPool.Configuration(), pace: WorldPace? = nil,
    foreignJobs: ForeignJobPolicy = .trap
  ) throws(WorldError) {
    let seed = seed ?? description.seed
    let pace = pace ?? description.pace
    try Self.checkPace(pace, of: description)
    let plan: WorldPlan
    do throws(WorldPlan.Mistake) {
      plan = try WorldPlan(description)
    } catch {
      throw error.error
    }
    let loop = Loop(.virtual(seed: seed), pool: pool)
    self.description = description
    self.seed = seed
    self.loop = loop
    self.plan = plan
    self.pace = pace
    var hosts: [VirtualHost?] = []
    for node in description.nodes {
      switch node.kind {
      case .host: hosts.append(loop.host(node.name, configuration: node.configuration))
      case .router: hosts.append(loop.router(node.name, configuration: node.configuration))
      case .switch, .hub, .tap: hosts.append(nil)
      }
    }
    let all = hosts
    do {
      core = try loop.withPool { pool throws -> WorldCore in
        try WorldCore(plan, seed: seed, hosts: all, loop: loop, pool: pool, isRecorded: isRecorded)
      }
    } catch let error as WorldError {
      loop.shutdown()
      throw error
    } catch let error as LinkError {
      loop.shutdown()
      throw WorldError("A TAP device cannot be opened", remedy: "\(error)")
    } catch let error as SocketError {
      throw WorldError("The world cannot be put up: \(error)", remedy: "Look at its addresses and routes.")
    } catch {
      throw WorldError("The world cannot be put up: \(error)", remedy: "Look at its addresses and routes.")
    }
    let core = core
    loop.sync {
      core.world = self
      loop.setPace(pace.factor)
      core.openBridges()
      core.start()
    }
    loop.settle()
    watchForeignJobs(foreignJobs)
    try publishAll()
  }

  deinit { loop.shutdown() }

  // MARK: Who is there

  func index(of name: String) throws(WorldError) -> Int {
    guard let index = plan.indices[name] else {
      throw WorldError(
        "There is no node called \"\(name)\"", remedy: WorldPlan.suggestion(name, description.nodes.map(\.name)))
    }
    return index
  }

  func link(_ name: String) throws(WorldError) -> Int {
    guard let index = plan.linkIndices[name] else {
      throw WorldError(
        "There is no link called \"\(name)\"", remedy: WorldPlan.suggestion(name, description.links.map(\.name)))
    }
    return index
  }

  /// The host called `name`, with its sockets.
  ///
  /// - Throws: ``WorldError`` if there is none, or it is a router or a switch: these run no programs.
  public func host(_ name: String) throws(WorldError) -> VirtualHost {
    let index = try index(of: name)
    let node = description.nodes[index]
    guard node.kind == .host, let host = core.hosts[index] else {
      throw WorldError(
        "\"\(name)\" is a \(node.kind.word) and offers no sockets to programs",
        remedy: "Run the program on a host; add one with `host(\"…\")` and wire it to \"\(name)\".")
    }
    return host
  }

  /// The first address of the node called `name`.
  public func address(of name: String, _ version: IPVersion = .v4) throws(WorldError) -> IPAddress {
    let index = try index(of: name)
    for interface in plan.interfaces[index] {
      if let address = interface.addresses.first(where: { $0.version == version }) { return address.address }
    }
    throw WorldError("\"\(name)\" has no \(version == .v4 ? "IPv4" : "IPv6") address", remedy: "Give it one.")
  }

  /// Which route a packet from the host or router called `name` to `destination` takes, and why none of the others.
  public func explainRoute(on name: String, to destination: IPAddress) throws(WorldError) -> RouteExplanation {
    let index = try index(of: name)
    guard let host = core.hosts[index] else {
      throw WorldError(
        "\"\(name)\" is a \(description.nodes[index].kind.word) and has no routes",
        remedy: "Name a host or a router.")
    }
    return host.explainRoute(to: destination)
  }

  /// What the switch called `name` has learnt: station and port.
  public func stations(of name: String) throws(WorldError) -> [[String]] {
    let index = try index(of: name)
    let (core, loop) = (core, loop)
    return loop.sync { core.switches[index]?.rows(at: loop.now.nanoseconds).map { Array($0.prefix(2)) } ?? [] }
  }

  // MARK: Programs

  /// Runs `body` on the host called `name` from now on, and again whenever the host restarts.
  ///
  /// - Throws: ``WorldError`` if it is a router or a switch, or not there.
  public func application(
    on name: String, _ body: @escaping @Sendable (VirtualHost) async throws -> Void
  ) throws(WorldError) {
    _ = try host(name)
    let index = try index(of: name)
    let core = core
    loop.sync { core.add(body, on: index) }
    loop.settle()
  }

  /// Runs `body` on the world's thread; time moves on while it waits.
  public func run<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
    try await loop.run(body)
  }

  /// As ``run(_:)``, blocking the calling thread.
  public func runAndWait<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) throws -> T {
    try loop.runAndWait(body)
  }

  /// Lets `span` pass.
  public func run(for span: Duration) throws {
    let clock = loop.clock
    try loop.runAndWait { try await clock.sleep(for: span) }
  }

  /// Writes down that somebody at `node` said `text`.
  public func say(_ node: String, _ text: String) {
    guard let index = plan.indices[node] else { return }
    let (core, loop) = (core, loop)
    loop.sync { _ = core.recorder?.note("said", text, node: index, at: loop.now.nanoseconds) }
  }

  // MARK: Faults

  /// Does what `fault` says, now.
  public func apply(_ fault: WorldDescription.Fault) throws(WorldError) {
    try check(fault)
    let core = core
    loop.sync { core.apply(fault) }
  }

  /// Throws if what `fault` names is not there, or cannot have it.
  func check(_ fault: WorldDescription.Fault) throws(WorldError) {
    do { try plan.check(fault, nil) } catch { throw error.error }
  }

  /// Sets what the link called `name` does to frames from now on; nil leaves a direction as it is.
  public func change(
    _ name: String, there: LinkDirection? = nil, back: LinkDirection? = nil
  ) throws(WorldError) {
    let index = try link(name)
    let core = core
    loop.sync { core.change(index, there: there, back: back) }
  }

  /// From now on loses the frames on the link called `name`, on their way from `node`, of which `predicate` says so.
  public func lose(
    on name: String, from node: String, where predicate: @escaping @Sendable (FrameView) -> Bool
  ) throws(WorldError) {
    let index = try link(name)
    let end: Int
    switch node {
    case description.links[index].first.node: end = 0
    case description.links[index].second.node: end = 1
    default:
      throw WorldError(
        "\"\(node)\" is not on \(name)",
        remedy: "It joins \(description.links[index].first.node) and \(description.links[index].second.node).")
    }
    let core = core
    loop.sync { core.lanes[index * 2 + end].predicate = predicate }
  }

  /// Frames that the link called `name` was given, delivered and lost, from the first end and from the second.
  public func counters(of name: String) throws(WorldError) -> [LinkCounters] {
    let index = try link(name)
    let core = core
    return loop.sync { (0..<2).map { LinkCounters(core.lanes[index * 2 + $0].counters) } }
  }

  /// What one direction of a link has done.
  public struct LinkCounters: Sendable, Equatable {
    /// Frames that its sender handed over.
    public var sent: UInt64
    /// Their bytes, Ethernet headers included.
    public var sentBytes: UInt64
    /// Frames that its receiver was given.
    public var delivered: UInt64
    /// Lost on the way or before it, queue drops included.
    public var lost: UInt64
    /// Lost because no place was left before the line, or the queue's discipline would not have them.
    public var queueDrops: UInt64
    /// Frames that went on twice.
    public var duplicated: UInt64
    /// Arrived with wrong bits, or too short.
    public var damaged: UInt64
    /// Marked for congestion.
    public var marked: UInt64

    init(_ counters: Lane.Counters) {
      sent = counters.sent
      sentBytes = counters.sentBytes
      delivered = counters.delivered
      lost = counters.lost
      queueDrops = counters.queueDrops
      duplicated = counters.duplicated
      damaged = counters.damaged
      marked = counters.marked
    }
  }

  // MARK: The end

  /// Ends the world, and returns all that is known of it; without a recording only its nodes, links and counters.
  public func finish() -> Recording {
    let (core, loop) = (core, loop)
    let recording = loop.sync { core.finish(at: loop.now) }
    loop.shutdown()
    return recording
  }
}

extension WorldDescription.Node {
  /// The configuration of the node's stack.
  var configuration: Host.Configuration {
    var configuration = Host.Configuration()
    if let value = tuning.congestionControl { configuration.tcp.congestionControl = value }
    if let value = tuning.initialWindow { configuration.tcp.initialWindowSegments = value }
    if let value = tuning.receiveBuffer {
      configuration.tcp.receiveBufferByteCount = value
      configuration.tcp.maximumReceiveBufferByteCount = value
    }
    if let value = tuning.sendBuffer {
      configuration.tcp.sendBufferByteCount = value
      configuration.tcp.maximumSendBufferByteCount = value
    }
    if let value = tuning.delayedAcknowledgment { configuration.tcp.delayedAcknowledgment = value }
    if let value = tuning.pacing { configuration.tcp.pacing = value }
    if let value = tuning.selectiveAcknowledgments { configuration.tcp.selectiveAcknowledgments = value }
    if let value = tuning.timestamps { configuration.tcp.timestamps = value }
    if let value = tuning.tailLossProbes { configuration.tcp.tailLossProbes = value }
    if let value = tuning.congestionNotification { configuration.tcp.ecn = value ? .on : .passive }
    if let value = tuning.timeToLive { configuration.internet.timeToLive = value }
    if let value = tuning.maximumSegmentLifetime { configuration.tcp.maximumSegmentLifetime = value }
    return configuration
  }
}
