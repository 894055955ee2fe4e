/// All that is known of a run of a world when it is over: what the world was made of, and what happened in it, in order.
///
/// Whoever shows a run (the event log, the capture, the report, a diagram) reads this and nothing else. Places are numbers:
/// positions in the lists here.
public struct Recording: Sendable, Equatable {
  public var name: String
  /// What the world is for, in a sentence or two.
  public var summary = ""
  public var seed: UInt64
  /// How long the run took, in nanoseconds of the world's time.
  public var duration: Int64 = 0
  /// Why the same seed does not give the same run, in words: what reached out of the world, or came in from elsewhere.
  public var unrepeatable: [String] = []
  /// Whether the same description and seed give the same recording.
  public var isReplayable: Bool { unrepeatable.isEmpty }
  public var nodes: [Node] = []
  public var links: [Link] = []
  /// In the order of departure.
  public var frames: [Frame] = []
  /// In the order of their times, which is that of their numbers.
  public var events: [Event] = []
  public var flows: [Flow] = []
  public var tables: [Table] = []
  public var queues: [QueueSample] = []
  public var counters: [Counter] = []

  public init(name: String, seed: UInt64) {
    self.name = name
    self.seed = seed
  }
}

extension Recording {
  /// A host, a router or a switch.
  public struct Node: Sendable, Equatable {
    public enum Kind: String, Sendable { case host, router, `switch`, hub, tap }
    public var name: String
    public var kind: Kind
    public var interfaces: [Interface] = []
    /// What is not ideal about the machine, in words: "a receive ring of 8 frames; its clock is 3 s ahead".
    public var faults = ""

    public init(name: String, kind: Kind, interfaces: [Interface] = []) {
      self.name = name
      self.kind = kind
      self.interfaces = interfaces
    }
  }

  public struct Interface: Sendable, Equatable {
    public var name: String
    /// Empty for a switch's port.
    public var mac: String
    /// Each with the length of its prefix.
    public var addresses: [String]
    /// The link it is on.
    public var link: Int

    public init(name: String, mac: String, addresses: [String], link: Int) {
      self.name = name
      self.mac = mac
      self.addresses = addresses
      self.link = link
    }
  }

  public struct Link: Sendable, Equatable {
    public struct End: Sendable, Equatable {
      public var node: Int
      public var interface: Int

      public init(node: Int, interface: Int) {
        self.node = node
        self.interface = interface
      }
    }
    public var name: String
    /// Two for a wire, more for a shared medium.
    public var ends: [End]
    /// Bits per second; nil if sending takes no time.
    public var rate: UInt64?
    /// Nanoseconds.
    public var delay: Int64
    public var mtu: Int
    /// What else it does to frames, in words: "1 % loss, jitter up to 10 ms".
    public var faults: String

    public init(name: String, ends: [End], rate: UInt64?, delay: Int64, mtu: Int, faults: String = "") {
      self.name = name
      self.ends = ends
      self.rate = rate
      self.delay = delay
      self.mtu = mtu
      self.faults = faults
    }
  }

  /// One frame on one link: a packet that crosses three links is three of them, which ``origin`` ties together.
  public struct Frame: Sendable, Equatable {
    public enum Fate: Sendable, Equatable {
      case delivered
      /// The name of the reason, as "loss" or "queue full".
      case lost(String)
    }
    public var link: Int
    /// Which of the link's ends sent it.
    public var end: Int
    /// When the sender handed it over, and when its first bit left: the difference is queueing. Nanoseconds.
    public var queued: Int64
    public var departure: Int64
    /// When its last bit arrived, or when it died.
    public var arrival: Int64
    public var fate: Fate
    /// As it left the sender.
    public var bytes: [UInt8]
    /// The flow whose it is, if any.
    public var flow: Int?
    /// The frame of the link before that carried the same packet.
    public var origin: Int?
    /// The event that caused it, as a retransmission's time-out.
    public var cause: Int?
    /// For a reader of the capture: "retransmission: RTO", "lost: queue full".
    public var comment = ""

    public init(
      link: Int, end: Int, queued: Int64, departure: Int64, arrival: Int64, fate: Fate, bytes: [UInt8],
      flow: Int? = nil, origin: Int? = nil, cause: Int? = nil
    ) {
      self.link = link
      self.end = end
      self.queued = queued
      self.departure = departure
      self.arrival = arrival
      self.fate = fate
      self.bytes = bytes
      self.flow = flow
      self.origin = origin
      self.cause = cause
    }
  }

  /// Something that happened at a node, at a moment.
  public struct Event: Sendable, Equatable {
    /// Nanoseconds.
    public var time: Int64
    public var node: Int
    /// A position in the node's interfaces.
    public var interface: Int?
    public var flow: Int?
    public var frame: Int?
    /// A word to filter by: "sent", "received", "dropped", "retransmitted", "state", "timeout", "route", "said", "fault".
    public var kind: String
    /// What happened, in a sentence.
    public var text: String
    /// The event that led to this one.
    public var cause: Int?

    public init(
      time: Int64, node: Int, interface: Int? = nil, flow: Int? = nil, frame: Int? = nil, kind: String, text: String,
      cause: Int? = nil
    ) {
      self.time = time
      self.node = node
      self.interface = interface
      self.flow = flow
      self.frame = frame
      self.kind = kind
      self.text = text
      self.cause = cause
    }
  }

  /// A conversation of two sockets, and how its senders saw it.
  public struct Flow: Sendable, Equatable {
    /// "TCP 192.0.2.1:49152 > 198.51.100.2:80"
    public var name: String
    public var transport: String
    /// The node that began, and the other.
    public var client: Int
    public var server: Int
    public var samples: [Sample] = []

    public init(name: String, transport: String, client: Int, server: Int) {
      self.name = name
      self.transport = transport
      self.client = client
      self.server = server
    }
  }

  /// A TCP sender's view at a moment. Bytes, and nanoseconds.
  public struct Sample: Sendable, Equatable {
    public var time: Int64
    /// Whose: true for the client's.
    public var isClient: Bool
    public var congestionWindow: Int
    /// `Int.max` before the first loss.
    public var slowStartThreshold: Int
    public var receiveWindow: Int
    public var inFlight: Int
    public var roundTrip: Int64
    public var retransmissionTimeout: Int64
    /// "slow start", "congestion avoidance", "recovery", "loss".
    public var phase: String
    /// What waits in the send buffer and in the receive buffer.
    public var sendQueue: Int
    public var receiveQueue: Int

    public init(
      time: Int64, isClient: Bool, congestionWindow: Int, slowStartThreshold: Int, receiveWindow: Int, inFlight: Int,
      roundTrip: Int64, retransmissionTimeout: Int64, phase: String, sendQueue: Int = 0, receiveQueue: Int = 0
    ) {
      self.time = time
      self.isClient = isClient
      self.congestionWindow = congestionWindow
      self.slowStartThreshold = slowStartThreshold
      self.receiveWindow = receiveWindow
      self.inFlight = inFlight
      self.roundTrip = roundTrip
      self.retransmissionTimeout = retransmissionTimeout
      self.phase = phase
      self.sendQueue = sendQueue
      self.receiveQueue = receiveQueue
    }
  }

  /// A node's table as it is from a time on, until a later one of the same node and kind.
  public struct Table: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable { case routes, neighbors, stations, sockets }
    public var time: Int64
    public var node: Int
    public var kind: Kind
    public var columns: [String]
    public var rows: [[String]]

    public init(time: Int64, node: Int, kind: Kind, columns: [String], rows: [[String]]) {
      self.time = time
      self.node = node
      self.kind = kind
      self.columns = columns
      self.rows = rows
    }
  }

  /// What waits before one direction of a link.
  public struct QueueSample: Sendable, Equatable {
    public var time: Int64
    public var link: Int
    public var end: Int
    public var frames: Int
    public var bytes: Int

    public init(time: Int64, link: Int, end: Int, frames: Int, bytes: Int) {
      self.time = time
      self.link = link
      self.end = end
      self.frames = frames
      self.bytes = bytes
    }
  }

  /// A node's count at the end of the run, as "bytes copied" or a drop's name.
  public struct Counter: Sendable, Equatable {
    public var node: Int
    public var name: String
    public var value: UInt64

    public init(node: Int, name: String, value: UInt64) {
      self.node = node
      self.name = name
      self.value = value
    }
  }
}
