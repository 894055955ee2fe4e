package import MartletWire

/// What routers have said about the size of packets that reach a destination (RFC 1191, RFC 8201).
package struct PathMTUCache: ~Copyable {
  /// The smallest packet every IPv4 link carries (RFC 791 section 3.2); smaller reports are refused.
  package static let minimumIPv4 = 68
  /// Below this, IPv4 packets are not made smaller but may be fragmented on the way: who reports less is more likely
  /// lying than poor.
  package static let floorIPv4 = 552
  /// The smallest packet every IPv6 link carries (RFC 8200 section 5); smaller reports are refused (RFC 8201 section 4).
  package static let minimumIPv6 = 1_280
  /// The shortest life of an estimate: larger packets are not tried earlier (RFC 1191 section 6.3, RFC 8201 section 4).
  package static let shortestLifetime: Nanoseconds = .seconds(300)

  /// How large packets to a destination may be.
  package struct Estimate: Equatable, Sendable, BitwiseCopyable {
    /// The size of the largest IP packet, header included, in bytes.
    package var mtu: Int
    /// Whether packets of that size must be allowed to be fragmented (DF clear): the path is narrower than the floor.
    package var allowsFragmentation: Bool
  }

  struct Entry {
    var destination: IPAddress
    var estimate: Estimate
  }

  private let anchor = Anchor()
  private let hash: KeyedHash
  /// After how long an estimate is forgotten, so that larger packets are tried again.
  private let lifetime: Nanoseconds
  private var index = HashIndex()
  private var entries: Slab<Entry>
  private var expiries = DeadlineHeap()
  /// Counts what changed, so that those who keep a size know when to ask again.
  package private(set) var generation: UInt32 = 0
  /// ``generation``, and it never comes round.
  private(set) var changeCount: UInt64 = 0

  /// - Parameter maximumEntries: the bound, ``Host/Configuration/Internet/maximumPathMTUEntries``; the oldest estimate
  ///   makes room for a new one.
  /// - Parameter lifetime: after how long an estimate is forgotten, at least ``shortestLifetime``.
  package init(maximumEntries: Int, lifetime: Nanoseconds = .seconds(600), hash: KeyedHash) {
    self.hash = hash
    self.lifetime = max(lifetime, Self.shortestLifetime)
    entries = Slab(capacity: max(1, maximumEntries))
  }

  /// How many destinations are known.
  package var count: Int { entries.count }

  /// When ``advance(to:)`` has something to forget.
  package var nextDeadline: Instant? { expiries.first }

  /// What is known of the way to `destination`; nil if nobody complained.
  @inline(__always)
  package func estimate(for destination: IPAddress) -> Estimate? {
    if entries.count == 0 { return nil }
    guard let place = find(destination) else { return nil }
    return entries[place].estimate
  }

  /// What a router's report about a packet of `packetLength` bytes means: the MTU of its next hop; nil if it means nothing.
  ///
  /// - Parameter reported: the MTU in the message, in bytes; 0 from routers older than RFC 1191, which make it the next
  ///   plateau below the packet.
  package static func claim(_ reported: Int, packetLength: Int, for version: IPVersion) -> Int? {
    let mtu = version == .v4 && reported == 0 ? plateau(below: packetLength) : reported
    // A packet that fits was not too big, and no link takes less than the least.
    return mtu < packetLength && mtu >= (version == .v4 ? minimumIPv4 : minimumIPv6) ? mtu : nil
  }

  /// Takes in a router's report that a packet to `destination` was too big, and returns the estimate if it is news.
  ///
  /// The caller has checked that the quoted packet is one of ours.
  ///
  /// - Parameters:
  ///   - reported: the MTU of the next hop in the message, in bytes; 0 from routers older than RFC 1191.
  ///   - packetLength: the length of the quoted IP packet, header included, in bytes.
  ///   - linkMTU: the MTU of the interface the packet left by.
  package mutating func report(
    _ reported: Int, packetLength: Int, linkMTU: Int, for destination: IPAddress, at now: Instant
  ) -> Estimate? {
    guard let mtu = Self.claim(reported, packetLength: packetLength, for: destination.version) else { return nil }
    // A report never raises an estimate (RFC 1191 section 3, RFC 8201 section 4).
    let place = find(destination)
    let known = place.map { entries[$0].estimate }
    guard mtu < known?.mtu ?? linkMTU else { return nil }
    var estimate = Estimate(mtu: mtu, allowsFragmentation: false)
    if destination.isIPv4, mtu < Self.floorIPv4 {
      estimate = Estimate(mtu: min(Self.floorIPv4, linkMTU), allowsFragmentation: true)
    }
    guard estimate != known else { return nil }
    noteChange()
    if let place {
      entries[place].estimate = estimate
      expiries.set(now + lifetime, for: place)
      return estimate
    }
    if entries.count == entries.capacity, let oldest = expiries.popDue(at: .distantFuture) { forget(oldest) }
    guard let key = entries.insert(Entry(destination: destination, estimate: estimate)) else { return nil }
    index.insert(hash(destination), place: key.index)
    expiries.set(now + lifetime, for: key.index)
    return estimate
  }

  /// Forgets what is too old.
  package mutating func advance(to now: Instant) {
    while let place = expiries.popDue(at: now) { forget(place) }
  }

  /// The next size to try below `length` when a router does not say which (RFC 1191 section 7).
  static func plateau(below length: Int) -> Int {
    switch length {
    case 32_001...: 32_000
    case 17_915...: 17_914
    case 8_167...: 8_166
    case 4_353...: 4_352
    case 2_003...: 2_002
    case 1_493...: 1_492
    case 1_007...: 1_006
    case 509...: 508
    case 297...: 296
    default: 68
    }
  }

  /// A route or a link changed: whoever keeps a size has to ask again.
  package mutating func noteRouteChange() { noteChange() }

  private mutating func noteChange() {
    changeCount &+= 1
    generation = UInt32(truncatingIfNeeded: changeCount)
  }

  private func hash(_ destination: IPAddress) -> UInt64 { hash.hash(destination.v6.high, destination.v6.low) }

  private func find(_ destination: IPAddress) -> UInt32? {
    index.find(hash(destination)) { entries[$0].destination == destination }
  }

  private mutating func forget(_ place: UInt32) {
    guard let key = entries.key(at: place) else { return }
    noteChange()
    index.remove(hash(entries[place].destination), place: place)
    entries.remove(key)
  }
}
