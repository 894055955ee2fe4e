/// What a run came to.
public struct SimulationReport: Sendable, Equatable {
  /// What is wrong, if something is.
  public var failure: SimulationFailure?
  /// How often each thing befell a packet, by name, in a fixed order.
  public var faults = FaultCounts()
  public var packets = 0
  /// Bytes that programs read.
  public var bytes = 0
  /// Connections that both programs finished, and those that one of them broke off or gave up.
  public var finished = 0
  public var broken = 0
  /// The largest number of packets one host had in its hands.
  public var mostBlocks = 0
  public var steps = 0
  /// The time at the end, in microseconds.
  public var time = 0

  public init() {}

  /// Counts both together; the failure stays the first.
  public mutating func add(_ other: SimulationReport) {
    failure = failure ?? other.failure
    faults.add(other.faults)
    packets += other.packets
    bytes += other.bytes
    finished += other.finished
    broken += other.broken
    mostBlocks = max(mostBlocks, other.mostBlocks)
    steps += other.steps
    time += other.time
  }
}

/// Which rule was broken, and how.
public struct SimulationFailure: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Rule: String, Sendable, CaseIterable {
    case content = "a byte is wrong"
    case lost = "bytes are lost"
    case failed = "a connection failed without a cause"
    case stuck = "it does not end"
    case livelock = "packets go round and nothing progresses"
    case sequence = "the sequence numbers make no sense"
    case timer = "something is outstanding and no timer runs"
    case handshake = "a connection did not close as it should"
    case corruption = "a corrupt packet was taken"
    case memory = "memory is not bounded or not given back"
    case setup = "the schedule cannot be set up"
  }

  public var rule: Rule
  public var detail: String
  /// When, in microseconds.
  public var time = 0

  public var description: String { "\(rule.rawValue): \(detail) (at \(Words.span(time)))" }
}

/// What befell packets.
public struct FaultCounts: Sendable, Equatable {
  public enum Kind: Int, Sendable, CaseIterable {
    case drop, burstDrop, duplicate, late, corrupt, clampWindow, outage, tooBigReported, tooBigSilent, queueFull

    public var name: String {
      switch self {
      case .drop: "lost"
      case .burstDrop: "lost in bursts"
      case .duplicate: "duplicated"
      case .late: "overtaken"
      case .corrupt: "corrupted"
      case .clampWindow: "windows shrunk"
      case .outage: "lost in outages"
      case .tooBigReported: "too big, reported"
      case .tooBigSilent: "too big, silently"
      case .queueFull: "queue full"
      }
    }
  }

  private var counts = [Int](repeating: 0, count: Kind.allCases.count)

  public init() {}

  public subscript(kind: Kind) -> Int { counts[kind.rawValue] }

  mutating func note(_ kind: Kind) { counts[kind.rawValue] += 1 }

  mutating func add(_ other: FaultCounts) {
    for index in counts.indices { counts[index] += other.counts[index] }
  }
}
