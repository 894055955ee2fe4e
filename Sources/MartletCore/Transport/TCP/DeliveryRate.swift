/// How fast the network delivers (draft-ietf-ccwg-bbr section 4.1.1): what was delivered between a segment's departure and
/// its acknowledgement, over the longer of the time it took to send and the time it took to be acknowledged.
struct DeliveryRate: BitwiseCopyable {
  /// What is noted with everything that is sent.
  struct Departure: BitwiseCopyable {
    /// C.delivered and C.delivered_time.
    var delivered: UInt64
    var deliveredAt: Instant
    /// C.first_sent_time.
    var firstSentAt: Instant
    /// Bytes in the network, itself included (C.inflight), and the low bits of C.lost.
    var flight: UInt32
    var lost: UInt32
  }

  /// What an acknowledgement says.
  struct Sample: BitwiseCopyable {
    /// Bytes per second; 0 if the time was too short to tell.
    var rate: UInt64 = 0
    var priorDelivered: UInt64 = 0
    var flightWhenSent: UInt32 = 0
    var lostSinceSent: UInt32 = 0
    var isApplicationLimited = false
  }

  /// Bytes delivered and lost so far.
  private(set) var delivered: UInt64 = 0
  private(set) var lost: UInt64 = 0
  private var deliveredAt = Instant.zero
  private var firstSentAt = Instant.zero
  /// Up to which count of delivered bytes the program, not the network, sets the pace; 0 if it does not.
  private var limitedUntil: UInt64 = 0

  /// The last sample that told a rate, from which it is computed when somebody asks.
  private var latestByteCount: UInt64 = 0
  private var latestInterval: Nanoseconds = 0
  /// The last sample's rate, in bytes per second, for people.
  var latest: UInt64 { latestInterval > 0 ? UInt64(Double(latestByteCount) * 1e9 / Double(latestInterval)) : 0 }

  var isApplicationLimited: Bool { limitedUntil != 0 }

  /// `count` bytes go out; `flight` bytes are in the network before them.
  @inline(__always)
  mutating func departure(of count: Int, flight: Int, at now: Instant) -> Departure {
    if flight == 0 {
      firstSentAt = now
      deliveredAt = now
    }
    return Departure(
      delivered: delivered, deliveredAt: deliveredAt, firstSentAt: firstSentAt,
      flight: UInt32(truncatingIfNeeded: flight &+ count), lost: UInt32(truncatingIfNeeded: lost))
  }

  /// The program has nothing more to send while `flight` bytes are in the network.
  @inline(__always)
  mutating func noteApplicationLimit(flight: Int) { limitedUntil = max(1, delivered &+ UInt64(max(0, flight))) }

  mutating func noteLost(_ count: Int) { lost &+= UInt64(max(0, count)) }

  /// `count` bytes were delivered, the newest of them with `run`.
  @inline(__always)
  mutating func noteDelivered(_ count: Int, newest run: SentRun, minimumRoundTrip: Nanoseconds, at now: Instant) {
    delivered &+= UInt64(count)
    deliveredAt = now
    firstSentAt = run.sentAt
    if limitedUntil != 0, delivered > limitedUntil { limitedUntil = 0 }
    let interval = interval(of: run, at: now)
    guard interval >= max(1, minimumRoundTrip) else { return }
    latestByteCount = delivered &- run.departure.delivered
    latestInterval = interval
  }

  /// The longer of the time that it took to send and the time that it took to be acknowledged.
  @inline(__always)
  private func interval(of run: SentRun, at now: Instant) -> Nanoseconds {
    max(run.sentAt - run.departure.firstSentAt, now - run.departure.deliveredAt)
  }

  /// What a delivery just noted says.
  @inline(__always)
  func sample(newest run: SentRun, minimumRoundTrip: Nanoseconds, at now: Instant) -> Sample {
    var sample = Sample()
    sample.priorDelivered = run.departure.delivered
    sample.isApplicationLimited = run.flags.contains(.applicationLimited)
    sample.flightWhenSent = run.departure.flight
    sample.lostSinceSent = UInt32(truncatingIfNeeded: lost) &- run.departure.lost
    let interval = interval(of: run, at: now)
    // A time below the shortest round trip says that acknowledgements came in a bunch.
    guard interval >= max(1, minimumRoundTrip) else { return sample }
    let bytes = delivered &- run.departure.delivered
    sample.rate = UInt64(Double(bytes) * 1e9 / Double(interval))
    return sample
  }
}
