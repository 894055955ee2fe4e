package import MartletWire

/// Who is reached at which link-layer address: one cache for ARP and for neighbour discovery (RFC 4861 section 7.3).
///
/// On a packet's way it is asked with ``lookup(_:on:)``; when that knows nothing, ``resolve(_:on:at:queueing:dropped:)``
/// keeps the packet and says whether to ask the link. What arrives from the link comes in by the `received…` methods; what
/// time brings comes out of ``nextAction(at:)``.
package struct NeighborCache: ~Copyable {
  /// What has to be done because time went by.
  package enum Action: ~Copyable {
    /// Ask the whole link, or the solicited-node group (an ARP request, a multicast neighbour solicitation).
    case solicit(IPAddress, InterfaceID, attempt: Int)
    /// Ask the neighbour itself whether it is still there.
    case probe(IPAddress, InterfaceID, MACAddress, attempt: Int)
    /// Nobody answered: the entry is gone, and these packets cannot be delivered (``Drop/Reason/neighborUnresolved``).
    case unreachable(IPAddress, InterfaceID, PacketQueue)
  }

  /// What became of a packet for a neighbour without a known address.
  package struct Resolution: Equatable, Sendable {
    /// Whether the link has to be asked now, for the first time.
    package var solicits: Bool
    /// Why a packet was put into `dropped`, if one was.
    package var drop: Drop.Reason?
  }

  /// What a message from the link changed.
  package struct Update: Equatable, Sendable, BitwiseCopyable {
    /// Whether the cache has another link-layer address for the neighbour than before.
    package var isNewAddress = false
    /// Whether the neighbour has just ceased to be a router: its default routes must go (RFC 4861 section 7.2.5).
    package var isRouterNoMore = false
  }

  struct Recent: BitwiseCopyable {
    var address = IPAddress(IPv6Address.any)
    var interface = InterfaceID.loopback
    var mac = MACAddress.zero
  }

  private struct Timers {
    var reachable: Nanoseconds
    var retransmit: Nanoseconds
  }

  let configuration: Host.Configuration.Neighbors
  private let hash: KeyedHash
  private var random: RandomStream
  private var entries: Slab<NeighborEntry>
  private var index = HashIndex()
  private var deadlines = DeadlineHeap()
  /// Answers to the last questions, each at a place its address decides; never of a STALE entry.
  private let recent = FixedArray(repeating: Recent(), count: 16)
  /// What interfaces have in place of the configuration, at their indices.
  private var timers: [Timers?] = []
  private var oldestStale = NeighborEntry.none
  private var newestStale = NeighborEntry.none
  private var incompleteCount = 0
  /// Moves on whenever a neighbour's address may no longer be used without asking.
  package private(set) var generation: UInt64 = 0

  package init(_ configuration: Host.Configuration.Neighbors, hash: KeyedHash, random: RandomStream) {
    self.configuration = configuration
    self.hash = hash
    self.random = random
    entries = Slab(capacity: max(2, configuration.maximumEntries))
  }

  /// How many neighbours have an entry.
  package var count: Int { entries.count }

  /// When ``nextAction(at:)`` has something to do.
  package var nextDeadline: Instant? { deadlines.first }

  /// How many neighbours may be asked for at a time: half of the cache, so that a scan of a subnet cannot push out those
  /// who are there (RFC 6583 section 6.1).
  private var maximumIncomplete: Int { entries.capacity / 2 }
}

// MARK: - On a packet's way

extension NeighborCache {
  /// Where to send a packet for `address`; nil if that is not known.
  ///
  /// A use of a STALE entry starts the check whether the neighbour is still there (RFC 4861 section 7.3.3).
  @inline(__always)
  package mutating func lookup(_ address: IPAddress, on interface: InterfaceID, at now: Instant) -> MACAddress? {
    let hit = recent[Self.recentPlace(address, interface)]
    if hit.address == address, hit.interface == interface, hit.mac.value != 0 { return hit.mac }
    return lookupInTable(address, on: interface, at: now)
  }

  @inline(never)
  private mutating func lookupInTable(
    _ address: IPAddress, on interface: InterfaceID, at now: Instant
  ) -> MACAddress? {
    guard let place = find(address, interface) else { return nil }
    switch entries[place].state {
    case .incomplete: return nil
    case .stale:
      leaveStale(place)
      entries[place].state = .delay
      deadlines.set(now + configuration.delayFirstProbe.inNanoseconds, for: place)
    case .reachable, .delay, .probe, .permanent: break
    }
    let mac = entries[place].mac
    recent[Self.recentPlace(address, interface)] = Recent(address: address, interface: interface, mac: mac)
    return mac
  }

  /// Keeps `packet` until `address` is known. To be called when ``lookup(_:on:at:)`` knew nothing.
  ///
  /// - Parameter dropped: where a packet goes that finds no place: the oldest that waits for the same address when there
  ///   are too many, this one when the cache is full.
  package mutating func resolve(
    _ address: IPAddress, on interface: InterfaceID, at now: Instant, queueing packet: consuming Packet,
    dropped: inout PacketQueue
  ) -> Resolution {
    if let place = find(address, interface) {
      precondition(entries[place].state == .incomplete, "the neighbor is known")
      entries[place].waiting.append(packet)
      guard entries[place].waiting.count > max(1, configuration.maximumWaitingPackets),
        let oldest = entries[place].waiting.popFirst()
      else { return Resolution(solicits: false, drop: nil) }
      dropped.append(oldest)
      return Resolution(solicits: false, drop: .neighborQueueFull)
    }
    guard incompleteCount < maximumIncomplete,
      let place = insert(NeighborEntry(address: address, interface: interface, state: .incomplete, at: now))
    else {
      dropped.append(packet)
      return Resolution(solicits: false, drop: .neighborTableFull)
    }
    incompleteCount += 1
    entries[place].attempts = 1
    entries[place].waiting.append(packet)
    deadlines.set(now + retransmitTime(on: interface), for: place)
    return Resolution(solicits: true, drop: nil)
  }

  /// Notes that the neighbour takes what it is sent: a TCP acknowledged new data (RFC 4861 section 7.3.1).
  package mutating func confirmReachability(of address: IPAddress, on interface: InterfaceID, at now: Instant) {
    guard let place = find(address, interface) else { return }
    switch entries[place].state {
    case .incomplete, .permanent: break
    // The deadline stays where it is and is moved when it comes, so that this costs next to nothing.
    case .reachable: entries[place].confirmed = now
    case .stale, .delay, .probe: becomeReachable(place, at: now)
    }
  }

  /// Notes that the neighbour may be gone: what goes its way is not acknowledged (RFC 9293 section 3.8.3, MUST-20; RFC 1122
  /// section 3.3.1.4). It is checked as soon as it is used.
  package mutating func suspectReachability(of address: IPAddress, on interface: InterfaceID, at now: Instant) {
    guard let place = find(address, interface), entries[place].state == .reachable else { return }
    becomeStale(place, at: now)
  }
}

// MARK: - What the link says

extension NeighborCache {
  /// Takes in the sender of a question to this host: an ARP request, or a neighbour solicitation, router solicitation,
  /// router advertisement or redirect with a link-layer address (RFC 4861 section 7.2.3).
  ///
  /// - Parameter ready: where packets go that waited for the neighbour and can be sent to `mac` now.
  @discardableResult
  package mutating func receivedRequest(
    from address: IPAddress, mac: MACAddress, on interface: InterfaceID, at now: Instant, ready: inout PacketQueue
  ) -> Update {
    guard mac.isUnicast, address.isUnicast else { return Update() }
    guard let place = find(address, interface) else {
      guard let place = insert(NeighborEntry(address: address, interface: interface, state: .stale, at: now)) else {
        return Update()
      }
      entries[place].mac = mac
      joinStale(place, at: now)
      return Update(isNewAddress: true)
    }
    guard entries[place].state != .permanent, entries[place].mac != mac else { return Update() }
    setAddress(mac, of: place, ready: &ready)
    becomeStale(place, at: now)
    return Update(isNewAddress: true)
  }

  /// Takes in an answer: a neighbour advertisement (RFC 4861 section 7.2.5). It creates no entry.
  ///
  /// - Parameters:
  ///   - mac: the target link-layer address option, if there was one.
  ///   - solicited: the S flag.
  ///   - override: the O flag.
  ///   - isRouter: the R flag.
  ///   - ready: where packets go that waited for the neighbour and can be sent to `mac` now.
  @discardableResult
  package mutating func receivedReply(
    from address: IPAddress, mac: MACAddress?, on interface: InterfaceID, solicited: Bool, override: Bool,
    isRouter: Bool, at now: Instant, ready: inout PacketQueue
  ) -> Update {
    guard mac?.isUnicast != false, let place = find(address, interface) else { return Update() }
    let state = entries[place].state
    if state == .permanent { return Update() }
    if state == .incomplete {
      guard let mac else { return Update() }
      entries[place].isRouter = isRouter
      setAddress(mac, of: place, ready: &ready)
      if solicited { becomeReachable(place, at: now) } else { becomeStale(place, at: now) }
      return Update(isNewAddress: true)
    }
    let isNew = mac != nil && mac != entries[place].mac
    if isNew && !override {
      if state == .reachable { becomeStale(place, at: now) }
      return Update()
    }
    if isNew, let mac { setAddress(mac, of: place, ready: &ready) }
    if solicited {
      becomeReachable(place, at: now)
    } else if isNew {
      becomeStale(place, at: now)
    }
    let wasRouter = entries[place].isRouter
    entries[place].isRouter = isRouter
    return Update(isNewAddress: isNew, isRouterNoMore: wasRouter && !isRouter)
  }

  /// Takes in an ARP reply. It counts as solicited only while somebody was asked, so that a reply nobody wanted is no
  /// proof of anything.
  @discardableResult
  package mutating func receivedARPReply(
    from address: IPAddress, mac: MACAddress, on interface: InterfaceID, at now: Instant, ready: inout PacketQueue
  ) -> Update {
    guard let place = find(address, interface) else { return Update() }
    let state = entries[place].state
    return receivedReply(
      from: address, mac: mac, on: interface, solicited: state == .incomplete || state == .probe, override: true,
      isRouter: entries[place].isRouter, at: now, ready: &ready)
  }

  /// Takes in what nobody asked for: a gratuitous ARP message or an unsolicited neighbour advertisement with the
  /// override flag. Only entries that exist are updated.
  @discardableResult
  package mutating func receivedAnnouncement(
    from address: IPAddress, mac: MACAddress, on interface: InterfaceID, at now: Instant, ready: inout PacketQueue
  ) -> Update {
    guard let place = find(address, interface) else { return Update() }
    return receivedReply(
      from: address, mac: mac, on: interface, solicited: false, override: true, isRouter: entries[place].isRouter,
      at: now, ready: &ready)
  }
}

// MARK: - Time

extension NeighborCache {
  /// The next thing to do at `now`; nil when all is done for the time being.
  package mutating func nextAction(at now: Instant) -> Action? {
    while let place = deadlines.popDue(at: now) {
      let address = entries[place].address
      let interface = entries[place].interface
      switch entries[place].state {
      case .permanent: break
      case .incomplete:
        guard entries[place].attempts < configuration.maximumMulticastSolicitations else {
          return .unreachable(address, interface, remove(at: place))
        }
        entries[place].attempts += 1
        deadlines.set(now + retransmitTime(on: interface), for: place)
        return .solicit(address, interface, attempt: entries[place].attempts)
      case .reachable:
        let until = entries[place].confirmed + reachableTime(on: interface)
        if until > now { deadlines.set(until, for: place) } else { becomeStale(place, at: now) }
      case .stale:
        _ = remove(at: place)
      case .delay, .probe:
        if entries[place].state == .delay {
          entries[place].state = .probe
          entries[place].attempts = 0
        }
        guard entries[place].attempts < configuration.maximumUnicastSolicitations else {
          return .unreachable(address, interface, remove(at: place))
        }
        entries[place].attempts += 1
        deadlines.set(now + retransmitTime(on: interface), for: place)
        return .probe(address, interface, entries[place].mac, attempt: entries[place].attempts)
      }
    }
    return nil
  }

  /// Sets what a router advertisement said of `interface` (RFC 4861 section 6.3.4); nil leaves the configuration's value.
  package mutating func setTimers(reachable: Duration?, retransmit: Duration?, on interface: InterfaceID) {
    let place = Int(interface.index)
    while timers.count <= place { timers.append(nil) }
    timers[place] = Timers(
      reachable: (reachable ?? configuration.reachableTime).inNanoseconds,
      retransmit: (retransmit ?? configuration.retransmitTime).inNanoseconds)
  }

  /// How long one confirmation holds: spread so that neighbours are not all asked at once (RFC 4861 section 6.3.2).
  private mutating func reachableTime(on interface: InterfaceID) -> Nanoseconds {
    let base = timers(on: interface)?.reachable ?? configuration.reachableTime.inNanoseconds
    return base / 2 + Nanoseconds.random(in: 0...max(1, base), using: &random)
  }

  private func retransmitTime(on interface: InterfaceID) -> Nanoseconds {
    timers(on: interface)?.retransmit ?? configuration.retransmitTime.inNanoseconds
  }

  private func timers(on interface: InterfaceID) -> Timers? {
    Int(interface.index) < timers.count ? timers[Int(interface.index)] : nil
  }
}

// MARK: - By hand

extension NeighborCache {
  /// Sets an entry that never ages and that no message changes; returns false if the cache is full.
  package mutating func setPermanent(
    _ address: IPAddress, mac: MACAddress, on interface: InterfaceID, at now: Instant, ready: inout PacketQueue
  ) -> Bool {
    var place = find(address, interface)
    if place == nil {
      place = insert(NeighborEntry(address: address, interface: interface, state: .permanent, at: now))
    }
    guard let place else { return false }
    leaveState(place)
    setAddress(mac, of: place, ready: &ready)
    entries[place].state = .permanent
    entries[place].confirmed = now
    return true
  }

  /// Removes the entry of `address`, and returns the packets that waited; nil if there is no such entry.
  package mutating func remove(_ address: IPAddress, on interface: InterfaceID) -> PacketQueue? {
    guard let place = find(address, interface) else { return nil }
    return remove(at: place)
  }

  /// Removes all entries of an interface that went down, permanent ones too, and puts the packets that waited into `dropped`.
  package mutating func removeAll(on interface: InterfaceID, dropped: inout PacketQueue) {
    for place in 0..<entries.indexBound
    where entries.key(at: place) != nil && entries[place].interface == interface {
      var waiting = remove(at: place)
      dropped.append(contentsOf: &waiting)
    }
  }

  /// All entries, by interface and address.
  package func snapshot(at now: Instant) -> [Neighbor] {
    var lines: [Neighbor] = []
    for place in 0..<entries.indexBound where entries.key(at: place) != nil {
      let state = entries[place].state
      lines.append(
        Neighbor(
          address: entries[place].address, interface: entries[place].interface,
          mac: state == .incomplete ? nil : entries[place].mac, state: state, isRouter: entries[place].isRouter,
          age: .nanoseconds(now - entries[place].confirmed)))
    }
    lines.sort { $0.interface == $1.interface ? $0.address < $1.address : $0.interface < $1.interface }
    return lines
  }
}

// MARK: - States

extension NeighborCache {
  private func hash(_ address: IPAddress, _ interface: InterfaceID) -> UInt64 {
    hash.hash(address.v6.high, address.v6.low, UInt64(interface.index))
  }

  private func find(_ address: IPAddress, _ interface: InterfaceID) -> UInt32? {
    index.find(hash(address, interface)) { entries[$0].address == address && entries[$0].interface == interface }
  }

  @inline(__always)
  private static func recentPlace(_ address: IPAddress, _ interface: InterfaceID) -> Int {
    let mixed = (address.v6.low ^ address.v6.high ^ UInt64(interface.index) &<< 32) &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: mixed &>> 60)
  }

  private mutating func forgetRecent(_ place: UInt32) {
    generation &+= 1
    let slot = Self.recentPlace(entries[place].address, entries[place].interface)
    if recent[slot].address == entries[place].address { recent[slot] = Recent() }
  }

  /// Gives `entry` a place; when the cache is full, the oldest STALE entry makes room, and without one there is none.
  private mutating func insert(_ entry: consuming NeighborEntry) -> UInt32? {
    if entries.count == entries.capacity {
      guard oldestStale != NeighborEntry.none else { return nil }
      _ = remove(at: oldestStale)
    }
    let hash = hash(entry.address, entry.interface)
    guard let key = entries.insert(entry) else { return nil }
    index.insert(hash, place: key.index)
    return key.index
  }

  private mutating func remove(at place: UInt32) -> PacketQueue {
    leaveState(place)
    forgetRecent(place)
    index.remove(hash(entries[place].address, entries[place].interface), place: place)
    var waiting = PacketQueue()
    waiting.append(contentsOf: &entries[place].waiting)
    if let key = entries.key(at: place) { entries.remove(key) }
    return waiting
  }

  /// Undoes what belongs to the present state, before another one begins.
  private mutating func leaveState(_ place: UInt32) {
    deadlines.set(nil, for: place)
    switch entries[place].state {
    case .incomplete: incompleteCount -= 1
    case .stale: leaveStale(place)
    case .reachable, .delay, .probe, .permanent: break
    }
  }

  private mutating func setAddress(_ mac: MACAddress, of place: UInt32, ready: inout PacketQueue) {
    forgetRecent(place)
    entries[place].mac = mac
    ready.append(contentsOf: &entries[place].waiting)
  }

  private mutating func becomeReachable(_ place: UInt32, at now: Instant) {
    leaveState(place)
    entries[place].state = .reachable
    entries[place].confirmed = now
    deadlines.set(now + reachableTime(on: entries[place].interface), for: place)
  }

  private mutating func becomeStale(_ place: UInt32, at now: Instant) {
    leaveState(place)
    forgetRecent(place)
    joinStale(place, at: now)
  }

  private mutating func joinStale(_ place: UInt32, at now: Instant) {
    entries[place].state = .stale
    entries[place].previous = newestStale
    entries[place].next = NeighborEntry.none
    if newestStale != NeighborEntry.none { entries[newestStale].next = place } else { oldestStale = place }
    newestStale = place
    deadlines.set(now + configuration.staleTime.inNanoseconds, for: place)
  }

  private mutating func leaveStale(_ place: UInt32) {
    let previous = entries[place].previous
    let next = entries[place].next
    if previous != NeighborEntry.none { entries[previous].next = next } else { oldestStale = next }
    if next != NeighborEntry.none { entries[next].previous = previous } else { newestStale = previous }
    entries[place].previous = NeighborEntry.none
    entries[place].next = NeighborEntry.none
  }
}
