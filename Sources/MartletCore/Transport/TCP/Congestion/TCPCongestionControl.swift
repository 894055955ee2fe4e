/// How a TCP connection decides how much it may have in flight.
public enum TCPCongestionControl: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
  /// CUBIC (RFC 9438) with HyStart++ (RFC 9406): fair to everybody else, and fast on long paths. The default.
  case cubic
  /// NewReno (RFC 5681, RFC 6582), counting bytes (RFC 3465): the sawtooth of the textbooks.
  case newReno
  /// BBR, in the shape of its third version (draft-ietf-ccwg-bbr): a model of the path's bandwidth and delay in place of
  /// a reaction to each loss, so that losses which are not due to congestion cost little.
  case bbr
}
