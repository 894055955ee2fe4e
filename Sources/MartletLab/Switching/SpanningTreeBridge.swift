import MartletWire

/// The spanning tree protocol of one bridge (IEEE 802.1D-1998 clause 8), whose procedures have their names here: a value
/// without a clock, that takes messages and times and returns messages and states of ports.
struct SpanningTreeBridge {
  enum PortState: String, Sendable {
    case disabled, blocking, listening, learning, forwarding

    var learns: Bool { self == .learning || self == .forwarding }
  }

  enum Role: String, Sendable { case root, designated, blocked, disabled }

  struct Port {
    let id: UInt16
    let pathCost: UInt32
    var state = PortState.disabled
    /// What the best message heard here said, or what this bridge says here.
    var designatedRoot: BridgeID
    var designatedCost: UInt32 = 0
    var designatedBridge: BridgeID
    var designatedPort: UInt16
    var acknowledgesTopologyChange = false
    var isConfigurationPending = false
    /// When what was heard would have been said by a root here and now; nil while the timer does not run.
    var messageBorn: Int64?
    var forwardTimer: Int64?
    var holdTimer: Int64?
  }

  /// What is to be done, in order.
  enum Output: Equatable {
    case send(BPDU, port: Int)
    case state(port: Int, PortState)
    case root(BridgeID)
    /// Whether what was learnt is to age fast.
    case topologyChange(Bool)
  }

  let id: BridgeID
  private(set) var ports: [Port] = []
  private(set) var outputs: [Output] = []
  private(set) var designatedRoot: BridgeID
  private(set) var rootPathCost: UInt32 = 0
  private(set) var rootPort: Int?
  private(set) var isTopologyChange = false
  private var isTopologyChangeDetected = false
  private var helloTimer: Int64?
  private var notificationTimer: Int64?
  private var topologyChangeTimer: Int64?
  /// The bridge's own times, and those of the root, in ticks.
  private let ownMaximumAge, ownHelloTime, ownForwardDelay: UInt16
  private(set) var maximumAge, helloTime, forwardDelay: UInt16

  /// - Parameter pathCosts: One for each port.
  init(_ settings: SpanningTree, address: MACAddress, pathCosts: [UInt32]) {
    id = BridgeID(priority: settings.priority, address: address)
    designatedRoot = id
    ownMaximumAge = BridgeTime.ticks(settings.maximumAge)
    ownHelloTime = BridgeTime.ticks(settings.hello)
    ownForwardDelay = BridgeTime.ticks(settings.forwardDelay)
    (maximumAge, helloTime, forwardDelay) = (ownMaximumAge, ownHelloTime, ownForwardDelay)
    for (index, cost) in pathCosts.enumerated() {
      // Priority 128, and the number from 1.
      let number = 0x8000 | UInt16(truncatingIfNeeded: index + 1)
      ports.append(
        Port(id: number, pathCost: cost, designatedRoot: id, designatedBridge: id, designatedPort: number))
    }
  }

  var isRoot: Bool { designatedRoot == id }

  func role(of port: Int) -> Role {
    if ports[port].state == .disabled { return .disabled }
    if rootPort == port { return .root }
    return isDesignated(port) ? .designated : .blocked
  }

  /// What is to be done, which is then forgotten.
  mutating func takeOutputs() -> [Output] {
    defer { outputs.removeAll(keepingCapacity: true) }
    return outputs
  }

  // MARK: Inputs

  /// Begins with the ports in `isUp` (section 8.8.1).
  mutating func start(_ isUp: [Bool], at now: Int64) {
    for port in ports.indices where isUp[port] { initialize(port) }
    selectPortStates(at: now)
    generateConfigurations(at: now)
    helloTimer = now + BridgeTime.nanoseconds(helloTime)
    outputs.append(.root(designatedRoot))
  }

  /// A port can be used from now on (section 8.8.2).
  mutating func enable(_ port: Int, at now: Int64) {
    guard ports[port].state == .disabled else { return }
    initialize(port)
    selectPortStates(at: now)
  }

  /// A port leads nowhere from now on (section 8.8.3).
  mutating func disable(_ port: Int, at now: Int64) {
    guard ports[port].state != .disabled else { return }
    let wasRoot = isRoot
    becomeDesignated(port)
    setState(port, .disabled)
    ports[port].acknowledgesTopologyChange = false
    ports[port].isConfigurationPending = false
    (ports[port].messageBorn, ports[port].forwardTimer) = (nil, nil)
    updateConfiguration()
    selectPortStates(at: now)
    if isRoot, !wasRoot { becomeRoot(at: now) }
  }

  mutating func receive(_ unit: BPDU, on port: Int, at now: Int64) {
    guard ports[port].state != .disabled else { return }
    switch unit {
    case .configuration(let message): receive(message, on: port, at: now)
    case .topologyChange:
      guard isDesignated(port) else { return }
      detectTopologyChange(at: now)
      ports[port].acknowledgesTopologyChange = true
      transmitConfiguration(port, at: now)
    }
  }

  /// Section 8.7.1.
  private mutating func receive(_ message: BPDU.Configuration, on port: Int, at now: Int64) {
    guard supersedes(message, port) else {
      if isDesignated(port) { transmitConfiguration(port, at: now) }
      return
    }
    let wasRoot = isRoot
    record(message, port, at: now)
    updateConfiguration()
    selectPortStates(at: now)
    if !isRoot, wasRoot {
      helloTimer = nil
      if isTopologyChangeDetected {
        topologyChangeTimer = nil
        transmitNotification(at: now)
      }
    }
    guard port == rootPort else { return }
    (maximumAge, helloTime, forwardDelay) = (message.maximumAge, message.helloTime, message.forwardDelay)
    setTopologyChange(message.isTopologyChange)
    generateConfigurations(at: now)
    if message.acknowledgesTopologyChange {
      isTopologyChangeDetected = false
      notificationTimer = nil
    }
  }

  // MARK: Time

  private enum Timer {
    case hello, notification, topologyChange, message(Int), forward(Int), hold(Int)
  }

  /// The timer that runs out first, of those at one time the first in a fixed order.
  private var nextTimer: (time: Int64, timer: Timer)? {
    var best: (time: Int64, timer: Timer)?
    func consider(_ time: Int64?, _ timer: Timer) {
      if let time, time < best?.time ?? .max { best = (time, timer) }
    }
    let age = BridgeTime.nanoseconds(maximumAge)
    for port in ports.indices {
      consider(ports[port].messageBorn.map { $0 + age }, .message(port))
      consider(ports[port].forwardTimer, .forward(port))
      consider(ports[port].holdTimer, .hold(port))
    }
    consider(helloTimer, .hello)
    consider(notificationTimer, .notification)
    consider(topologyChangeTimer, .topologyChange)
    return best
  }

  var nextDeadline: Int64? { nextTimer?.time }

  /// Does what is due by `now` (sections 8.7.3 to 8.7.8).
  mutating func advance(to now: Int64) {
    while let (time, timer) = nextTimer, time <= now {
      switch timer {
      case .hello:
        generateConfigurations(at: time)
        helloTimer = time + BridgeTime.nanoseconds(helloTime)
      case .notification: transmitNotification(at: time)
      case .topologyChange:
        topologyChangeTimer = nil
        isTopologyChangeDetected = false
        setTopologyChange(false)
      case .message(let port):
        let wasRoot = isRoot
        becomeDesignated(port)
        ports[port].messageBorn = nil
        updateConfiguration()
        selectPortStates(at: time)
        if isRoot, !wasRoot { becomeRoot(at: time) }
      case .forward(let port): endForwardDelay(port, at: time)
      case .hold(let port):
        ports[port].holdTimer = nil
        if ports[port].isConfigurationPending { transmitConfiguration(port, at: time) }
      }
    }
  }

  private mutating func endForwardDelay(_ port: Int, at now: Int64) {
    ports[port].forwardTimer = nil
    switch ports[port].state {
    case .listening:
      setState(port, .learning)
      ports[port].forwardTimer = now + BridgeTime.nanoseconds(forwardDelay)
    case .learning:
      setState(port, .forwarding)
      if ports.indices.contains(where: { ports[$0].state != .disabled && isDesignated($0) }) {
        detectTopologyChange(at: now)
      }
    default: break
    }
  }

  // MARK: Elements of procedure (section 8.6)

  private mutating func initialize(_ port: Int) {
    becomeDesignated(port)
    setState(port, .blocking)
    ports[port].acknowledgesTopologyChange = false
    ports[port].isConfigurationPending = false
  }

  private mutating func becomeRoot(at now: Int64) {
    (maximumAge, helloTime, forwardDelay) = (ownMaximumAge, ownHelloTime, ownForwardDelay)
    detectTopologyChange(at: now)
    notificationTimer = nil
    generateConfigurations(at: now)
    helloTimer = now + BridgeTime.nanoseconds(helloTime)
  }

  private func isDesignated(_ port: Int) -> Bool {
    ports[port].designatedBridge == id && ports[port].designatedPort == ports[port].id
  }

  private mutating func transmitConfiguration(_ port: Int, at now: Int64) {
    guard ports[port].holdTimer == nil else {
      ports[port].isConfigurationPending = true
      return
    }
    var age: Int64 = 0
    if let rootPort {
      // An overestimate of what the message waits here: a second, or less where the tree is a fast one.
      let increment = Int64(max(1, min(256, maximumAge / 20)))
      age = (now - (ports[rootPort].messageBorn ?? now)) / BridgeTime.tick + increment
    }
    guard age < Int64(maximumAge) else { return }
    let message = BPDU.Configuration(
      isTopologyChange: isTopologyChange, acknowledgesTopologyChange: ports[port].acknowledgesTopologyChange,
      root: designatedRoot, rootPathCost: rootPathCost, bridge: id, port: ports[port].id, messageAge: UInt16(age),
      maximumAge: maximumAge, helloTime: helloTime, forwardDelay: forwardDelay)
    ports[port].acknowledgesTopologyChange = false
    ports[port].isConfigurationPending = false
    // The hold time is a second, or less where the tree is a fast one.
    ports[port].holdTimer = now + min(1_000_000_000, BridgeTime.nanoseconds(helloTime) / 2)
    outputs.append(.send(.configuration(message), port: port))
  }

  /// Tells the bridge nearer to the root, again and again until it acknowledges.
  private mutating func transmitNotification(at now: Int64) {
    guard let rootPort else { return }
    outputs.append(.send(.topologyChange, port: rootPort))
    notificationTimer = now + BridgeTime.nanoseconds(ownHelloTime)
  }

  private func supersedes(_ message: BPDU.Configuration, _ port: Int) -> Bool {
    let known = ports[port]
    if message.root != known.designatedRoot { return message.root < known.designatedRoot }
    if message.rootPathCost != known.designatedCost { return message.rootPathCost < known.designatedCost }
    if message.bridge != known.designatedBridge { return message.bridge < known.designatedBridge }
    return message.bridge != id || message.port <= known.designatedPort
  }

  private mutating func record(_ message: BPDU.Configuration, _ port: Int, at now: Int64) {
    ports[port].designatedRoot = message.root
    ports[port].designatedCost = message.rootPathCost
    ports[port].designatedBridge = message.bridge
    ports[port].designatedPort = message.port
    ports[port].messageBorn = now - BridgeTime.nanoseconds(message.messageAge)
  }

  private mutating func generateConfigurations(at now: Int64) {
    for port in ports.indices where ports[port].state != .disabled && isDesignated(port) {
      transmitConfiguration(port, at: now)
    }
  }

  private mutating func updateConfiguration() {
    let old = designatedRoot
    selectRoot()
    selectDesignatedPorts()
    if designatedRoot != old { outputs.append(.root(designatedRoot)) }
  }

  private mutating func selectRoot() {
    var best: Int?
    for port in ports.indices {
      let one = ports[port]
      guard one.state != .disabled, !isDesignated(port), one.designatedRoot < id else { continue }
      guard let other = best.map({ ports[$0] }) else {
        best = port
        continue
      }
      let mine = (one.designatedRoot, one.designatedCost + one.pathCost, one.designatedBridge, one.designatedPort)
      let theirs = (
        other.designatedRoot, other.designatedCost + other.pathCost, other.designatedBridge, other.designatedPort
      )
      if mine < theirs { best = port }
    }
    rootPort = best
    designatedRoot = best.map { ports[$0].designatedRoot } ?? id
    rootPathCost = best.map { ports[$0].designatedCost + ports[$0].pathCost } ?? 0
  }

  private mutating func selectDesignatedPorts() {
    for port in ports.indices {
      let known = ports[port]
      let mine = (rootPathCost, id, known.id)
      if isDesignated(port) || known.designatedRoot != designatedRoot
        || mine <= (known.designatedCost, known.designatedBridge, known.designatedPort)
      {
        becomeDesignated(port)
      }
    }
  }

  private mutating func becomeDesignated(_ port: Int) {
    ports[port].designatedRoot = designatedRoot
    ports[port].designatedCost = rootPathCost
    ports[port].designatedBridge = id
    ports[port].designatedPort = ports[port].id
  }

  private mutating func selectPortStates(at now: Int64) {
    for port in ports.indices {
      if port == rootPort {
        ports[port].isConfigurationPending = false
        ports[port].acknowledgesTopologyChange = false
        makeForwarding(port, at: now)
      } else if isDesignated(port) {
        ports[port].messageBorn = nil
        makeForwarding(port, at: now)
      } else {
        ports[port].isConfigurationPending = false
        ports[port].acknowledgesTopologyChange = false
        makeBlocking(port, at: now)
      }
    }
  }

  private mutating func makeForwarding(_ port: Int, at now: Int64) {
    guard ports[port].state == .blocking else { return }
    setState(port, .listening)
    ports[port].forwardTimer = now + BridgeTime.nanoseconds(forwardDelay)
  }

  private mutating func makeBlocking(_ port: Int, at now: Int64) {
    let old = ports[port].state
    guard old != .disabled, old != .blocking else { return }
    setState(port, .blocking)
    ports[port].forwardTimer = nil
    if old.learns { detectTopologyChange(at: now) }
  }

  private mutating func setState(_ port: Int, _ state: PortState) {
    ports[port].state = state
    outputs.append(.state(port: port, state))
  }

  private mutating func detectTopologyChange(at now: Int64) {
    if isRoot {
      setTopologyChange(true)
      topologyChangeTimer = now + BridgeTime.nanoseconds(ownMaximumAge) + BridgeTime.nanoseconds(ownForwardDelay)
    } else if !isTopologyChangeDetected {
      transmitNotification(at: now)
    }
    isTopologyChangeDetected = true
  }

  private mutating func setTopologyChange(_ isChange: Bool) {
    guard isChange != isTopologyChange else { return }
    isTopologyChange = isChange
    outputs.append(.topologyChange(isChange))
  }
}
