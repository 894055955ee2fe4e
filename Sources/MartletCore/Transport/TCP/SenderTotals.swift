/// What is counted while data is sent, for people.
struct SenderTotals: BitwiseCopyable {
  /// Bytes delivered, a FIN counting one.
  var delivered: UInt64 = 0
  var lost: UInt64 = 0
  var retransmitted: UInt64 = 0
  var tailLossProbes: UInt32 = 0
  var undone: UInt32 = 0
  var hasReordering = false

  /// Whether it says more than that all went well.
  var isRemarkable: Bool {
    lost > 0 || retransmitted > 0 || tailLossProbes > 0 || undone > 0 || hasReordering || delivered > UInt64(UInt32.max)
  }
}

extension Sender {
  /// The counts so far.
  var totals: SenderTotals {
    SenderTotals(
      delivered: delivery.delivered, lost: losses.totalLost, retransmitted: retransmitted,
      tailLossProbes: probe.count, undone: undone, hasReordering: losses.hasReordering)
  }
}
