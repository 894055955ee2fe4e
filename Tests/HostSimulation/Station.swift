import MartletCore
import MartletWire

/// A host and the programs on it.
final class Station {
  static let interface = InterfaceID(index: 1)
  /// Where every listener listens, and where the openers' ports begin.
  static let listenerPort: UInt16 = 80
  static let firstPort = 40_000

  let side: Schedule.Side
  let setup: HostSetup
  let pool: PacketPool
  var host: Host
  var listener: SocketID?
  /// When the listener's program next accepts.
  var acceptTime = Instant.distantFuture
  let endpoints: [Endpoint]
  private let macAddress: MACAddress

  init(_ side: Schedule.Side, _ schedule: Schedule) throws(SocketError) {
    self.side = side
    setup = schedule.hosts[side.rawValue]
    var memory = PacketPool.Configuration()
    memory.maximumBlocks = setup.poolBlocks
    pool = PacketPool(memory)
    // Where somebody may be left alone, everybody asks at times whether the other is still there.
    let keepAlive = setup.keepAlive == 0 && schedule.mayLeaveAlone ? 60 : setup.keepAlive
    host = Host(
      name: side.name, configuration: Self.configuration(setup), pool: pool,
      seed: schedule.seed &* 2 &+ UInt64(side.rawValue))
    endpoints = schedule.plans.map { Endpoint($0, side, schedule, keepAlive: keepAlive) }
    let last = UInt8(1 + side.rawValue)
    macAddress = MACAddress(value: 0x0200_0000_0000 + UInt64(last))
    let offloads: LinkOffloads = setup.offload == .none ? [] : [.transmitChecksum, .segmentTCPv4, .segmentTCPv6]
    _ = host.addInterface(
      InterfaceConfiguration(name: "eth0", macAddress: macAddress, mtu: setup.mtu, offloads: offloads))
    for isIPv6 in [false, true] {
      let address = AddressInSubnet(Self.address(side, isIPv6: isIPv6), prefixLength: isIPv6 ? 64 : 24)
      try host.addAddress(address, to: Self.interface)
    }
    var options = ListenerOptions()
    options.backlog = setup.backlog
    options.connection = Endpoint.options(setup, keepAlive: keepAlive)
    listener = try host.listen(on: SocketAddress(.any(.v6), port: Self.listenerPort), options: options)
  }

  static func address(_ side: Schedule.Side, isIPv6: Bool) -> IPAddress {
    isIPv6 ? (side == .a ? "2001:db8::1" : "2001:db8::2") : (side == .a ? "192.0.2.1" : "192.0.2.2")
  }

  private static func configuration(_ setup: HostSetup) -> Host.Configuration {
    var configuration = Host.Configuration()
    configuration.tcp.sendBufferByteCount = setup.sendBuffer
    configuration.tcp.receiveBufferByteCount = setup.receiveBuffer
    configuration.tcp.timestamps = setup.timestamps
    configuration.tcp.selectiveAcknowledgments = setup.selective
    configuration.tcp.windowScaling = setup.scaling
    configuration.tcp.maximumReassemblyPieces = setup.reassemblyPieces
    configuration.tcp.synQueue = setup.synQueue
    configuration.tcp.userTimeout = .seconds(setup.userTimeout)
    configuration.tcp.connectTimeout = .seconds(max(180, setup.userTimeout))
    return configuration
  }

  /// When something is to be done here.
  var nextTime: Instant {
    var next = min(host.nextDeadline ?? .distantFuture, acceptTime)
    for endpoint in endpoints { next = min(next, endpoint.wakeTime) }
    return next
  }

  /// Hands on what happened to sockets, and lets programs do what is their turn.
  func runPrograms(_ simulation: Simulation) throws(SimulationFailure) {
    let now = simulation.now
    while let event = host.nextEvent() {
      if event.socket == listener {
        acceptTime = min(acceptTime, now + Int64(setup.acceptDelay) * 1_000)
      } else if let endpoint = endpoints.first(where: { $0.socket == event.socket }) {
        endpoint.wakeTime = min(endpoint.wakeTime, now + Int64(setup.thinkTime) * 1_000)
      }
    }
    if acceptTime <= now { try accept(simulation) }
    for endpoint in endpoints where endpoint.wakeTime <= now { try endpoint.run(self, simulation) }
  }

  private func accept(_ simulation: Simulation) throws(SimulationFailure) {
    acceptTime = .distantFuture
    guard let listener else { return }
    while let socket = (try? host.accept(from: listener)) ?? nil {
      let port = Int(host.remoteAddress(of: socket)?.port ?? 0)
      let endpoint = endpoints.first { $0.plan.id == port - Self.firstPort && !$0.isOpener }
      guard let endpoint, endpoint.socket == nil else {
        guard endpoint?.isBroken == true, setup.usesCookies else {
          throw simulation.failure(.handshake, "\(side.name) accepted a connection that nobody made, port \(port)")
        }
        // What brought a cookie once brings it again, and nobody remembers that the connection is over.
        simulation.trace("\(side.name) \(port - Self.firstPort) is there once more")
        host.abort(socket, at: simulation.now)
        continue
      }
      endpoint.begin(socket, at: simulation.now)
      simulation.trace("\(side.name) \(endpoint.plan.id) accepts")
    }
  }
}

extension HostSetup {
  /// Whether a listener answers with SYN cookies as soon as two connections come together.
  var usesCookies: Bool { synQueue <= 4 }
}

extension Schedule {
  var plans: [ConnectionPlan] {
    events.compactMap { if case .connection(let plan) = $0 { plan } else { nil } }
  }

  /// Whether a program of connection `id` may break it off.
  func isRude(_ id: Int) -> Bool {
    events.contains { if case .action(id, _, let action) = $0 { action.isRude } else { false } }
  }

  /// Whether a host gives up so soon that a partition outlasts it.
  var isImpatient: Bool { hosts.contains { $0.userTimeout < 600 } }

  /// Whether a connection may lose its peer without being told.
  var mayLeaveAlone: Bool {
    isImpatient || events.contains { if case .action(_, _, let action) = $0 { action.isRude } else { false } }
  }
}
