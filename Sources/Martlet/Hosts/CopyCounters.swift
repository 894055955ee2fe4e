/// How many bytes a host's sockets have copied between programs and packets. What is handed over by reference, as a file's
/// pages are, is not among them.
public struct CopyCounters: Sendable, Equatable, BitwiseCopyable {
  /// Bytes copied from programs into send buffers and datagrams.
  public var fromPrograms: UInt64 = 0
  /// Bytes copied from received packets to programs.
  public var toPrograms: UInt64 = 0

  public init() {}
}

extension VirtualHost {
  /// What its sockets have copied so far.
  public var copies: CopyCounters { withBox { _, box in box.copies } }
}
