internal import Logging
internal import MartletCore
internal import MartletWire

/// Carries UDP datagrams of this machine into a virtual network and answers back. Touched by the loop's thread alone.
final class DatagramForwarder: @unchecked Sendable {
  /// One peer on this machine.
  private final class Flow: @unchecked Sendable {
    let peer: SocketAddress
    let socket: UDPSocket
    var lastUse: Instant
    /// Orders flows of the same last use.
    let number: UInt64
    var isEnded = false

    init(peer: SocketAddress, socket: UDPSocket, lastUse: Instant, number: UInt64) {
      self.peer = peer
      self.socket = socket
      self.lastUse = lastUse
      self.number = number
    }
  }

  private let host: VirtualHost
  private let target: SocketAddress
  private let limits: Publication.Limits
  private let socket: SystemSocket
  private let logger: Logger
  private var flows: [SocketAddress: Flow] = [:]
  private var nextNumber: UInt64 = 0

  init(
    host: VirtualHost, target: SocketAddress, limits: Publication.Limits, socket: SystemSocket, logger: Logger
  ) {
    self.host = host
    self.target = target
    self.limits = limits
    self.socket = socket
    self.logger = logger
  }

  func run() async {
    while !socket.isClosed {
      var source: SocketAddress?
      var result = SystemSocket.Outcome<Int>.wouldBlock
      let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
        result = unsafe socket.receive(into: UnsafeMutableRawBufferPointer(buffer), from: &source)
        if case .done(let read) = result { count = read }
      }
      switch result {
      case .done:
        if let source { forward(bytes, from: source) }
      case .wouldBlock:
        if await !socket.wait(for: .readable, "a datagram from this machine") { socket.close() }
      case .failed(let error):
        // What the system says of an earlier answer, whose peer is gone: its flow will time out.
        logger.debug("receiving a datagram from this machine failed (errno \(error))")
      }
    }
    let all = flows.values.sorted { $0.number < $1.number }
    for flow in all { end(flow) }
  }

  private func forward(_ bytes: [UInt8], from peer: SocketAddress) {
    guard let flow = flow(for: peer) else { return }
    flow.lastUse = host.loop.core.now
    do throws(SocketError) {
      try flow.socket.send(bytes)
    } catch {
      logger.debug("a datagram from \(peer) went no further: \(error)")
    }
  }

  private func flow(for peer: SocketAddress) -> Flow? {
    if let flow = flows[peer] { return flow }
    if flows.count >= max(1, limits.maximumFlows) { dropOldest() }
    do throws(SocketError) {
      let socket = try host.bindUDP(on: SocketAddress(.any(target.version), port: 0))
      try socket.connect(to: target)
      nextNumber += 1
      let flow = Flow(peer: peer, socket: socket, lastUse: host.loop.core.now, number: nextNumber)
      flows[peer] = flow
      host.loop.task { [self] in await answer(flow) }
      return flow
    } catch {
      logger.info("no way to \(target) from \(host.name): \(error)")
      return nil
    }
  }

  private func dropOldest() {
    let oldest = flows.values.min { ($0.lastUse, $0.number) < ($1.lastUse, $1.number) }
    if let oldest { end(oldest) }
  }

  private func end(_ flow: Flow) {
    flow.isEnded = true
    if flows[flow.peer] === flow { flows[flow.peer] = nil }
    flow.socket.close()
  }

  /// Carries answers back until the flow has been silent for too long.
  private func answer(_ flow: Flow) async {
    let loop = host.loop
    setAlarm(for: flow)
    while !flow.isEnded {
      do throws(SocketError) {
        let datagram = try await flow.socket.receive()
        flow.lastUse = loop.core.now
        _ = socket.send(datagram.bytes, to: flow.peer)
      } catch {
        // A refusal is about one datagram; the end of the socket is the flow's.
        if error == .notASocket || error == .cancelled { return }
      }
    }
  }

  private func setAlarm(for flow: Flow) {
    let core = host.loop.core
    let end = flow.lastUse.advanced(by: limits.flowTimeout)
    // The timer holds on to the flow and its host no longer than the flow is alive.
    _ = core.setTimer(at: end) { [weak self, weak flow, unowned core] in
      guard let self, let flow, !flow.isEnded else { return }
      if flow.lastUse.advanced(by: limits.flowTimeout) <= core.now {
        self.end(flow)
      } else {
        setAlarm(for: flow)
      }
    }
  }
}
