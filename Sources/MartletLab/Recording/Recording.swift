/// All that is known of a run of a world when it is over: what the world was made of, and what happened in it, in order.
///
/// Whoever shows a run (the event log, the capture, the report, a diagram) reads this and nothing else. Places are numbers:
/// positions in the lists here.
public struct Recording: Sendable, Equatable {
  /// The world's name.
  public var name: String
  /// What the world is for, in a sentence or two.
  public var summary = ""
  /// What all that was random followed from.
  public var seed: UInt64
  /// How long the run took, in nanoseconds of the world's time.
  public var duration: Int64 = 0
  /// Why the same seed does not give the same run, in words: what reached out of the world, or came in from elsewhere.
  public var unrepeatable: [String] = []
  /// Whether the same description and seed give the same recording.
  public var isReplayable: Bool { unrepeatable.isEmpty }
  /// In the order in which the world was described.
  public var nodes: [Node] = []
  /// In the order in which the world was described.
  public var links: [Link] = []
  /// In the order of departure.
  public var frames: [Frame] = []
  /// In the order of their times, which is that of their numbers.
  public var events: [Event] = []
  /// In the order of their first packet.
  public var flows: [Flow] = []
  /// How tables changed, in the order of times.
  public var tables: [Table] = []
  /// What waited before the links, in the order of times.
  public var queues: [QueueSample] = []
  /// What the nodes had counted in the end.
  public var counters: [Counter] = []

  /// A recording of nothing yet.
  public init(name: String, seed: UInt64) {
    self.name = name
    self.seed = seed
  }
}

extension Recording {
  /// A host, a router or a switch.
  public struct Node: Sendable, Equatable {
    /// What a node does with frames; a TAP device hands them to the kernel of this machine.
    public enum Kind: String, Sendable { case host, router, `switch`, hub, tap }
    /// As the world calls it.
    public var name: String
    /// What it is.
    public var kind: Kind
    /// Where links meet it, in the order in which they were put.
    public var interfaces: [Interface] = []
    /// What is not ideal about the machine, in words: "a receive ring of 8 frames; its clock is 3 s ahead".
    public var faults = ""

    /// A node of a kind.
    public init(name: String, kind: Kind, interfaces: [Interface] = []) {
      self.name = name
      self.kind = kind
      self.interfaces = interfaces
    }
  }

  /// Where a link meets a node.
  public struct Interface: Sendable, Equatable {
    /// As "eth0", or "port0" of a switch.
    public var name: String
    /// Empty for a switch's port.
    public var mac: String
    /// Each with the length of its prefix.
    public var addresses: [String]
    /// The link it is on.
    public var link: Int

    /// An interface on a link.
    public init(name: String, mac: String, addresses: [String], link: Int) {
      self.name = name
      self.mac = mac
      self.addresses = addresses
      self.link = link
    }
  }

  /// A wire or a shared medium.
  public struct Link: Sendable, Equatable {
    /// Where it meets a node.
    public struct End: Sendable, Equatable {
      /// The position of the node.
      public var node: Int
      /// A position in the node's interfaces.
      public var interface: Int

      /// An end at an interface.
      public init(node: Int, interface: Int) {
        self.node = node
        self.interface = interface
      }
    }
    /// As faults call it.
    public var name: String
    /// Two for a wire, more for a shared medium.
    public var ends: [End]
    /// Bits per second; nil if sending takes no time.
    public var rate: UInt64?
    /// Nanoseconds.
    public var delay: Int64
    /// The largest IP packet, in bytes.
    public var mtu: Int
    /// What else it does to frames, in words: "1 % loss, jitter up to 10 ms".
    public var faults: String

    /// A link between `ends`.
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
    /// What became of it.
    public enum Fate: Sendable, Equatable {
      /// It arrived.
      case delivered
      /// The name of the reason, as "loss" or "queue full".
      case lost(String)
    }
    /// The position of the link.
    public var link: Int
    /// Which of the link's ends sent it.
    public var end: Int
    /// When the sender handed it over, in nanoseconds.
    public var queued: Int64
    /// When its first bit left, in nanoseconds: what is between is queueing.
    public var departure: Int64
    /// When its last bit arrived, or when it died.
    public var arrival: Int64
    /// What became of it.
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

    /// A frame on a link.
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
    /// Where: the position of a node.
    public var node: Int
    /// A position in the node's interfaces, if it happened at one.
    public var interface: Int?
    /// The flow it belongs to, if any.
    public var flow: Int?
    /// The frame it is about, if any.
    public var frame: Int?
    /// A word to filter by: "sent", "received", "dropped", "retransmitted", "state", "timeout", "route", "said", "fault",
    /// "tree", "collision", "backoff", "deferred", "control".
    public var kind: String
    /// What happened, in a sentence.
    public var text: String
    /// The event that led to this one.
    public var cause: Int?

    /// An event at a node.
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
    /// "TCP" or "UDP".
    public var transport: String
    /// The node that began.
    public var client: Int
    /// The node that was waiting.
    public var server: Int
    /// How the TCP senders at both ends saw it, in the order of times.
    public var samples: [Sample] = []

    /// A conversation between two nodes.
    public init(name: String, transport: String, client: Int, server: Int) {
      self.name = name
      self.transport = transport
      self.client = client
      self.server = server
    }
  }

  /// A TCP sender's view at a moment. Bytes, and nanoseconds.
  public struct Sample: Sendable, Equatable {
    /// When.
    public var time: Int64
    /// Whose: true for the client's.
    public var isClient: Bool
    /// `cwnd`, in bytes (RFC 5681).
    public var congestionWindow: Int
    /// `ssthresh`, in bytes; `Int.max` before the first loss.
    public var slowStartThreshold: Int
    /// What the peer has room for, in bytes.
    public var receiveWindow: Int
    /// Sent and not acknowledged, in bytes.
    public var inFlight: Int
    /// The smoothed round-trip time, in nanoseconds (RFC 6298).
    public var roundTrip: Int64
    /// The time-out in nanoseconds (RFC 6298).
    public var retransmissionTimeout: Int64
    /// "slow start", "congestion avoidance", "recovery", "loss".
    public var phase: String
    /// What waits in the send buffer, in bytes.
    public var sendQueue: Int
    /// What waits in the receive buffer, in bytes.
    public var receiveQueue: Int

    /// A view at `time`.
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
    /// Which table.
    public enum Kind: String, Sendable, CaseIterable { case routes, neighbors, stations, ports, sockets }
    /// From when on, in nanoseconds.
    public var time: Int64
    /// Whose: the position of a node.
    public var node: Int
    /// Which table of the node.
    public var kind: Kind
    /// What the columns are called.
    public var columns: [String]
    /// A text for each column, row by row.
    public var rows: [[String]]

    /// A table from `time` on.
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
    /// Nanoseconds.
    public var time: Int64
    /// The position of the link.
    public var link: Int
    /// The end whose frames wait.
    public var end: Int
    /// How many frames wait.
    public var frames: Int
    /// How many bytes these have.
    public var bytes: Int

    /// A queue at `time`.
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
    /// Whose: the position of a node.
    public var node: Int
    /// What is counted.
    public var name: String
    /// The count.
    public var value: UInt64

    /// A count of a node.
    public init(node: Int, name: String, value: UInt64) {
      self.node = node
      self.name = name
      self.value = value
    }
  }
}
