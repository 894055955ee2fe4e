public import MartletCore
public import MartletWire

/// A link whose frames, both ways, are recorded: outbound ones when they are sent, inbound ones when they are received.
public final class RecordingLink: Link {
  /// The link that carries the frames.
  public let base: any Link
  private let recorder: CaptureRecorder
  private let interface: Int
  /// A comment for the next frame in the capture.
  public var nextComment: String?

  /// Records the frames of `base` with `recorder`, as an interface called `name`.
  public init(
    _ base: any Link, recorder: CaptureRecorder, name: String, macAddress: MACAddress? = nil, comment: String? = nil
  ) {
    self.base = base
    self.recorder = recorder
    interface = recorder.addInterface(
      PcapngInterface(name: name, macAddress: macAddress, comments: comment.map { [$0] } ?? []))
  }

  public var macAddressHint: UInt64? { base.macAddressHint }
  public var mtu: Int { base.mtu }
  public var offloads: LinkOffloads { base.offloads }
  public var descriptor: CInt? { base.descriptor }
  public var nextDeadline: Instant? { base.nextDeadline }

  public func attach(wake: @escaping () -> Void) { base.attach(wake: wake) }

  public func send(_ packet: consuming Packet, at now: Instant) {
    record(packet, .outbound, at: now)
    base.send(packet, at: now)
  }

  public func flush(at now: Instant) { base.flush(at: now) }

  public func receive(at now: Instant, limit: Int, into body: (consuming Packet) -> Void) -> Int {
    base.receive(at: now, limit: limit) { packet in
      record(packet, .inbound, at: now)
      body(packet)
    }
  }

  private func record(_ packet: borrowing Packet, _ direction: PcapngPacketFlags.Direction, at now: Instant) {
    recorder.record(packet, interface: interface, direction: direction, at: now, comment: nextComment)
    nextComment = nil
  }
}
