public import MartletCore

/// A full-duplex wire between two hosts of one loop: frames take their time on the line, travel, and arrive in order.
///
/// A frame sent at `now` arrives at max(now, line free) + size·8/rate + delay, exact to the nanosecond and rounded up. It
/// moves; nothing is copied. The wire belongs to one loop and may be used by its thread alone.
public final class VirtualWire {
  /// The two ends; what is sent into one comes out of the other. Either keeps both directions alive.
  public let left: End
  public let right: End

  /// Puts up a wire.
  ///
  /// - Parameters:
  ///   - configuration: What it is made of.
  ///   - leftPort: The port through which ``left`` sends, instead of one of its own by the configuration's rate and
  ///     bounds. Wires of one loop may share it: what is sent into them then shares one line and one queue.
  ///   - rightPort: The same for ``right``.
  public init(
    _ configuration: Configuration = Configuration(), leftPort: OutputPort? = nil, rightPort: OutputPort? = nil
  ) {
    let there = Lane(configuration, port: leftPort)
    let back = Lane(configuration, port: rightPort)
    left = End(outgoing: there, incoming: back)
    right = End(outgoing: back, incoming: there)
  }

  /// Whether frames get through; a cut wire drops what is sent, while what is under way still arrives. Default true.
  public var isConnected: Bool {
    get { left.outgoing.isConnected && right.outgoing.isConnected }
    set {
      left.outgoing.isConnected = newValue
      right.outgoing.isConnected = newValue
    }
  }

  /// One direction, which both ends refer to.
  final class Lane {
    var line: WireLane
    var isConnected = true
    /// Tells the loop of the receiving end that a frame is under way where none was.
    var wake: (() -> Void)?

    init(_ configuration: Configuration, port: OutputPort?) { line = WireLane(configuration, port: port) }
  }

  /// One end of a ``VirtualWire``.
  public final class End: Link {
    let outgoing: Lane
    let incoming: Lane

    init(outgoing: Lane, incoming: Lane) {
      self.outgoing = outgoing
      self.incoming = incoming
    }

    /// What went from this end to the other.
    public var counters: Counters { outgoing.line.counters }

    public var macAddressHint: UInt64? { nil }
    public var mtu: Int { outgoing.line.configuration.mtu }
    public var offloads: LinkOffloads { outgoing.line.configuration.offloads }
    public var descriptor: CInt? { nil }
    public var nextDeadline: Instant? { incoming.line.nextArrival }

    public func attach(wake: @escaping () -> Void) { incoming.wake = wake }

    public func send(_ packet: consuming Packet, at now: Instant) {
      guard outgoing.isConnected else {
        outgoing.line.counters.cutDrops += 1
        return
      }
      if outgoing.line.send(packet, at: now) != nil { outgoing.wake?() }
    }

    public func flush(at now: Instant) {}

    public func receive(at now: Instant, limit: Int, into body: (consuming Packet) -> Void) -> Int {
      var count = 0
      while count < limit, let packet = incoming.line.popArrived(at: now) {
        body(packet)
        count += 1
      }
      return count
    }
  }
}
