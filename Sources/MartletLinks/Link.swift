public import MartletCore

/// Where a host's frames come from and go to. A link belongs to one loop and is used by its thread alone.
public protocol Link: AnyObject {
  /// The Ethernet address a host's interface on this link should have, if the device has an opinion.
  var macAddressHint: UInt64? { get }

  /// The largest IP packet the link carries, in bytes.
  var mtu: Int { get }

  /// What the link does for the sender.
  var offloads: LinkOffloads { get }

  /// A descriptor to poll for readability, if frames come from the operating system.
  var descriptor: CInt? { get }

  /// When ``receive(at:limit:into:)`` will next have a frame, for a link that keeps its own time.
  var nextDeadline: Instant? { get }

  /// Called by the loop once: whenever ``nextDeadline`` becomes earlier (the other end sent something), the link calls `wake`.
  func attach(wake: @escaping () -> Void)

  /// Whether ``flush(at:)`` and ``transmit(from:interface:at:)`` have to be called even when nothing is to be sent. Default true.
  var wantsIdleTurns: Bool { get }

  /// Takes one Ethernet frame. May keep it until ``flush(at:)``.
  func send(_ packet: consuming Packet, at now: Instant)

  /// Ends a batch: what ``send(_:at:)`` took goes out now.
  func flush(at now: Instant)

  /// Hands up to `limit` frames that are there by `now` to `body`, and returns how many.
  func receive(at now: Instant, limit: Int, into body: (consuming Packet) -> Void) -> Int

  /// Sends everything that waits on `interface` of `host`, one call for a whole batch, which ``flush(at:)`` ends.
  func transmit(from host: inout Host, interface: InterfaceID, at now: Instant)
}

extension Link {
  public var wantsIdleTurns: Bool { true }

  /// Hands over what waits, frame by frame; the caller ends the batch.
  public func transmit(from host: inout Host, interface: InterfaceID, at now: Instant) {
    host.transmit(from: interface, at: now) { packet in send(packet, at: now) }
  }
}
