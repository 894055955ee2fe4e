import MartletWire

/// Buffers that grow with what the path carries.
///
/// The window has to hold what comes in a round trip, or it holds the sender back. How much that is the receiver sees from
/// what its program reads in one ("dynamic right-sizing"). A program that does not read makes nothing grow.
extension TCPConnection {
  /// Begins to measure a round trip of the receiver: from an acknowledgement sent now to the first data that answers it.
  mutating func startReceiveGrowth(at now: Instant) {
    growthMark = timestamp(at: now)
    growthStart = receiveNext - receiveQueue.byteCount
  }

  /// Whether a segment shows that a round trip is over: it echoes a later timestamp than the round trip began with (RFC
  /// 7323 section 4), or, without timestamps, the time says so that the sender's side of the connection knows.
  @inline(__always)
  func isGrowthDue(_ timestamps: TCPTimestamps?, at now: Instant) -> Bool {
    let moment: UInt32
    if let timestamps, flags.contains(.timestamps) {
      moment = timestamps.echoReply
    } else {
      let span = estimator.hasSample ? estimator.smoothed / 1_000_000 : 1_000
      moment = timestamp(at: now) &- UInt32(truncatingIfNeeded: span)
    }
    return Int32(truncatingIfNeeded: moment &- growthMark) > 0
  }

  /// A round trip of the receiver is over.
  ///
  /// A sender in slow start sends twice as much in the next round trip, and twice that again before what was measured of
  /// it is known here. So the buffer is made four times what was read as soon as it is less than three times that.
  @inline(never)
  mutating func growReceiveBuffer(at now: Instant) {
    let most = limits.largestReceiveBuffer
    let buffer = Int(limits.receiveBuffer)
    defer { startReceiveGrowth(at: now) }
    guard buffer < most else { return }
    // Of a round trip that takes no more than two ticks nothing is known: it may be a thousandth of that.
    let span = Int32(truncatingIfNeeded: timestamp(at: now) &- growthMark)
    let read = receiveNext - receiveQueue.byteCount - growthStart
    guard span > 2, read > buffer / 3 else { return }
    limits.receiveBuffer = UInt32(clamping: min(most, 4 * read))
  }

  /// The congestion window, and nothing else, holds data back: what it lets out in the next round trip has to be here by
  /// then.
  @inline(__always)
  mutating func growSendBuffer() {
    guard limits.sendGrowth > 0, sender.isPresent else { return }
    let wanted = 2 &* sender.value.congestion.window
    guard wanted > Int(limits.sendBuffer), sender.value.isWindowLimited else { return }
    limits.sendBuffer = max(limits.sendBuffer, UInt32(clamping: min(wanted, limits.largestSendBuffer)))
  }
}
