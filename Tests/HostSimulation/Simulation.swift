import MartletCore
import MartletWire

/// A run of a schedule: two hosts, their programs, the network, and after each step the question whether all makes sense.
public final class Simulation {
  let schedule: Schedule
  let network: SimulatedNetwork
  private(set) var stations: [Station] = []
  private(set) var now = Instant.zero
  private let tracer: SimulationTracer?
  private var auditor: Auditor
  private var report = SimulationReport()
  private var packetsSinceProgress = 0
  private var pendingFailure: SimulationFailure?
  /// Where programs read to.
  var buffer = [UInt8](repeating: 0, count: 65_536)

  /// More packets than these, and nothing to show for it: they go round.
  private static let mostPacketsWithoutProgress = 10_000
  private static let mostSteps = 2_000_000
  /// Seconds.
  private static let longestTime: Int64 = 60_000

  /// Runs `schedule` to its end.
  public static func run(
    _ schedule: Schedule, tamper: Tamper? = nil, tracer: SimulationTracer? = nil
  ) -> SimulationReport {
    Simulation(schedule, tamper: tamper, tracer: tracer).run()
  }

  private init(_ schedule: Schedule, tamper: Tamper?, tracer: SimulationTracer?) {
    self.schedule = schedule
    self.tracer = tracer
    network = SimulatedNetwork(schedule, tamper: tamper, tracer: tracer)
    auditor = Auditor(schedule)
  }

  private func run() -> SimulationReport {
    do throws(SimulationFailure) {
      do throws(SocketError) {
        stations = [try Station(.a, schedule), try Station(.b, schedule)]
      } catch { throw failure(.setup, "\(error)") }
      try runToTheEnd()
    } catch {
      report.failure = error
      trace("FAILED: \(error)")
    }
    report.faults = network.counts
    report.packets = network.packets
    report.time = Int(now.nanoseconds / 1_000)
    for endpoint in stations.first?.endpoints ?? [] {
      if endpoint.isBroken || peer(of: endpoint).isBroken { report.broken += 1 } else { report.finished += 1 }
    }
    return report
  }

  // MARK: What programs and stations need

  func failure(_ rule: SimulationFailure.Rule, _ detail: String) -> SimulationFailure {
    SimulationFailure(rule: rule, detail: detail, time: Int(now.nanoseconds / 1_000))
  }

  /// Notes a failure where none can be thrown.
  func note(_ rule: SimulationFailure.Rule, _ detail: String) {
    if pendingFailure == nil { pendingFailure = failure(rule, detail) }
  }

  func noteProgress(bytes: Int = 0) {
    report.bytes += bytes
    packetsSinceProgress = 0
  }

  func trace(_ text: @autoclosure () -> String) { tracer?.note(text(), at: now) }

  func peer(of endpoint: Endpoint) -> Endpoint {
    let others = stations[endpoint.side.other.rawValue].endpoints
    return others.first { $0.plan.id == endpoint.plan.id } ?? endpoint
  }

  // MARK: Time

  private func runToTheEnd() throws(SimulationFailure) {
    while !isOver { try advance() }
    try judgeConnections()
    for station in stations {
      if let listener = station.listener { station.host.close(listener, at: now) }
      station.listener = nil
    }
    // Fragments, and packets that wait for a neighbour, have had their time.
    let end = now + .seconds(75)
    while now < end, !network.isEmpty || stations.contains(where: { $0.nextTime < end }) { try advance() }
    for station in stations {
      let use = station.pool.statistics
      guard use.blocksInUse == 0, use.smallRegionsInUse == 0, use.largeRegionsInUse == 0 else {
        throw failure(
          .memory,
          "\(station.side.name) keeps \(use.blocksInUse) blocks, \(use.smallRegionsInUse) small and "
            + "\(use.largeRegionsInUse) large regions")
      }
    }
  }

  private func advance() throws(SimulationFailure) {
    var next = network.nextArrival
    for station in stations { next = min(next, station.nextTime) }
    report.steps += 1
    guard next != .distantFuture, next.nanoseconds < .seconds(Self.longestTime), report.steps < Self.mostSteps else {
      throw failure(.stuck, describeAll())
    }
    now = max(now, next)
    while let flight = network.popArrival(at: now) { try deliver(flight) }
    for station in stations {
      station.host.advance(to: now)
      try station.runPrograms(self)
      // Twice: what a program did is done at once.
      station.host.advance(to: now)
      transmit(from: station)
      if let pendingFailure { throw pendingFailure }
    }
    if packetsSinceProgress > Self.mostPacketsWithoutProgress { throw failure(.livelock, describeAll()) }
    if let complaint = auditor.audit(stations, at: now) { throw failure(complaint.rule, complaint.detail) }
    report.mostBlocks = max(report.mostBlocks, auditor.mostBlocks)
    if auditor.takeProgress() { packetsSinceProgress = 0 }
  }

  private func deliver(_ flight: SimulatedNetwork.Flight) throws(SimulationFailure) {
    let station = stations[flight.to.rawValue]
    guard let packet = flight.frame.packet(from: station.pool) else { return }
    guard flight.frame.isCorrupt else { return station.host.receive(packet, on: Station.interface, at: now) }
    let before = station.host.drops.total
    station.host.receive(packet, on: Station.interface, at: now)
    if station.host.drops.total == before {
      throw failure(.corruption, "\(flight.to.name) took a frame of \(flight.frame.bytes.count) bytes")
    }
  }

  private func transmit(from station: Station) {
    var queue = PacketQueue()
    station.host.transmit(from: Station.interface, at: now) { queue.append($0) }
    while var packet = queue.popFirst() {
      if station.setup.offload == .split, packet.metadata.segmentSize > 0 {
        var segments = PacketQueue()
        _ = Segmentation.segment(
          packet, linkHeaderByteCount: FrameLayout.network, pool: station.pool, into: &segments)
        while let segment = segments.popFirst() { send(segment, from: station) }
      } else {
        if station.setup.offload == .split { Segmentation.completeChecksum(&packet) }
        send(packet, from: station)
      }
    }
  }

  private func send(_ packet: borrowing Packet, from station: Station) {
    packetsSinceProgress += 1
    network.take(packet, from: station.side, at: now)
  }

  // MARK: The end

  private var isOver: Bool {
    for station in stations {
      guard station.host.connectionCount == 0, station.acceptTime == .distantFuture else { return false }
      for endpoint in station.endpoints where !endpoint.isOver {
        // Nobody comes any more to one who waits for an opener that has gone.
        if endpoint.isOpener || endpoint.socket != nil || !peer(of: endpoint).isOver { return false }
      }
    }
    return network.isEmpty
  }

  private func judgeConnections() throws(SimulationFailure) {
    for station in stations {
      for endpoint in station.endpoints {
        let other = peer(of: endpoint)
        if endpoint.isBroken || other.isBroken { continue }
        guard endpoint.isOver else { throw failure(.handshake, "\(endpoint.name) never got its connection") }
        guard endpoint.written == endpoint.planned || endpoint.isRude, other.received == endpoint.written else {
          throw failure(.lost, "\(endpoint.description); \(other.description)")
        }
        if !auditor.sawTimeWait(endpoint.plan.id) {
          throw failure(.handshake, "no end of connection \(endpoint.plan.id) came to TIME-WAIT")
        }
      }
    }
  }

  private func describeAll() -> String {
    var parts: [String] = ["\(packetsSinceProgress) packets without progress, \(report.steps) steps"]
    for station in stations {
      for endpoint in station.endpoints where !endpoint.isOver { parts.append(endpoint.description) }
      parts += auditor.describe(station)
    }
    return parts.joined(separator: "; ")
  }
}
