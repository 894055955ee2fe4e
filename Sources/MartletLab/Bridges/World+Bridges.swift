public import Martlet
internal import MartletCore
public import MartletWire
internal import Synchronization

extension World {
  /// The world's time, for programs on none of its hosts; a host's own is ``VirtualHost/clock``.
  public var clock: LoopClock { loop.clock }

  /// Lets programs of this machine reach a port of a host, until the result is closed or let go. Only in real time.
  ///
  /// - Parameters:
  ///   - port: Where this machine listens, and where that leads to.
  ///   - limits: Bounds of what is carried.
  /// - Throws: ``WorldError`` if the world does not keep real time, there is no such host, or the system refuses.
  public func publish(
    _ port: WorldDescription.PublishedPort, limits: Publication.Limits = Publication.Limits()
  ) throws(WorldError) -> Publication {
    guard pace.factor == 1 else { throw Self.needsRealTime("A port of this machine cannot lead into it") }
    let server = try host(port.host)
    let client = try port.client.map { name throws(WorldError) in try host(name) }
    let target: SocketAddress
    if client == nil {
      target = SocketAddress(.loopback(port.outside.version), port: port.port)
    } else {
      target = SocketAddress(try address(of: port.host), port: port.port)
    }
    let publication: Publication
    do {
      publication = try loop.publish(port.outside, port.transport, on: client ?? server, to: target, limits: limits)
    } catch {
      throw WorldError("\(port.outside) cannot be published: \(error)", remedy: "Choose another port, or 0 for any.")
    }
    var known = port
    known.outside = publication.address
    let (core, node, reason) = (core, try index(of: port.host), known.bridgeWords)
    loop.sync { core.markUnrepeatable(reason, on: node) }
    return publication
  }

  /// Where the ports of the description are reached, in its order.
  public var publishedAddresses: [SocketAddress] { publications.withLock { $0.map(\.address) } }

  func publishAll() throws(WorldError) {
    for port in description.published {
      let publication = try publish(port)
      publications.withLock { $0.append(publication) }
    }
  }

  static func checkPace(_ pace: WorldPace, of description: WorldDescription) throws(WorldError) {
    if let factor = pace.factor, !(factor > 0 && factor.isFinite) {
      throw WorldError("A world's time cannot pass \(factor) times as fast", remedy: "Give a number above 0.")
    }
    guard pace.factor != 1, let bridge = description.bridges.first else { return }
    throw needsRealTime("The outside is part of this world (\(bridge))")
  }

  private static func needsRealTime(_ problem: String) -> WorldError {
    WorldError(
      "\(problem), which works only in real time",
      remedy: "Run it with `pace: .realTime`, in a file `pace: real`, or `martlet lab run --pace 1`.")
  }

  func watchForeignJobs(_ policy: ForeignJobPolicy) {
    let core = core
    let loop = loop
    let mark: @Sendable (ForeignJob) -> Void = { [weak loop] job in
      loop?.executeSoon { core.markUnrepeatable("work came from another thread while time ran", on: 0) }
    }
    guard pace == .virtual else {
      loop.reportForeignJobs(mark)
      return
    }
    switch policy {
    case .trap: loop.reportForeignJobs { job in fatalError(job.description) }
    case .report(let handler):
      loop.reportForeignJobs { job in
        mark(job)
        handler(job)
      }
    }
  }
}
