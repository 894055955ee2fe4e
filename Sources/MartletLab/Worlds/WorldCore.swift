import Martlet
import MartletCore
import MartletWire

/// What a world is made of, used by its loop's thread alone.
final class WorldCore: @unchecked Sendable {
  struct Application {
    var body: @Sendable (VirtualHost) async throws -> Void
    var task: Task<Void, any Error>?
  }

  weak var world: World?
  let plan: WorldPlan
  let seed: UInt64
  unowned let loop: Loop
  let hosts: [VirtualHost?]
  var switches: [LabSwitch?] = []
  var media: [SharedMedium?] = []
  /// Two for each link: from its first end, and from its second.
  var lanes: [Lane] = []
  let partition: Partition
  var recorder: Recorder?
  /// By node: what makes it slow, if anything does.
  var processors: [NodeProcessor?]
  /// Why the same seed does not give the same run.
  var unrepeatable: [String] = []
  private let services: [[@Sendable (VirtualHost) async throws -> Void]]
  private var applications: [[Application]]
  private var isDown: [Bool]
  /// Faults that are to end.
  var guarded = GuardedFaults()

  init(
    _ plan: WorldPlan, seed: UInt64, hosts: [VirtualHost?], loop: Loop, pool: borrowing PacketPool, isRecorded: Bool
  ) throws {
    self.plan = plan
    self.seed = seed
    self.loop = loop
    self.hosts = hosts
    processors = hosts.map { _ in nil }
    services = try plan.description.nodes.map { try $0.services.map(WorldService.program) }
    applications = hosts.map { _ in [] }
    isDown = hosts.map { _ in false }
    var owners: [IPAddress: Int] = [:]
    for (node, interfaces) in plan.interfaces.enumerated() {
      for address in interfaces.flatMap(\.addresses) { owners[address.address] = node }
    }
    partition = Partition(owners: owners)
    if isRecorded { recorder = Recorder(outline) }
    for (number, link) in plan.description.links.enumerated() {
      for (end, direction) in [link.there, link.back].enumerated() {
        let lane = Lane(
          direction, link: number, end: end, seed: seed, name: "\(link.name).\(end == 0 ? "there" : "back")",
          pool: pool)
        lane.recorder = recorder
        lanes.append(lane)
      }
    }
    for (node, description) in plan.description.nodes.enumerated() {
      setUpProcessor(of: node)
      switches.append(description.kind == .switch ? plug(description, node, pool) : nil)
      media.append(description.medium.map { lay($0, node, pool) })
      if let host = hosts[node] {
        try plug(host, node)
      } else if description.kind == .tap {
        try plugTap(node, pool)
      }
    }
  }

  private func plug(_ host: VirtualHost, _ node: Int) throws {
    var ids: [InterfaceID] = []
    for interface in plan.interfaces[node] {
      let end = LabEnd(
        outgoing: lanes[interface.link * 2 + interface.end], incoming: lanes[interface.link * 2 + 1 - interface.end],
        node: node, partition: partition)
      end.ignoresBridges = plan.mayHearBridges(interface)
      ids.append(
        try host.attach(end, name: interface.name, macAddress: interface.mac, addresses: interface.addresses))
    }
    for route in plan.routes[node] {
      try host.addRoute(to: route.destination, via: route.gateway, on: ids[route.interface])
    }
    guard let recorder else { return }
    var isFirst = true
    loop.observeTurns(of: host) { host, now in
      if isFirst {
        recorder.routes(of: &host, node: node, at: now.nanoseconds)
        isFirst = false
      }
      recorder.turn(of: &host, node: node, at: now)
    }
  }

  private func plug(
    _ description: WorldDescription.Node, _ node: Int, _ pool: borrowing PacketPool
  ) -> LabSwitch {
    let box = LabSwitch(node: node, name: description.name, ageing: description.ageing, pool: pool)
    box.recorder = recorder
    for interface in plan.interfaces[node] {
      let incoming = lanes[interface.link * 2 + 1 - interface.end]
      let port = box.addPort(
        outgoing: lanes[interface.link * 2 + interface.end], incoming: incoming, name: interface.name)
      incoming.wake = loop.add(port)
    }
    plantTree(of: box, description)
    return box
  }

  /// What is there, before anything has happened.
  private var outline: Recording {
    let description = plan.description
    var recording = Recording(name: description.name, seed: seed)
    recording.summary = description.summary
    recording.nodes = description.nodes.enumerated().map { index, node in
      var result = Recording.Node(
        name: node.name, kind: node.kind,
        interfaces: plan.interfaces[index].map { interface in
          Recording.Interface(
            name: interface.name, mac: node.hasStack ? interface.mac.description : "",
            addresses: interface.addresses.map(\.description), link: interface.link)
        })
      result.faults = node.faultWords
      return result
    }
    recording.links = description.links.enumerated().map { number, link in
      let ends = [link.first, link.second].enumerated().map { end, plug in
        let node = plan.indices[plug.node] ?? 0
        let interface = plan.interfaces[node].firstIndex { $0.link == number && $0.end == end } ?? 0
        return Recording.Link.End(node: node, interface: interface)
      }
      let (there, back) = (link.there.faultWords, link.back.faultWords)
      let words =
        there == back
        ? there
        : [there.isEmpty ? "" : "there: \(there)", back.isEmpty ? "" : "back: \(back)"].filter { !$0.isEmpty }
          .joined(separator: "; ")
      return Recording.Link(
        name: link.name, ends: ends, rate: plan.medium(of: number)?.rate ?? link.there.rate,
        delay: max(0, link.there.delay.inNanoseconds),
        mtu: min(link.there.mtu, link.back.mtu), faults: words)
    }
    return recording
  }

  // MARK: Programs

  /// Starts services, and what the schedule says.
  func start() {
    for box in switches { box?.tree?.start(at: loop.now.nanoseconds) }
    for (node, programs) in services.enumerated() {
      for program in programs { add(program, on: node) }
    }
    setClocks()
    for entry in plan.description.schedule {
      let deadline = Instant.zero + entry.time.inNanoseconds
      _ = loop.setTimer(at: deadline, { [weak self] in self?.apply(entry.fault) })
    }
  }

  func add(_ body: @escaping @Sendable (VirtualHost) async throws -> Void, on node: Int) {
    applications[node].append(Application(body: body))
    if !isDown[node] { launch(applications[node].count - 1, on: node) }
  }

  private func launch(_ index: Int, on node: Int) {
    guard let host = hosts[node] else { return }
    let body = applications[node][index].body
    weak let world = world
    applications[node][index].task = loop.task {
      do {
        try await body(host)
      } catch {
        if !Task.isCancelled { world?.say(host.name, "a program ended: \(error)") }
      }
    }
  }

  // MARK: Faults

  func apply(_ fault: WorldDescription.Fault) {
    let now = loop.now
    switch fault {
    case .down(let link):
      each(link, "is down") { $0.setUp(false, at: now) }
      tellSwitches(of: link, isUp: false, at: now)
    case .up(let link):
      each(link, "is up") { $0.setUp(true, at: now) }
      tellSwitches(of: link, isUp: true, at: now)
    case .hold(let link): each(link, "holds what it carries") { $0.setHeld(true, at: now) }
    case .release(let link): each(link, "lets go of what it held") { $0.setHeld(false, at: now) }
    case .crash(let name) where box(name) != nil: crashSwitch(name, at: now)
    case .restart(let name) where box(name) != nil: restartSwitch(name, at: now)
    case .pause(let name) where box(name) != nil: setSwitch(name, isPaused: true, at: now)
    case .resume(let name) where box(name) != nil: setSwitch(name, isPaused: false, at: now)
    case .crash(let name): machine(name, "crashes") { crash($0, $1, at: now) }
    case .restart(let name): machine(name, "starts again") { restart($0, $1, at: now) }
    case .pause(let name):
      machine(name, "stands still") { node, host in
        pauseProcessor(of: node)
        host.pause()
      }
    case .resume(let name):
      machine(name, "goes on") { node, host in
        resumeProcessor(of: node)
        host.resume()
      }
    case .clock(let name, let fault): setClock(of: name, fault)
    case .cpu(let name, let cpu): setProcessor(of: name, cpu)
    case .ring(let name, let ring): setRing(of: name, ring)
    case .partition(let left, let right, let isOneWay):
      let (left, right) = (left.compactMap { plan.indices[$0] }, right.compactMap { plan.indices[$0] })
      for source in left {
        for destination in right {
          partition.block(from: source, to: destination)
          if !isOneWay { partition.block(from: destination, to: source) }
        }
      }
      for node in left {
        note("is cut off from \(right.map { plan.description.nodes[$0].name }.joined(separator: ", "))", node)
      }
    case .heal:
      partition.allowAll()
      note("the partition is over", 0)
    }
  }

  func note(_ text: String, _ node: Int) {
    let name = plan.description.nodes[node].name
    recorder?.note("fault", "\(name) \(text)", node: node, at: loop.now.nanoseconds)
  }

  private func each(_ name: String, _ words: String, _ body: (Lane) -> Void) {
    guard let link = plan.linkIndices[name] else { return }
    for end in 0..<2 { body(lanes[link * 2 + end]) }
    let node = plan.indices[plan.description.links[link].first.node] ?? 0
    recorder?.note("fault", "\(name) \(words)", node: node, at: loop.now.nanoseconds)
  }

  private func machine(_ name: String, _ words: String, _ body: (Int, VirtualHost) -> Void) {
    guard let node = plan.indices[name], let host = hosts[node] else { return }
    note(words, node)
    body(node, host)
  }

  private func crash(_ node: Int, _ host: VirtualHost, at now: Instant) {
    guard !isDown[node] else { return }
    isDown[node] = true
    for index in applications[node].indices {
      applications[node][index].task?.cancel()
      applications[node][index].task = nil
    }
    host.crash()
    recorder?.forget(node)
    resetProcessor(of: node)
    for interface in plan.interfaces[node] {
      lanes[interface.link * 2 + interface.end].loseWaiting("its sender is gone", at: now)
    }
    forgetFrames(of: node, at: now)
  }

  private func restart(_ node: Int, _ host: VirtualHost, at now: Instant) {
    guard isDown[node] else { return }
    isDown[node] = false
    loseArrived(at: node, by: now)
    host.resume()
    for index in applications[node].indices { launch(index, on: node) }
  }

  /// Whether the machine has crashed and not started again.
  func isGone(_ node: Int) -> Bool { isDown[node] }

  private func loseArrived(at node: Int, by now: Instant) {
    for interface in plan.interfaces[node] {
      lanes[interface.link * 2 + 1 - interface.end].loseArrived("nobody there", by: now)
    }
  }

  func change(_ link: Int, there: LinkDirection?, back: LinkDirection?) {
    let name = plan.description.links[link].name
    for (end, direction) in [there, back].enumerated() {
      guard let direction else { continue }
      lanes[link * 2 + end].setFaults(
        direction, seed: seed, name: "\(name).\(end == 0 ? "there" : "back")@\(loop.now.nanoseconds)", at: loop.now)
      let node = plan.indices[plan.description.links[link].first.node] ?? 0
      let words = direction.faultWords
      recorder?.note(
        "fault", "\(name) (\(end == 0 ? "there" : "back")) is now \(words.isEmpty ? "without faults" : words)",
        node: node,
        at: loop.now.nanoseconds)
    }
  }

  // MARK: The end

  func finish(at now: Instant) -> Recording {
    for node in hosts.indices where isDown[node] { loseArrived(at: node, by: now) }
    var recording = recorder?.finish(at: now.nanoseconds) ?? outline
    recording.duration = now.nanoseconds
    recording.counters += mediumCounters
    recording.unrepeatable = unrepeatable
    for (node, host) in hosts.enumerated() {
      if let host {
        for (index, interface) in plan.interfaces[node].enumerated() {
          let counters = host.counters(of: InterfaceID(index: UInt16(index + 1)))
          recording.counters.append(
            Recording.Counter(node: node, name: "\(interface.name) frames received", value: counters.receivedPackets))
          recording.counters.append(
            Recording.Counter(node: node, name: "\(interface.name) frames sent", value: counters.sentPackets))
        }
        let copies = host.copies
        for (name, value) in [
          ("bytes copied from programs", copies.fromPrograms), ("bytes copied to programs", copies.toPrograms),
        ] where plan.description.nodes[node].kind == .host {
          recording.counters.append(Recording.Counter(node: node, name: name, value: value))
        }
        recording.counters += ringCounters(of: node)
        let drops = host.drops
        for reason in Drop.Reason.allCases where drops[reason] > 0 {
          recording.counters.append(
            Recording.Counter(node: node, name: "dropped: \(Recorder.words("\(reason)"))", value: drops[reason]))
        }
      } else if let box = switches[node] {
        recording.counters += ringCounters(of: node)
        for (name, value) in [
          ("frames forwarded", box.forwarded), ("frames flooded", box.flooded), ("frames filtered", box.filtered),
          ("frames at blocked ports", box.blocked),
        ] where name != "frames at blocked ports" || box.tree != nil {
          recording.counters.append(Recording.Counter(node: node, name: name, value: value))
        }
      }
    }
    return recording
  }
}
