import MartletWire
import Testing

@testable import MartletCore

/// A connection at one end, a script at the other, and a clock that the script moves.
///
/// Every byte of either stream is a function of its place, so that data is checked wherever it turns up.
final class TCPScript {
  struct Setup {
    /// Over which version of IP; a suite with ``BothVersions`` runs over each.
    var version = BothVersions.current
    var isPassive = false
    var isEstablished = true
    var mss = 1_000
    /// What the peer offers.
    var peerWindow = 65_535
    var peerScale: Int?
    var sack = true
    var timestamps = false
    var initialWindow = 10
    var options = TCPSocketOptions()
    var configuration = Setup.plainConfiguration
    var superSegment = 0
    /// What the peer's SYN of a passive open says.
    var synFlags = TCPFlags.syn

    /// The host's defaults, but for what makes windows and times hard to tell beforehand.
    static var plainConfiguration: Host.Configuration.TCP {
      var configuration = Host.Configuration.TCP()
      configuration.congestionControl = .newReno
      configuration.pacing = false
      configuration.tailLossProbes = false
      return configuration
    }

    /// An active open that is done.
    static func established(
      mss: Int = 1_000, initialWindow: Int = 10, sack: Bool = true, timestamps: Bool = false, scale: Int? = nil,
      window: Int = 65_535, _ change: (inout Setup) -> Void = { _ in }
    ) -> Setup {
      var setup = Setup()
      setup.mss = mss
      setup.initialWindow = initialWindow
      setup.sack = sack
      setup.timestamps = timestamps
      setup.peerScale = scale
      setup.peerWindow = window
      change(&setup)
      return setup
    }

    /// An active open whose SYN did not go out yet.
    static func connecting(_ change: (inout Setup) -> Void = { _ in }) -> Setup {
      var setup = Setup()
      setup.isEstablished = false
      change(&setup)
      return setup
    }

    /// A passive open on a SYN.
    static func accepting(_ change: (inout Setup) -> Void = { _ in }) -> Setup {
      var setup = Setup()
      setup.isEstablished = false
      setup.isPassive = true
      change(&setup)
      return setup
    }
  }

  static let flow = flow(.v4)

  static func flow(_ version: IPVersion) -> Flow {
    version == .v4
      ? Flow(localAddress: "192.0.2.1", localPort: 5_001, remoteAddress: "192.0.2.2", remotePort: 80)
      : Flow(localAddress: "2001:db8::1", localPort: 5_001, remoteAddress: "2001:db8::2", remotePort: 80)
  }

  /// Both streams pass the end of the number space soon.
  static let localBase = SequenceNumber(0xffff_fe00)
  static let peerBase = SequenceNumber(0x7fff_fe00)

  let pool = PacketPool()
  var connection: TCPConnection
  let setup: Setup
  var now = Instant.zero
  private(set) var sent: [ScriptSegment] = []
  /// Everything that was sent and expected, for messages.
  private var drops: [Drop.Reason] = []
  /// The peer's next number and the next byte it expects.
  private var peerNext = 0
  private var peerAck = 0
  private var written = 1
  private var consumed = 1

  init(_ setup: Setup = .established()) {
    self.setup = setup
    let flow = Self.flow(setup.version)
    var configuration = setup.configuration
    configuration.initialWindowSegments = setup.initialWindow
    let header = TCPHeader(
      sourcePort: Self.flow.remotePort, destinationPort: Self.flow.localPort, sequenceNumber: Self.peerBase,
      acknowledgmentNumber: SequenceNumber(0), flags: setup.synFlags, window: UInt16(clamping: setup.peerWindow))
    var options = TCPOptions(maximumSegmentSize: UInt16(setup.mss))
    options.windowScale = setup.peerScale.map { UInt8($0) }
    options.isSACKPermitted = setup.sack
    if setup.timestamps { options.timestamps = TCPTimestamps(value: 1_000, echoReply: 0) }
    if setup.isPassive {
      connection = TCPConnection(
        accepting: flow, syn: header, options: options, socketOptions: setup.options,
        configuration: configuration, initialSequence: Self.localBase, maximumSegmentSize: 1_480, now: now)
      peerNext = 1
    } else {
      connection = TCPConnection(
        connecting: flow, options: setup.options, configuration: configuration, initialSequence: Self.localBase,
        maximumSegmentSize: 1_480, now: now)
    }
    connection.maximumSuperSegment = UInt16(setup.superSegment)
    if setup.isEstablished {
      transmit()
      receive(
        .synAck(
          mss: setup.mss, scale: setup.peerScale, sackPermitted: setup.sack,
          timestamp: setup.timestamps ? 1_000 : nil, echo: setup.timestamps ? 0 : nil))
      sent = []
      _ = connection.takeChanges()
    }
  }

  static func byte(at place: Int) -> UInt8 { UInt8(truncatingIfNeeded: place &* 167 &+ place >> 8) }

  // MARK: Time

  /// Moves the clock to `seconds`, firing what is due on the way.
  @discardableResult
  func at(_ seconds: Double) -> TCPScript {
    let target = Instant(nanoseconds: Int64((seconds * 1e9).rounded()))
    while let deadline = connection.deadline, deadline <= target {
      now = max(now, deadline)
      connection.advance(to: now)
      transmit()
    }
    now = max(now, target)
    return self
  }

  private func transmit() {
    var output = PacketQueue()
    guard connection.wantsTransmit else { return }
    connection.transmit(from: pool, at: now, into: &output)
    while let packet = output.popFirst() { sent.append(read(packet)) }
  }

  private func read(_ packet: borrowing Packet) -> ScriptSegment {
    guard let header = try? TCPHeader(parsing: packet.bytes),
      let options = try? TCPOptions(of: header, in: packet.bytes)
    else {
      Issue.record("a segment that cannot be parsed")
      return ScriptSegment(flags: [])
    }
    let seq = header.sequenceNumber - Self.localBase
    let skip = Int(header.headerByteCount)
    var bytes = [UInt8](repeating: 0, count: packet.count - skip)
    unsafe bytes.withUnsafeMutableBytes { target in
      if let start = target.baseAddress { unsafe packet.copyBytes(from: skip, count: target.count, to: start) }
    }
    for (index, byte) in bytes.enumerated() where byte != Self.byte(at: seq + index) {
      Issue.record("wrong byte \(seq + index) in a segment sent")
      break
    }
    let blocks = options.sackBlocks
    return ScriptSegment(
      flags: header.flags, seq: seq,
      ack: header.flags.contains(.ack) ? header.acknowledgmentNumber - Self.peerBase : nil,
      count: bytes.count, window: Int(header.window), urgent: Int(header.urgentPointer),
      mss: options.maximumSegmentSize.map(Int.init), scale: options.windowScale.map(Int.init),
      sackPermitted: options.isSACKPermitted,
      sack: (0..<blocks.count).map { blocks[$0].left - Self.peerBase..<blocks[$0].right - Self.peerBase },
      timestamp: options.timestamps?.value, echo: options.timestamps?.echoReply,
      time: Double(now.nanoseconds) / 1e9, superSegment: Int(packet.metadata.segmentSize),
      userTimeout: options.userTimeout?.seconds ?? 0, ecn: packet.metadata.isECNCapable ? .capable0 : .notCapable)
  }

  // MARK: The peer

  /// The peer's segments arrive, all in one batch.
  @discardableResult
  func receive(_ segments: ScriptSegment...) -> TCPScript {
    for segment in segments {
      if let reason = deliver(segment) { drops.append(reason) }
    }
    transmit()
    return self
  }

  private func deliver(_ segment: ScriptSegment) -> Drop.Reason? {
    guard var payload = pool.allocate(), let region = pool.allocateRegion(large: true) else { return .poolExhausted }
    let count = segment.count ?? 0
    let seq = segment.seq ?? peerNext
    let text = segment.flags.contains(.syn) ? seq + 1 : seq
    if count <= 1_500 {
      let bytes = (0..<count).map { Self.byte(at: text + $0) }
      unsafe payload.append(copying: bytes.span.bytes)
    } else {
      for index in 0..<count {
        unsafe region.bytes.storeBytes(of: Self.byte(at: text + index), toByteOffset: index, as: UInt8.self)
      }
      payload.append(Slice(region, offset: 0, count: count))
    }
    if let ack = segment.ack { peerAck = max(peerAck, ack) }
    let length = count + (segment.flags.contains(.syn) ? 1 : 0) + (segment.flags.contains(.fin) ? 1 : 0)
    if seq <= peerNext, !segment.flags.contains(.rst) { peerNext = max(peerNext, seq + length) }
    let header = TCPHeader(
      sourcePort: Self.flow.remotePort, destinationPort: Self.flow.localPort,
      sequenceNumber: Self.peerBase + seq,
      acknowledgmentNumber: segment.flags.contains(.ack)
        ? Self.localBase + (segment.ack ?? peerAck) : SequenceNumber(0),
      flags: segment.flags, window: UInt16(clamping: segment.window ?? setup.peerWindow),
      urgentPointer: UInt16(segment.urgent ?? 0))
    var options = TCPOptions()
    options.maximumSegmentSize = segment.mss.map { UInt16($0) }
    options.windowScale = segment.scale.map { UInt8($0) }
    options.isSACKPermitted = segment.sackPermitted ?? false
    if let value = segment.timestamp {
      options.timestamps = TCPTimestamps(value: value, echoReply: segment.echo ?? 0)
    }
    if let seconds = segment.userTimeout { options.userTimeout = TCPUserTimeout(seconds: seconds) }
    for run in segment.sack ?? [] {
      options.sackBlocks.append(
        SACKBlock(left: Self.localBase + run.lowerBound, right: Self.localBase + run.upperBound))
    }
    let isMarked = segment.ecn == .congestionExperienced
    if isMarked || segment.flags.contains(.cwr) {
      connection.receiveMark(header, isMarked: isMarked, payloadCount: count)
    }
    return connection.receive(header, options, payload: payload, at: now)
  }

  /// Whether the last segments were dropped for `reasons`.
  func expectDrops(_ reasons: Drop.Reason..., at location: SourceLocation = #_sourceLocation) {
    #expect(drops == reasons, sourceLocation: location)
    drops = []
  }

  // MARK: The program

  @discardableResult
  func write(_ count: Int, at location: SourceLocation = #_sourceLocation) -> TCPScript {
    let bytes = (0..<count).map { Self.byte(at: written + $0) }
    do throws(SocketError) {
      unsafe written += try connection.write(bytes.span.bytes, from: pool, at: now)
    } catch {
      Issue.record("write failed: \(error)", sourceLocation: location)
    }
    transmit()
    return self
  }

  /// Reads up to `count` bytes and expects the stream to go on where it was left.
  @discardableResult
  func read(_ count: Int = 1 << 20, at location: SourceLocation = #_sourceLocation) -> ReadResult? {
    var buffer = [UInt8](repeating: 0, count: count)
    defer { transmit() }
    do throws(SocketError) {
      var span = buffer.mutableSpan
      var bytes = unsafe span.mutableBytes
      let result = try connection.read(into: &bytes, at: now)
      if case .bytes(let count) = result {
        for index in 0..<count where buffer[index] != Self.byte(at: consumed + index) {
          Issue.record("wrong byte \(consumed + index) was read", sourceLocation: location)
          break
        }
        consumed += count
      }
      return result
    } catch {
      return nil
    }
  }

  @discardableResult
  func shutdown() -> TCPScript {
    #expect(throws: Never.self) { try connection.shutdownWrite(at: now) }
    transmit()
    return self
  }

  @discardableResult
  func close() -> TCPScript {
    connection.close(at: now)
    transmit()
    return self
  }

  @discardableResult
  func abort() -> TCPScript {
    connection.abort(at: now)
    transmit()
    return self
  }

  /// Calls `body` with the connection, then lets it transmit.
  @discardableResult
  func change(_ body: (inout TCPConnection) throws -> Void) rethrows -> TCPScript {
    try body(&connection)
    transmit()
    return self
  }

  var info: TCPInfo { connection.info }
  var isFinished: Bool { connection.isFinished }
  var urgentByteCount: Int? { connection.urgentByteCount }
  var softError: SocketError? { connection.softError }
  /// When the next timer fires, in seconds.
  var deadline: Double? { connection.deadline.map { Double($0.nanoseconds) / 1e9 } }

  // MARK: Expectations

  /// What was sent since the last expectation is this, no less and no more.
  func expect(_ segments: ScriptSegment..., at location: SourceLocation = #_sourceLocation) {
    expect(segments, at: location)
  }

  func expect(_ segments: [ScriptSegment], at location: SourceLocation = #_sourceLocation) {
    let matches = sent.count == segments.count && zip(segments, sent).allSatisfy { $0.matches($1) }
    #expect(
      matches, "over IP\(setup.version) expected \(segments), sent \(sent)", sourceLocation: location)
    sent = []
  }

  /// Nothing was sent, and nothing will be before `seconds`.
  func expectNothing(until seconds: Double? = nil, at location: SourceLocation = #_sourceLocation) {
    if let seconds { at(seconds) }
    #expect(sent.isEmpty, "sent \(sent)", sourceLocation: location)
    sent = []
  }

  /// Forgets what was sent.
  @discardableResult
  func ignore() -> TCPScript {
    sent = []
    return self
  }

  func expectState(_ state: TCPState, at location: SourceLocation = #_sourceLocation) {
    let actual = connection.state
    #expect(actual == state, sourceLocation: location)
  }

  func expectError(_ error: SocketError?, at location: SourceLocation = #_sourceLocation) {
    let actual = connection.error
    #expect(actual == error, sourceLocation: location)
  }

  /// What changed since the last call.
  func changes() -> SocketEvent.Changes { connection.takeChanges() }
}
