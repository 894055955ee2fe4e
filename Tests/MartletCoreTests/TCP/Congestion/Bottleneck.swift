import MartletWire

@testable import MartletCore

/// A sender that always has data, a bottleneck with a drop-tail queue, and a receiver that acknowledges every segment by
/// itself: the closed loop in which a congestion control is tried without the rest of TCP.
///
/// What is lost is found when three later segments arrived; its bytes go out again as new ones.
final class Bottleneck {
  struct Segment {
    var sentAt: Instant
    var delivered: UInt64
    var deliveredAt: Instant
    var firstSentAt: Instant
    var flight: Int
    var lost: UInt64
    var state = State.flying
    enum State { case flying, delivered, lost }
  }

  let size = 1_000
  /// Bytes per second.
  var rate: Double
  var delay: Nanoseconds
  var buffer: Int
  var loss = 0.0

  var congestion: CongestionControl
  var now = Instant.zero
  private(set) var delivered: UInt64 = 0
  private(set) var lost: UInt64 = 0
  private(set) var flight = 0
  private(set) var modes: [(mode: BBR.Mode, at: Instant)] = []
  private(set) var timeouts = 0
  /// The largest queue since it was last set to 0, in bytes.
  var largestQueue = 0
  var smallestFlight = Int.max

  private var random: RandomStream
  private var segments: [Segment] = []
  private var oldest = 0
  private var arrivals: [(at: Instant, index: Int)] = []
  private var firstArrival = 0
  private var busyUntil = Instant.zero
  private var sendAt = Instant.zero
  private var deliveredAt = Instant.zero
  private var firstSentAt = Instant.zero
  private var smoothed: Nanoseconds
  private var minimum: Nanoseconds = .max
  private var recoveryEnd: Int?
  private var wasLimited = false

  init(
    _ algorithm: TCPCongestionControl, megabits: Double, delay: Nanoseconds, buffer: Int, loss: Double = 0,
    seed: UInt64 = 1
  ) {
    rate = megabits * 1e6 / 8
    self.delay = delay
    self.buffer = buffer
    self.loss = loss
    smoothed = delay
    random = RandomStream(seed: seed)
    congestion = CongestionControl(algorithm, initialWindow: 10_000, segmentSize: 1_000, now: .zero, seed: seed)
  }

  var model: CongestionControl.PathModel? { congestion.pathModel }
  var product: Int { Int(rate * Double(delay) * 1e-9) }

  /// Runs until `seconds` and says how many megabits a second arrived meanwhile.
  @discardableResult
  func run(until seconds: Double) -> Double {
    let end = Instant(nanoseconds: Int64(seconds * 1e9))
    let begin = now
    let before = delivered
    while now < end {
      wasLimited = flight + size > congestion.window
      let send = wasLimited ? Instant.distantFuture : max(sendAt, now)
      let arrival = firstArrival < arrivals.count ? arrivals[firstArrival].at : .distantFuture
      if send == .distantFuture, arrival == .distantFuture {
        timeOut()
        continue
      }
      if min(send, arrival) >= end { break }
      if arrival <= send {
        now = arrival
        receive(arrivals[firstArrival].index)
        firstArrival += 1
      } else {
        now = send
        transmit()
      }
    }
    now = end
    return Double(delivered - before) * 8 / Double(end - begin) * 1e3
  }

  private func transmit() {
    congestion.sent(size, flight: flight, now: now, isApplicationLimited: false)
    if flight == 0 {
      firstSentAt = now
      deliveredAt = now
    }
    flight += size
    segments.append(
      Segment(
        sentAt: now, delivered: delivered, deliveredAt: deliveredAt, firstSentAt: firstSentAt, flight: flight,
        lost: lost))
    let pace = congestion.pacingRate(smoothedRoundTrip: smoothed, segmentSize: size)
    if pace > 0 { sendAt = max(sendAt, now) + Nanoseconds(Double(size) * 1e9 / Double(pace)) }
    if loss > 0, Double.random(in: 0..<1, using: &random) < loss { return }
    let queue = Int(Double(max(0, busyUntil - now)) * 1e-9 * rate)
    guard queue + size <= buffer else { return }
    largestQueue = max(largestQueue, queue)
    busyUntil = max(busyUntil, now) + Nanoseconds(Double(size) * 1e9 / rate)
    arrivals.append((busyUntil + delay, segments.count - 1))
  }

  private func receive(_ index: Int) {
    let prior = flight
    var lostNow = 0
    var segment = segments[index]
    let isSpurious = segment.state != .flying
    segments[index].state = .delivered
    if !isSpurious { flight -= size }
    delivered += UInt64(size)
    deliveredAt = now
    firstSentAt = segment.sentAt
    let una = oldest
    while oldest < segments.count, oldest < index - 2 || segments[oldest].state != .flying {
      if segments[oldest].state == .flying {
        segments[oldest].state = .lost
        flight -= size
        lostNow += size
      }
      oldest += 1
    }
    lost += UInt64(lostNow)
    segment.state = .delivered
    let roundTrip = now - segment.sentAt
    minimum = min(minimum, roundTrip)
    smoothed += (roundTrip - smoothed) / 8
    let interval = max(segment.sentAt - segment.firstSentAt, now - segment.deliveredAt)
    var phase = Recovery.Phase.open
    if let end = recoveryEnd {
      if oldest > end {
        recoveryEnd = nil
        congestion.endRecovery(segmentSize: size)
      } else {
        phase = .fast
      }
    } else if lostNow > 0 {
      congestion.beginRecovery(flight: prior, segmentSize: size, now: now)
      recoveryEnd = segments.count
      phase = .fast
    }
    var sample = AcknowledgmentSample(
      now: now, segmentSize: size, unacknowledged: SequenceNumber(UInt32(truncatingIfNeeded: oldest * size)),
      next: SequenceNumber(UInt32(truncatingIfNeeded: segments.count * size)))
    sample.acknowledged = (oldest - una) * size
    sample.delivered = size
    sample.lost = lostNow
    sample.priorFlight = prior
    sample.flight = flight
    sample.roundTrip = roundTrip
    sample.smoothedRoundTrip = smoothed
    sample.minimumRoundTrip = minimum
    sample.wasLimited = wasLimited
    sample.phase = phase
    sample.totalDelivered = delivered
    sample.priorDelivered = segment.delivered
    if interval >= minimum { sample.rate = UInt64(Double(delivered - segment.delivered) * 1e9 / Double(interval)) }
    sample.flightWhenSent = UInt32(segment.flight)
    sample.lostSinceSent = UInt32(clamping: lost - segment.lost)
    congestion.acknowledged(sample)
    smallestFlight = min(smallestFlight, flight)
    if let mode = congestion.pathModel?.mode, modes.last?.mode != mode { modes.append((mode, now)) }
  }

  private func timeOut() {
    now = now + .seconds(1)
    timeouts += 1
    congestion.timedOut(flight: flight, segmentSize: size, isFirst: true, now: now)
    for index in oldest..<segments.count where segments[index].state == .flying {
      segments[index].state = .lost
      lost += UInt64(size)
    }
    flight = 0
    oldest = segments.count
    recoveryEnd = nil
    congestion.endRecovery(segmentSize: size)
  }
}
