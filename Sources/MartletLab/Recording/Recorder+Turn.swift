import MartletCore
import MartletWire

// What is asked of a host after each of its turns.

extension Recorder {
  /// `host` has received, computed and sent.
  func turn(of host: inout Host, node: Int, at now: Instant) {
    let time = now.nanoseconds
    if !host.reportsDrops { host.reportsDrops = true }
    while let packet = host.nextDrop() {
      let reason = packet.metadata.dropReason.map { "\($0)" } ?? "unknown"
      let frame = packet.metadata.tag > 0 ? Int(packet.metadata.tag) - 1 : nil
      note(
        "dropped", "dropped by the host: \(Self.words(reason))", node: node,
        flow: frame.flatMap { frames[$0].flow }, frame: frame, cause: frame.map(Cause.received), at: time)
    }
    followConnections(of: &host, node: node, at: time)
    followTables(of: &host, node: node, at: time)
    if recording.nodes[node].kind == .router { explainRoutes(of: &host, node: node) }
    memories[node].sent.removeAll(keepingCapacity: true)
  }

  /// Says of what the router passed on by which of its routes it went.
  private func explainRoutes(of host: inout Host, node: Int) {
    for frame in memories[node].sent where frames[frame].origin != nil && trails[frame].view.protocol != nil {
      guard let destination = trails[frame].view.destination, let route = host.explainRoute(to: destination).route
      else { continue }
      switch route.nextHop {
      case .onLink: trails[frame].route = "by \(route.destination), on the link"
      case .gateway(let gateway): trails[frame].route = "by \(route.destination) via \(gateway)"
      }
    }
  }

  /// "tcpNoSocket" as "tcp no socket".
  static func words(_ name: String) -> String {
    var text = ""
    for character in name {
      if character.isUppercase { text += " " + character.lowercased() } else { text.append(character) }
    }
    return text
  }

  // MARK: Connections

  private func followConnections(of host: inout Host, node: Int, at time: Int64) {
    var observations: [TCPObservation] = []
    host.observeConnections { observations.append($0) }
    for index in memories[node].connections.indices { memories[node].connections[index].isSeen = false }
    for observation in observations {
      let place: Int
      if let known = memories[node].connections.firstIndex(where: { $0.socket == observation.socket }) {
        place = known
      } else {
        guard let new = remember(observation, node: node, at: time) else { continue }
        place = new
      }
      memories[node].connections[place].isSeen = true
      let old = memories[node].connections[place].state
      if old != observation.state {
        state(place, node: node, from: old, to: observation.state, at: time)
      }
      follow(observation, place, of: &host, node: node, at: time)
    }
    for index in memories[node].connections.indices where !memories[node].connections[index].isSeen {
      let last = memories[node].connections[index]
      if last.state != .closed { state(index, node: node, from: last.state, to: .closed, at: time) }
    }
    memories[node].connections.removeAll { !$0.isSeen }
  }

  private func turnCause(_ node: Int, at time: Int64) -> Cause? {
    memories[node].receivedAt == time ? memories[node].received.map(Cause.received) : nil
  }

  private func remember(_ observation: TCPObservation, node: Int, at time: Int64) -> Int? {
    let local = SocketAddress(observation.local, port: observation.localPort)
    let remote = SocketAddress(observation.remote, port: observation.remotePort)
    let isActive = observation.state == .synSent
    guard let flow = isActive ? flow(.tcp, local, remote) : flow(.tcp, remote, local) else { return nil }
    memories[node].connections.append(
      ConnectionMemory(
        socket: observation.socket, state: .closed, flow: flow, isClient: recording.flows[flow].client == node,
        initialSend: observation.initialSend))
    return memories[node].connections.count - 1
  }

  private func state(_ place: Int, node: Int, from old: TCPState, to new: TCPState, at time: Int64) {
    memories[node].connections[place].state = new
    let flow = memories[node].connections[place].flow
    note(
      "state", "\(old.name) → \(new.name)", node: node, flow: flow, cause: turnCause(node, at: time), at: time)
  }

  private func follow(_ observation: TCPObservation, _ place: Int, of host: inout Host, node: Int, at time: Int64) {
    let socket = observation.socket
    if let trace = try? host.takeTrace(of: socket) {
      for event in trace.events { follow(event, place, node: node, at: time) }
    } else {
      try? host.startTrace(of: socket, capacity: 1_024)
    }
    guard observation.state.isSynchronized, observation.state != .timeWait, let info = try? host.info(of: socket) else {
      return
    }
    let flow = memories[node].connections[place].flow
    let sample = Recording.Sample(
      time: time, isClient: memories[node].connections[place].isClient, congestionWindow: info.congestionWindow,
      slowStartThreshold: info.slowStartThreshold >= Int(UInt32.max) / 2 ? .max : info.slowStartThreshold,
      receiveWindow: info.sendWindow, inFlight: info.bytesInFlight,
      roundTrip: info.smoothedRoundTrip.map(\.inNanoseconds) ?? 0,
      retransmissionTimeout: info.retransmissionTimeout.inNanoseconds, phase: Self.words(for: info.congestionPhase),
      sendQueue: info.sendQueueByteCount, receiveQueue: info.receiveQueueByteCount)
    var last = memories[node].connections[place].sample
    last?.time = time
    guard last != sample else { return }
    memories[node].connections[place].sample = sample
    recording.flows[flow].samples.append(sample)
  }

  static func words(for phase: TCPCongestionPhase) -> String {
    switch phase {
    case .slowStart, .conservativeSlowStart, .startup: "slow start"
    case .avoidance: "congestion avoidance"
    case .recovery: "recovery"
    case .timeout: "loss"
    case .drain: "drain"
    case .probeBandwidthDown, .probeBandwidthCruise, .probeBandwidthRefill, .probeBandwidthUp: "probing bandwidth"
    case .probeRoundTrip: "probing round trip"
    }
  }

  /// Puts what a sender did into words, and ties what it sent again to why.
  private func follow(_ event: TCPTraceEvent, _ place: Int, node: Int, at time: Int64) {
    let flow = memories[node].connections[place].flow
    func say(_ kind: String, _ text: String, cause: Cause? = nil) -> Int {
      note(kind, text, node: node, flow: flow, cause: cause ?? turnCause(node, at: time), at: time)
    }
    func range(_ bytes: TCPTraceEvent.Bytes) -> String { "bytes \(bytes.start) to \(bytes.end - 1)" }
    let loss = memories[node].connections[place].loss
    switch event.kind {
    case .timedOut(let count):
      memories[node].connections[place].loss = say(
        "timeout", "the retransmission timer ran out\(count > 1 ? ", for the \(count)th time in a row" : "")")
    case .lost(let bytes, let cause):
      // The time-out has told it already.
      if cause == .timeout { break }
      memories[node].connections[place].loss = say("lost", "\(range(bytes)) count as lost: \(Self.words(for: cause))")
    case .sent(let bytes, let reason):
      guard reason != .new else { break }
      let again = reason != .tailLossProbe && reason != .pathProbe && reason != .windowProbe
      let number = say(
        again ? "retransmitted" : "probe",
        "\(range(bytes)) \(again ? "again" : "as a probe"): \(Self.words(for: reason))",
        cause: again ? loss.map(Cause.event) : nil)
      tie(bytes, place, node: node, to: number, "\(again ? "retransmission" : "probe"): \(Self.words(for: reason))")
    case .recoveryBegan: _ = say("congestion", "recovery begins: the window is \(event.congestionWindow)")
    case .recoveryEnded: _ = say("congestion", "recovery ends: the window is \(event.congestionWindow)")
    case .undone: _ = say("congestion", "nothing had been lost: the window is \(event.congestionWindow) again")
    case .congestionMarked: _ = say("congestion", "a router's mark came back: the window is \(event.congestionWindow)")
    case .probeRepaired: _ = say("congestion", "a probe repaired a loss: the window is \(event.congestionWindow)")
    case .window(0): _ = say("window", "the peer's window is closed")
    case .phase(let phase): _ = say("congestion", Self.words(for: phase))
    case .acknowledged, .held, .duplicate, .window: break
    }
  }

  private func tie(_ bytes: TCPTraceEvent.Bytes, _ place: Int, node: Int, to event: Int, _ comment: String) {
    let connection = memories[node].connections[place]
    for frame in memories[node].sent where frames[frame].flow == connection.flow {
      let offset = Int(UInt32(trails[frame].view.sequenceNumber) &- connection.initialSend.value)
      guard offset >= bytes.start, offset < bytes.end, trails[frame].view.payloadByteCount > 0 else { continue }
      trails[frame].cause = .event(event)
      self.comment(UInt32(frame + 1), comment)
    }
  }

  static func words(for cause: TCPTraceEvent.LossCause) -> String {
    switch cause {
    case .reordering: "something sent later has arrived"
    case .duplicates: "three duplicate acknowledgements"
    case .partialAcknowledgment: "an acknowledgement stopped before it"
    case .timeout: "the retransmission timer ran out"
    case .pathMTU: "too big for the path"
    }
  }

  static func words(for reason: TCPTraceEvent.SendReason) -> String {
    switch reason {
    case .new: "new"
    case .reordering: "something sent later has arrived"
    case .duplicates: "three duplicate acknowledgements"
    case .partialAcknowledgment: "an acknowledgement stopped before it"
    case .timeout: "the retransmission timer ran out"
    case .pathMTU: "too big for the path"
    case .tailLossProbe: "to make the peer speak"
    case .pathProbe: "does the path take more?"
    case .windowProbe: "is the window open?"
    }
  }

  // MARK: Tables

  private func followTables(of host: inout Host, node: Int, at time: Int64) {
    // Compared as they are: to put them into words takes longer than all that a host does in a turn.
    let neighbors = host.neighborTable()
    if !neighbors.elementsEqual(memories[node].neighbors, by: Self.showAlike) {
      memories[node].neighbors = neighbors
      let rows = neighbors.map { neighbor in
        [
          "\(neighbor.address)", neighbor.mac?.description ?? "?", "\(neighbor.state)",
          host.name(of: neighbor.interface),
        ]
      }
      table(.neighbors, of: node, columns: ["address", "ethernet", "state", "interface"], rows: rows, at: time)
    }
    let sockets = host.socketTable()
    if !sockets.elementsEqual(memories[node].sockets, by: Self.showAlike) {
      memories[node].sockets = sockets
      let rows = sockets.map { row in
        [row.kind.rawValue, Self.words(for: row.local), row.remote.map(Self.words) ?? "*", row.state ?? ""]
      }
      table(.sockets, of: node, columns: ["kind", "local", "remote", "state"], rows: rows, at: time)
    }
  }

  private static func showAlike(_ left: Neighbor, _ right: Neighbor) -> Bool {
    left.address == right.address && left.mac == right.mac && left.state == right.state
      && left.interface == right.interface
  }

  private static func showAlike(_ left: SocketStatus, _ right: SocketStatus) -> Bool {
    left.kind == right.kind && left.local == right.local && left.remote == right.remote && left.state == right.state
  }

  static func words(for address: SocketAddress) -> String {
    let port = address.port == 0 ? "*" : "\(address.port)"
    return address.address.isUnspecified ? "*:\(port)" : address.port == 0 ? "\(address.address)" : "\(address)"
  }

  func routes(of host: inout Host, node: Int, at time: Int64) {
    let rows = host.routeTable.map { route in
      let way: String
      switch route.nextHop {
      case .onLink: way = "on the link"
      case .gateway(let gateway): way = "\(gateway)"
      }
      return ["\(route.destination)", way, host.name(of: route.interface), "\(route.metric)"]
    }
    table(.routes, of: node, columns: ["destination", "next hop", "interface", "metric"], rows: rows, at: time)
  }
}
