/// Everything that will happen to two hosts: how they are set up, what their programs do, and what the network does to which
/// packet. A run is a function of its schedule and of nothing else. Any event may be taken out, and what is left is still a
/// schedule with an outcome that can be judged: that is how a failure is made small.
public struct Schedule: Equatable, Sendable {
  /// What the hosts' own choices (sequence numbers, ports, keys) and the network's jitter follow from.
  public var seed: UInt64
  public var hosts: [HostSetup]
  /// What carries frames from A to B, and from B to A.
  public var lanes: [LaneSetup]
  public var events: [Event]

  public init(seed: UInt64) {
    self.seed = seed
    hosts = [HostSetup(), HostSetup()]
    lanes = [LaneSetup(), LaneSetup()]
    events = []
  }

  /// One of the two hosts, or the lane that leaves it.
  public enum Side: Int, Equatable, Sendable, CaseIterable {
    case a, b

    var other: Side { self == .a ? .b : .a }
    var name: String { self == .a ? "a" : "b" }
    /// The lane that leaves it.
    var laneName: String { self == .a ? "a>b" : "b>a" }
  }

  /// What happens; times are microseconds since the beginning.
  public enum Event: Equatable, Sendable {
    case connection(ConnectionPlan)
    case action(connection: Int, Side, Action)
    /// Something befalls the packet with this number on the lane that leaves a host; they count from 0.
    case fault(Side, packet: Int, Fault)
    /// Nothing gets through, one way or both ways.
    case outage(Side?, at: Int, for: Int)
    /// No packet larger than `mtu` bytes gets through; a router in between says so or does not.
    case pathMTU(Int, reported: Bool, at: Int, for: Int)
  }
}

/// What one host is made from. What differs from the default stands in the schedule's text.
public struct HostSetup: Equatable, Sendable {
  public var mtu = 1_500
  public var offload = Offload.none
  public var sendBuffer = 262_144
  public var receiveBuffer = 262_144
  public var timestamps = true
  public var selective = true
  public var scaling = true
  public var noDelay = false
  public var reassemblyPieces = 1_024
  public var synQueue = 256
  public var backlog = 128
  /// How long a listener's program waits before it accepts, in microseconds.
  public var acceptDelay = 0
  /// How long a program takes to follow an event, in microseconds.
  public var thinkTime = 0
  /// R2 in seconds, for opening and for data.
  public var userTimeout = 7_200
  /// After how many idle seconds keep-alive probes begin; 0 for never.
  public var keepAlive = 0
  /// The largest number of packets a host may keep at one time.
  public var poolBlocks = 16_384

  public init() {}

  public enum Offload: String, Sendable {
    /// The host splits and sums by itself.
    case none
    /// Super-segments cross the link whole.
    case whole
    /// The link splits them.
    case split
  }
}

/// What one direction of the network is like when nothing befalls a packet.
public struct LaneSetup: Equatable, Sendable {
  /// How long a frame takes, in microseconds.
  public var delay = 1_000
  /// How much longer it may take without overtaking, in microseconds.
  public var jitter = 0
  /// Bits per second; 0 for as many as come.
  public var rate = 0
  /// How many bytes wait for the rate at most.
  public var queue = 65_536

  public init() {}
}

/// One connection of two programs.
public struct ConnectionPlan: Equatable, Sendable {
  public var id: Int
  public var opener: Schedule.Side = .a
  public var isIPv6 = false
  /// When it is opened, in microseconds.
  public var start = 0
  /// Both ends open it, at the same time.
  public var isSimultaneous = false
  /// The opener writes before the handshake is done.
  public var writesEarly = false

  public init(id: Int) { self.id = id }
}

/// What a program does with its end. Those of the writer follow one another, and so do those of the reader; the two are
/// independent. A writer that is done ends its stream; a reader that is done reads until the end.
public enum Action: Equatable, Sendable {
  case write(Int, bySlice: Bool)
  /// The writer waits, in microseconds.
  case pauseWriting(Int)
  case noDelay(Bool)
  case cork(Bool)
  /// Half-close; what the writer had left to do is left out.
  case shutdown
  /// Closes without reading or writing what is left.
  case letGo
  case abort
  /// Reads so many bytes, through a buffer of `by` bytes.
  case read(Int, by: Int)
  /// The reader waits, in microseconds.
  case pauseReading(Int)

  var isReading: Bool {
    switch self {
    case .read, .pauseReading: true
    default: false
    }
  }

  /// Whether the other end may notice that it was left alone.
  var isRude: Bool { self == .letGo || self == .abort }
}

/// What befalls one packet; times in microseconds.
public enum Fault: Equatable, Sendable {
  case drop
  /// Lost in a burst; for the packet the same as ``drop``.
  case burstDrop
  /// A copy follows after so long.
  case duplicate(after: Int)
  /// It comes later by so much, and others overtake it.
  case late(Int)
  /// A burst of up to 15 bits arrives wrong: the bits of `pattern` from bit `at` on, counted behind the Ethernet header and
  /// wrapped round. The Internet checksum always finds these.
  case corrupt(at: Int, pattern: UInt16)
  /// The window field says at most so much (as a peer would that shrinks its window).
  case clampWindow(Int)
}
