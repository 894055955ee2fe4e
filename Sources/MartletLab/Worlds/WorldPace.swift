public import Martlet

/// How a world's time passes beside the system's.
public enum WorldPace: Sendable, Hashable {
  /// It jumps to whatever happens next.
  case virtual
  /// A second is a second.
  case realTime
  /// So many of its seconds pass in one of the system's, or fewer if the machine is too slow.
  case scaled(Double)

  /// Its seconds in one of the system's; nil if it jumps.
  public var factor: Double? {
    switch self {
    case .virtual: nil
    case .realTime: 1
    case .scaled(let factor): factor
    }
  }

  /// Reads "virtual", "real", or a number of the world's seconds in one of the system's.
  public init?(_ text: String) {
    switch text {
    case "virtual": self = .virtual
    case "real", "1": self = .realTime
    default:
      guard let factor = Double(text), factor > 0, factor.isFinite else { return nil }
      self = factor == 1 ? .realTime : .scaled(factor)
    }
  }
}

/// What a world does about work that another thread brings while its time runs, because of which the same seed would no longer
/// give the same run.
public enum ForeignJobPolicy: Sendable {
  /// Ends the process, with words that say what to do instead.
  case trap
  /// Tells somebody, on the thread that brought it; the work is done, and the recording says that it cannot be repeated.
  case report(@Sendable (ForeignJob) -> Void)
}
