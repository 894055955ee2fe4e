public import MartletWire

/// A line of a host's neighbour cache, as it is shown.
public struct Neighbor: Equatable, Sendable {
  /// What is known of a neighbour's reachability (RFC 4861 section 7.3.2; ARP is served by the same states).
  public enum State: UInt8, Sendable, BitwiseCopyable {
    /// Being asked for; no link-layer address yet.
    case incomplete
    /// Known to have answered lately.
    case reachable
    /// Not heard of lately; used as it is, and checked when used.
    case stale
    /// Used while stale; waiting for a sign of life from above before asking.
    case delay
    /// Being asked again, at the address that is known.
    case probe
    /// Set by hand; never asked for.
    case permanent
  }

  public var address: IPAddress
  public var interface: InterfaceID
  /// Nil while the neighbour is ``State/incomplete``.
  public var mac: MACAddress?
  public var state: State
  /// Whether it said that it is a router (RFC 4861 section 7.2.5).
  public var isRouter: Bool
  /// How long ago it was last heard of, or first asked for.
  public var age: Duration
}

/// What the cache keeps of one neighbour.
struct NeighborEntry: ~Copyable {
  let address: IPAddress
  let interface: InterfaceID
  var mac = MACAddress.zero
  var state: Neighbor.State
  var isRouter = false
  /// Solicitations sent in ``Neighbor/State/incomplete`` or ``Neighbor/State/probe``.
  var attempts = 0
  /// When the neighbour was last heard of or confirmed, or first asked for.
  var confirmed: Instant
  /// Packets that wait for the address, oldest first.
  var waiting = PacketQueue()
  /// The neighbours of a STALE entry in the list of those, by age.
  var previous = NeighborEntry.none
  var next = NeighborEntry.none

  static let none = UInt32.max

  init(address: IPAddress, interface: InterfaceID, state: Neighbor.State, at now: Instant) {
    self.address = address
    self.interface = interface
    self.state = state
    confirmed = now
  }
}
