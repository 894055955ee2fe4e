public import MartletCore

/// A link in bad weather: frames of another link are lost, doubled, damaged, delayed and reordered, as a seed determines.
///
/// It declares no offloads and splits what arrives for several segments, so that each fault hits one frame.
public final class ImpairedLink: Link {
  /// The link that carries the frames.
  public let base: any Link
  private var sending: ImpairedLane
  private var receiving: ImpairedLane
  private var wake: (() -> Void)?

  /// Puts faults on the frames of `base`.
  ///
  /// - Parameters:
  ///   - outbound: For what is sent into `base`.
  ///   - inbound: For what is received from it.
  ///   - seed: Together with `name`, determines every fault.
  ///   - pool: Where copies come from.
  public init(
    _ base: any Link, outbound: Impairment = Impairment(), inbound: Impairment = Impairment(), seed: UInt64,
    name: String = "impaired", pool: borrowing PacketPool
  ) {
    self.base = base
    sending = ImpairedLane(outbound, seed: seed, name: name + ".out", pool: pool)
    receiving = ImpairedLane(inbound, seed: seed, name: name + ".in", pool: pool)
  }

  /// What has happened to frames that were sent.
  public var outboundCounters: Counters { sending.counters }
  /// What has happened to frames that were received.
  public var inboundCounters: Counters { receiving.counters }

  public var macAddressHint: UInt64? { base.macAddressHint }
  public var mtu: Int { base.mtu }
  public var offloads: LinkOffloads { [] }
  public var descriptor: CInt? { base.descriptor }

  public var nextDeadline: Instant? {
    var earliest = base.nextDeadline ?? .distantFuture
    earliest = min(earliest, sending.nextDue ?? .distantFuture, receiving.nextDue ?? .distantFuture)
    return earliest == .distantFuture ? nil : earliest
  }

  public func attach(wake: @escaping () -> Void) {
    self.wake = wake
    base.attach(wake: wake)
  }

  public func send(_ packet: consuming Packet, at now: Instant) {
    let before = sending.nextDue ?? .distantFuture
    sending.take(packet, at: now)
    if let after = sending.nextDue, after < before { wake?() }
  }

  public func flush(at now: Instant) {
    while let packet = sending.popDue(at: now) { base.send(packet, at: now) }
    base.flush(at: now)
  }

  public func receive(at now: Instant, limit: Int, into body: (consuming Packet) -> Void) -> Int {
    flush(at: now)
    _ = base.receive(at: now, limit: limit) { packet in receiving.take(packet, at: now) }
    var count = 0
    while count < limit, let packet = receiving.popDue(at: now) {
      body(packet)
      count += 1
    }
    return count
  }
}
