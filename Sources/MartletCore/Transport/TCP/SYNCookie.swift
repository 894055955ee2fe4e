package import MartletWire

/// Answers to SYNs that leave nothing behind (RFC 4987 section 3.6): what has to be known later is in the sequence number and,
/// if the peer sends timestamps, in the timestamp that it echoes.
///
/// The cookie is the peer's initial sequence number plus five bits of a counter of 64 s, three bits that name an MSS, and 24
/// bits of a keyed hash of it all.
package struct SYNCookie: Sendable, BitwiseCopyable {
  /// What a cookie says that both ends agreed on.
  package struct Agreement: Hashable, Sendable, BitwiseCopyable {
    package var maximumSegmentSize: UInt16
    /// The peer's window shift, nil without window scaling.
    package var windowScale: UInt8?
    package var isSACKPermitted: Bool
  }

  /// The sizes a cookie can name; the largest that is not above the peer's is taken.
  private static let sizes: InlineArray<8, UInt16> = [216, 536, 966, 1_220, 1_360, 1_440, 1_460, 8_960]
  /// How many of the last counts are accepted: a cookie is good for 64 to 128 s.
  private static var acceptedCounts: UInt32 { 2 }

  private let hash: KeyedHash

  package init(hash: KeyedHash) { self.hash = hash }

  private func count(at now: Instant) -> UInt32 { UInt32(truncatingIfNeeded: now.nanoseconds / .seconds(64)) }

  private func digest(_ flow: Flow, _ sequence: SequenceNumber, count: UInt32, index: UInt32) -> UInt32 {
    let salt = UInt64(sequence.value) << 32 ^ UInt64(count) << 8 ^ UInt64(index) << 1 ^ 0x5359_4e00_0000_0000
    return UInt32(truncatingIfNeeded: hash.hash(flow, salt: salt)) & 0xff_ffff
  }

  /// The cookie that lets the remote end of `flow` send data in its SYNs (RFC 7413 section 4.1.2): a keyed hash of both
  /// addresses, good as long as this host lives.
  package func fastOpenCookie(for flow: Flow) -> TCPFastOpenCookie {
    TCPFastOpenCookie(
      hash.hash(
        flow.remoteAddress.v6.high, flow.remoteAddress.v6.low, flow.localAddress.v6.high, flow.localAddress.v6.low,
        0x4661_7374_4f70_656e))
  }

  /// The initial sequence number that answers a SYN with `sequence` and `options`.
  package func make(for flow: Flow, sequence: SequenceNumber, options: TCPOptions, at now: Instant) -> SequenceNumber {
    let offered = options.maximumSegmentSize ?? (flow.remoteAddress.isIPv4 ? 536 : 1_220)
    var index = 0
    while index + 1 < 8, Self.sizes[index + 1] <= offered { index += 1 }
    let count = count(at: now)
    let digest = digest(flow, sequence, count: count, index: UInt32(index))
    return SequenceNumber((count << 27 | UInt32(index) << 24 | digest) &+ sequence.value)
  }

  /// What the ACK `header` of a handshake agrees on, if the number it acknowledges is a cookie of ours.
  package func check(
    _ header: TCPHeader, options: TCPOptions, for flow: Flow, at now: Instant
  ) -> Agreement? {
    let sequence = header.sequenceNumber - 1
    let cookie = header.acknowledgmentNumber.value &- 1 &- sequence.value
    let index = cookie >> 24 & 7
    let now = count(at: now)
    let age = (now &- cookie >> 27) & 31
    guard age < Self.acceptedCounts,
      digest(flow, sequence, count: now &- age, index: index) == cookie & 0xff_ffff
    else { return nil }
    var agreed = Agreement(
      maximumSegmentSize: Self.sizes[Int(index)], windowScale: nil, isSACKPermitted: false)
    if let timestamps = options.timestamps {
      let bits = timestamps.echoReply & 0x1f
      if bits & 0xf != 0xf { agreed.windowScale = UInt8(bits & 0xf) }
      agreed.isSACKPermitted = bits & 0x10 != 0
    }
    return agreed
  }

  /// `timestamp` with what `options` offers in its lowest five bits, not later than it is.
  package func timestamp(_ timestamp: UInt32, options: TCPOptions) -> UInt32 {
    let scale = options.windowScale.map { UInt32(min($0, 14)) } ?? 0xf
    let marked = timestamp & ~0x1f | scale | (options.isSACKPermitted ? 0x10 : 0)
    return Int32(truncatingIfNeeded: marked &- timestamp) > 0 ? marked &- 0x20 : marked
  }

  /// The SYN, ACK that answers `header` without a connection: a packet that begins with the TCP header, its checksum field 0.
  package func answer(
    to header: TCPHeader, options offered: TCPOptions, for flow: Flow, socketOptions: TCPSocketOptions,
    configuration: borrowing Host.Configuration.TCP, timestampOffset: UInt32, maximumSegmentSize: Int,
    from pool: borrowing PacketPool, at now: Instant
  ) -> Packet? {
    guard var packet = pool.allocate() else { return nil }
    let limits = TCPLimits(configuration, socketOptions)
    var options = TCPOptions(maximumSegmentSize: UInt16(clamping: max(maximumSegmentSize, 68) - 20))
    if let timestamps = offered.timestamps, configuration.timestamps {
      var agreed = TCPOptions()
      if configuration.windowScaling, offered.windowScale != nil {
        agreed.windowScale = offered.windowScale
        options.windowScale = TCPConnection.windowScale(for: limits)
      }
      agreed.isSACKPermitted = configuration.selectiveAcknowledgments && offered.isSACKPermitted
      options.isSACKPermitted = agreed.isSACKPermitted
      let clock = timestampOffset &+ UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000)
      options.timestamps = TCPTimestamps(value: timestamp(clock, options: agreed), echoReply: timestamps.value)
    }
    let count = TCPHeader.minimumByteCount + options.encodedByteCount
    let answer = TCPHeader(
      sourcePort: flow.localPort, destinationPort: flow.remotePort,
      sequenceNumber: make(for: flow, sequence: header.sequenceNumber, options: offered, at: now),
      acknowledgmentNumber: header.sequenceNumber + 1, headerByteCount: UInt8(count), flags: [.syn, .ack],
      window: UInt16(clamping: limits.receiveBuffer))
    packet.prepend(count)
    var bytes = packet.mutableBytes
    answer.write(to: &bytes)
    options.write(to: &bytes, at: TCPHeader.minimumByteCount)
    packet.metadata.checksumOffset = UInt16(TCPHeader.checksumOffset)
    return packet
  }
}
