public import MartletWire

/// One direction of a link: how fast and how far it goes, what waits before it, and what goes wrong on it.
///
/// A frame waits in the queue, goes on the line for size·8/rate, and travels for `delay` and its jitter; faults meet it when it
/// leaves the line. Each fault draws from a random stream of its own, so that changing one moves no other.
public struct LinkDirection: Sendable, Equatable {
  /// Bits per second, at least 1; nil if sending takes no time (and nothing ever waits). Default nil.
  public var rate: UInt64?
  /// The rate from a time of the world on, in the order of times: a trace that drives it.
  public var rateChanges: [RateChange] = []
  /// How long a bit travels. Default 0.
  public var delay = Duration.zero
  /// How much later than ``delay`` frames are. Default not at all.
  public var jitter: Jitter?
  /// What waits before the line.
  public var queue = Queue()
  /// The largest IP packet, in bytes. Default 1,500.
  public var mtu = 1_500
  /// Which frames are lost. Default none.
  public var loss = Loss.none
  /// The probability that a frame arrives twice.
  public var duplication = 0.0
  /// Bits that flip. Default none.
  public var corruption: Corruption?
  /// Frames that arrive cut off. Default none.
  public var truncation: Truncation?
  /// Frames that others overtake. Default none.
  public var reordering: Reordering?
  /// What happens to single frames, by number and kind.
  public var script: [ScriptedFault] = []
  /// When the link is down; what is sent meanwhile is lost.
  public var outages: [Outage] = []

  /// A line that takes no time and harms nothing.
  public init() {}

  /// A line of some rate and length.
  public init(rate: UInt64? = nil, delay: Duration = .zero, queue: Queue = Queue(), mtu: Int = 1_500) {
    self.rate = rate
    self.delay = delay
    self.queue = queue
    self.mtu = mtu
  }

  /// A rate from a time on.
  public struct RateChange: Sendable, Equatable {
    /// From the world's beginning.
    public var time: Duration
    /// Bits per second; 0 stops the line until the next change.
    public var rate: UInt64

    /// `rate` bits per second from `time` on.
    public init(at time: Duration, rate: UInt64) {
      self.time = time
      self.rate = rate
    }
  }

  /// How much later than `delay` a frame is.
  public struct Jitter: Sendable, Equatable {
    /// How the lateness is distributed.
    public enum Distribution: String, Sendable, Equatable, CaseIterable {
      /// Anything from nothing to the spread, all alike.
      case uniform
      /// Around half of the spread, a bell within it.
      case normal
      /// Mostly little, now and then nearly all of the spread.
      case longTailed = "long-tailed"
    }
    /// The most that a frame is later.
    public var spread: Duration
    /// Default ``Distribution/uniform``.
    public var distribution = Distribution.uniform
    /// Whether a frame waits for those before it. Default true.
    public var keepsOrder = true

    /// Up to `spread` later.
    public init(_ spread: Duration, _ distribution: Distribution = .uniform, keepsOrder: Bool = true) {
      self.spread = spread
      self.distribution = distribution
      self.keepsOrder = keepsOrder
    }
  }

  /// Which frames are lost.
  public enum Loss: Sendable, Equatable {
    /// Every frame arrives.
    case none
    /// Each frame with this probability.
    case random(Double)
    /// A channel of two states (Gilbert 1960, Elliott 1963): the probabilities, at each frame, to go from good to bad and back,
    /// and to lose a frame in either.
    case gilbertElliott(toBad: Double, toGood: Double, lossInGood: Double = 0, lossInBad: Double = 1)
    /// Each n-th frame.
    case every(Int)
  }

  /// Bits that flip.
  public struct Corruption: Sendable, Equatable {
    /// Of a frame, between 0 and 1.
    public var probability: Double
    /// Whether the frame check sequence finds it, so that the frame is lost (a bad cable), or not, so that it arrives damaged (a
    /// bad memory in a router). Default true.
    public var isDetected = true

    /// One bit of a frame flips with this probability.
    public init(_ probability: Double, isDetected: Bool = true) {
      self.probability = probability
      self.isDetected = isDetected
    }
  }

  /// Frames that arrive cut off.
  public struct Truncation: Sendable, Equatable {
    /// Of a frame, between 0 and 1.
    public var probability: Double
    /// What is left of the frame, in bytes.
    public var byteCount: Int

    /// A frame is cut with this probability.
    public init(_ probability: Double, to byteCount: Int) {
      self.probability = probability
      self.byteCount = byteCount
    }
  }

  /// Frames that are held back while others pass.
  public struct Reordering: Sendable, Equatable {
    /// Of a frame, between 0 and 1.
    public var probability: Double
    /// How much later such a frame is.
    public var delay: Duration

    /// A frame is held back with this probability.
    public init(_ probability: Double, by delay: Duration) {
      self.probability = probability
      self.delay = delay
    }
  }

  /// A span of the world's time.
  public struct Outage: Sendable, Equatable {
    /// From when on.
    public var start: Duration
    /// Until when; nil: for ever.
    public var end: Duration?

    /// An outage from `start` to `end`.
    public init(from start: Duration, to end: Duration?) {
      self.start = start
      self.end = end
    }
  }

  /// What waits before the line; the frame on it does not count.
  public struct Queue: Sendable, Equatable {
    /// Who is dropped when.
    public enum Discipline: Sendable, Equatable {
      /// The newest is dropped when there is no room.
      case dropTail
      /// The fuller it is on average, the more are dropped (RED, Floyd and Jacobson 1993). Thresholds in bytes.
      case red(minimum: Int, maximum: Int, probability: Double = 0.1)
      /// What waited too long for too long is dropped (CoDel, RFC 8289).
      case coDel(target: Duration = .milliseconds(5), interval: Duration = .milliseconds(100))
    }
    /// The most frames that wait. Default 1,000.
    public var maximumFrames = 1_000
    /// The most bytes that wait. Default no bound.
    public var maximumBytes = Int.max
    /// Default ``Discipline/dropTail``.
    public var discipline = Discipline.dropTail
    /// Whether frames that allow it are marked where they would be dropped (RFC 3168); a full queue drops them nonetheless.
    public var marks = false

    /// A queue with bounds.
    public init(
      maximumFrames: Int = 1_000, maximumBytes: Int = .max, _ discipline: Discipline = .dropTail, marks: Bool = false
    ) {
      self.maximumFrames = maximumFrames
      self.maximumBytes = maximumBytes
      self.discipline = discipline
      self.marks = marks
    }
  }
}

/// What happens to single frames: "the third data segment to port 80 is lost".
public struct ScriptedFault: Sendable, Equatable {
  /// What happens to a frame.
  public enum Action: Sendable, Equatable {
    /// It dies on the way.
    case lose
    /// It arrives twice.
    case duplicate
    /// One bit of the payload flips, and no check sequence finds it.
    case corrupt
    /// It arrives that much later, and others may overtake it.
    case delay(Duration)
  }
  /// Which of the frames that fit, from 1.
  public var numbers: [Int]
  /// Which frames are counted.
  public var frames: FramePattern
  /// What happens to them.
  public var action: Action

  /// `action` for the frames of these numbers among those that fit.
  public init(_ action: Action, _ numbers: [Int], of frames: FramePattern = FramePattern()) {
    self.action = action
    self.numbers = numbers
    self.frames = frames
  }
}

/// Which frames are meant: those that have all of what is given.
public struct FramePattern: Sendable, Equatable {
  /// What a frame carries.
  public enum Kind: String, Sendable, Equatable, CaseIterable {
    /// Anything, or a packet of that protocol.
    case any, arp, ip, icmp, udp, tcp
    /// A segment with payload.
    case tcpData = "tcp-data"
    /// A segment that only acknowledges.
    case tcpAcknowledgment = "tcp-ack"
    /// A segment that opens a connection, or answers one that does.
    case tcpSYN = "tcp-syn"
    /// A segment that ends its direction.
    case tcpFIN = "tcp-fin"
    /// A piece of an IP packet.
    case fragment
  }
  /// What it carries. Default anything.
  public var kind = Kind.any
  /// The packet's source; nil for any.
  public var source: IPAddress?
  /// The packet's destination; nil for any.
  public var destination: IPAddress?
  /// The port it comes from; nil for any.
  public var sourcePort: UInt16?
  /// The port it goes to; nil for any.
  public var destinationPort: UInt16?

  /// Frames that have all of what is given.
  public init(
    _ kind: Kind = .any, source: IPAddress? = nil, destination: IPAddress? = nil, sourcePort: UInt16? = nil,
    destinationPort: UInt16? = nil
  ) {
    self.kind = kind
    self.source = source
    self.destination = destination
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
  }
}

extension LinkDirection {
  /// What goes wrong, in words.
  var faultWords: String {
    var words: [String] = []
    func percent(_ value: Double) -> String {
      let text = String((value * 100_000).rounded() / 1_000)
      return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + " %"
    }
    switch loss {
    case .none: break
    case .random(let probability): words.append("\(percent(probability)) loss")
    case .gilbertElliott(let toBad, let toGood, _, let inBad):
      words.append("loss in bursts (\(percent(toBad)) to bad, \(percent(toGood)) to good, \(percent(inBad)) in bad)")
    case .every(let count): words.append("each \(count)th frame lost")
    }
    if duplication > 0 { words.append("\(percent(duplication)) duplicated") }
    if let corruption {
      words.append(
        "\(percent(corruption.probability)) damaged\(corruption.isDetected ? "" : ", unnoticed by the link")")
    }
    if let truncation { words.append("\(percent(truncation.probability)) cut to \(truncation.byteCount) bytes") }
    if let reordering { words.append("\(percent(reordering.probability)) held back for \(reordering.delay)") }
    if let jitter {
      words.append("jitter up to \(jitter.spread)\(jitter.keepsOrder ? "" : ", overtaking")")
    }
    switch queue.discipline {
    case .dropTail: break
    case .red: words.append("RED\(queue.marks ? " with marks" : "")")
    case .coDel: words.append("CoDel\(queue.marks ? " with marks" : "")")
    }
    if !script.isEmpty { words.append("a script of \(script.count) faults") }
    if !outages.isEmpty { words.append("\(outages.count) outages") }
    if !rateChanges.isEmpty { words.append("a rate that changes") }
    return words.joined(separator: ", ")
  }
}
