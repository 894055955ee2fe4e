import MartletCore

/// How a switch takes part in the spanning tree of its network (IEEE 802.1D-1998 clause 8): switches agree on one of them as
/// the root, keep the cheapest ways to it, and block the ports that would close a ring.
///
/// What the root's times are holds for all. On the wire, and so everywhere, times are whole units of 1/256 s.
public struct SpanningTree: Sendable, Equatable {
  /// The switch with the least becomes the root; of equals the one with the least address. Default 32,768.
  public var priority: UInt16
  /// How often the root speaks, at least 1/256 s. Default 2 s.
  public var hello: Duration
  /// After how long what a neighbour said no longer counts, at least twice ``hello`` and below 256 s. Default 20 s.
  public var maximumAge: Duration
  /// How long a port listens, and how long it learns, before it forwards; at least half of ``maximumAge`` and below 256 s.
  /// Default 15 s.
  public var forwardDelay: Duration

  public init(
    priority: UInt16 = 32_768, hello: Duration = .seconds(2), maximumAge: Duration = .seconds(20),
    forwardDelay: Duration = .seconds(15)
  ) {
    self.priority = priority
    self.hello = hello
    self.maximumAge = maximumAge
    self.forwardDelay = forwardDelay
  }

  /// What is wrong with the times, if anything (section 8.10.2, without the second that it grants real machines).
  var problem: String? {
    let (hello, age, delay) = (hello.inNanoseconds, maximumAge.inNanoseconds, forwardDelay.inNanoseconds)
    guard hello >= BridgeTime.tick else { return "hello is below 1/256 s" }
    guard max(hello, age, delay) < 256_000_000_000 else {
      return "a time of 256 s or more does not fit into its messages"
    }
    guard age >= 2 * hello else { return "the maximum age is less than twice the hello time" }
    guard 2 * delay >= age else { return "twice the forward delay is less than the maximum age" }
    return nil
  }

  /// What a way over a line costs (table 8-5); a line without a rate is the cheapest.
  static func pathCost(of rate: UInt64?) -> UInt32 {
    switch rate {
    case .some(..<10_000_000): 250
    case .some(..<100_000_000): 100
    case .some(..<1_000_000_000): 19
    case .some(..<10_000_000_000): 4
    case .some: 2
    case nil: 1
    }
  }
}

/// Times as they are in a ``BPDU``.
enum BridgeTime {
  /// 1/256 s in nanoseconds.
  static let tick: Int64 = 3_906_250

  /// The nearest number of ticks, and at least one.
  static func ticks(_ duration: Duration) -> UInt16 {
    UInt16(clamping: max(1, (duration.inNanoseconds + tick / 2) / tick))
  }

  static func nanoseconds(_ ticks: UInt16) -> Int64 { Int64(ticks) * tick }
}
