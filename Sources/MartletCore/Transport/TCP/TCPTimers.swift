/// When a connection next has to act by itself. A timer that is off stands at ``Instant/distantFuture``.
package struct TCPTimers: BitwiseCopyable {
  /// What ``retransmission`` stands for: the two never run together.
  package enum Purpose: UInt8, BitwiseCopyable {
    /// Something is in flight (RFC 6298 section 5).
    case retransmit
    /// Nothing is, but the peer's window is closed or too small (RFC 9293 section 3.8.6.1).
    case persist
  }

  package var retransmission = Instant.distantFuture
  package var delayedAcknowledgment = Instant.distantFuture
  package var keepAlive = Instant.distantFuture
  /// The end of TIME-WAIT or of FIN-WAIT-2.
  package var state = Instant.distantFuture
  package var purpose = Purpose.retransmit

  /// The earliest of them; ``Instant/distantFuture`` when all are off.
  @inline(__always)
  package var first: Instant { min(min(retransmission, delayedAcknowledgment), min(keepAlive, state)) }

  @inline(__always)
  package var earliest: Instant? { first == .distantFuture ? nil : first }

  package mutating func stopAll() { self = TCPTimers() }
}

/// A connection's bounds and times, copied small out of the host's configuration; times in milliseconds.
package struct TCPLimits: BitwiseCopyable {
  package var receiveBuffer: UInt32
  package var sendBuffer: UInt32
  package var reassemblyPieces: UInt16
  package var keepAliveProbes: UInt16
  package var minimumTimeout: UInt32
  package var initialTimeout: UInt32
  package var maximumTimeout: UInt32
  package var userTimeout: UInt32
  package var connectTimeout: UInt32
  package var delayedAcknowledgment: UInt32
  package var timeWait: UInt32
  package var finWait2: UInt32
  package var keepAliveIdle: UInt32
  package var keepAliveInterval: UInt32
  package var congestionControl: TCPCongestionControl

  /// The host's, changed where a program chose otherwise.
  package init(_ configuration: borrowing Host.Configuration.TCP, _ options: TCPSocketOptions) {
    self.init(configuration)
    apply(options)
  }

  package mutating func apply(_ options: TCPSocketOptions) {
    if let count = options.receiveBufferByteCount { receiveBuffer = Self.clamp(count, 1 << 30) }
    if let count = options.sendBufferByteCount { sendBuffer = Self.clamp(count, 1 << 30) }
    if let algorithm = options.congestionControl { congestionControl = algorithm }
    if let count = options.keepAliveProbes { keepAliveProbes = UInt16(clamping: count) }
    if let timeout = options.userTimeout { userTimeout = Self.milliseconds(timeout) }
    if let idle = options.keepAliveIdle { keepAliveIdle = Self.milliseconds(idle) }
    if let interval = options.keepAliveInterval { keepAliveInterval = Self.milliseconds(interval) }
  }

  /// What holds where a program chose nothing. A host makes it once: to divide a `Duration` takes 128 bits.
  package init(_ configuration: borrowing Host.Configuration.TCP) {
    receiveBuffer = Self.clamp(configuration.receiveBufferByteCount, 1 << 30)
    sendBuffer = Self.clamp(configuration.sendBufferByteCount, 1 << 30)
    reassemblyPieces = UInt16(clamping: configuration.maximumReassemblyPieces)
    keepAliveProbes = UInt16(clamping: configuration.keepAliveProbes)
    minimumTimeout = Self.milliseconds(configuration.minimumRetransmissionTimeout)
    initialTimeout = Self.milliseconds(configuration.initialRetransmissionTimeout)
    maximumTimeout = Self.milliseconds(configuration.maximumRetransmissionTimeout)
    userTimeout = Self.milliseconds(configuration.userTimeout)
    connectTimeout = Self.milliseconds(configuration.connectTimeout)
    // An ACK is never held for half a second or more (RFC 9293 section 3.8.6.3, MUST-40).
    delayedAcknowledgment = min(Self.milliseconds(configuration.delayedAcknowledgment), 499)
    timeWait = Self.milliseconds(configuration.maximumSegmentLifetime * 2)
    finWait2 = Self.milliseconds(configuration.finWait2Timeout)
    congestionControl = configuration.congestionControl
    keepAliveIdle = Self.milliseconds(configuration.keepAliveIdle)
    keepAliveInterval = Self.milliseconds(configuration.keepAliveInterval)
  }

  private static func clamp(_ count: Int, _ most: Int) -> UInt32 { UInt32(max(1, min(count, most))) }

  private static func milliseconds(_ duration: Duration) -> UInt32 {
    UInt32(clamping: max(0, duration.inNanoseconds / 1_000_000))
  }
}

extension UInt32 {
  /// This many milliseconds.
  @inline(__always) var asMilliseconds: Nanoseconds { .milliseconds(Int64(self)) }
}
