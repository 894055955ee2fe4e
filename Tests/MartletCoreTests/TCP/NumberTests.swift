import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: initial numbers, cookies and ports")
struct TCPNumberTests {
  private let hash = KeyedHash(key0: 1, key1: 2)
  private let flow = TCPScript.flow

  @Test(
    "The initial sequence number follows a clock of 4 µs", .rfc(9293, "MUST-8"), .rfc(9293, "SHLD-1"),
    .rfc(6528, section: "3"))
  func clock() {
    let source = InitialSequenceNumber(hash: hash)
    let first = source.value(for: flow, at: .zero)
    let later = source.value(for: flow, at: Instant(nanoseconds: .seconds(1)))
    #expect(later - first == 250_000)
  }

  @Test("It depends on every part of the flow and on a secret", .rfc(9293, "MUST-9"), .rfc(6528, section: "3"))
  func secret() {
    let source = InitialSequenceNumber(hash: hash)
    let base = source.value(for: flow, at: .zero)
    #expect(InitialSequenceNumber(hash: KeyedHash(key0: 1, key1: 3)).value(for: flow, at: .zero) != base)
    for change in [\Flow.localPort, \Flow.remotePort] {
      var other = flow
      other[keyPath: change] += 1
      #expect(source.value(for: other, at: .zero) != base)
    }
    #expect(source.value(for: flow.reversed, at: .zero) != base)
  }

  private func acknowledgment(of cookie: SequenceNumber, sequence: SequenceNumber) -> TCPHeader {
    TCPHeader(
      sourcePort: flow.remotePort, destinationPort: flow.localPort, sequenceNumber: sequence + 1,
      acknowledgmentNumber: cookie + 1, flags: .ack, window: 500)
  }

  @Test(
    "A cookie gives back the MSS below the one offered, for one to two counts", .rfc(4987, section: "3.6"),
    arguments: [
      (1_460, 1_460), (1_459, 1_440), (65_535, 8_960), (100, 216), (nil, 536),
    ] as [(Int?, UInt16)])
  func cookie(offered: Int?, agreed: UInt16) {
    let cookies = SYNCookie(hash: hash)
    let sequence = SequenceNumber(0xffff_fff0)
    let options = TCPOptions(maximumSegmentSize: offered.map { UInt16($0) })
    let start = Instant(nanoseconds: .seconds(100))
    let cookie = cookies.make(for: flow, sequence: sequence, options: options, at: start)
    let header = acknowledgment(of: cookie, sequence: sequence)
    let found = cookies.check(header, options: TCPOptions(), for: flow, at: Instant(nanoseconds: .seconds(160)))
    #expect(found == SYNCookie.Agreement(maximumSegmentSize: agreed, windowScale: nil, isSACKPermitted: false))
    #expect(cookies.check(header, options: TCPOptions(), for: flow, at: Instant(nanoseconds: .seconds(192))) == nil)
    #expect(cookies.check(header, options: TCPOptions(), for: flow.reversed, at: start) == nil)
    var forged = header
    forged.acknowledgmentNumber += 1
    #expect(cookies.check(forged, options: TCPOptions(), for: flow, at: start) == nil)
  }

  @Test(
    "Window scale and SACK come back in the timestamp, which does not run ahead", .rfc(4987, section: "3.6"),
    arguments: [
      nil, 0, 7, 14,
    ] as [UInt8?], [true, false])
  func cookieTimestamp(scale: UInt8?, sack: Bool) {
    let cookies = SYNCookie(hash: hash)
    var options = TCPOptions(windowScale: scale, isSACKPermitted: sack)
    for clock in [0 as UInt32, 31, 32, 1_000_003, .max] {
      let marked = cookies.timestamp(clock, options: options)
      #expect((0..<64).contains(Int32(truncatingIfNeeded: clock &- marked)))
      options.timestamps = TCPTimestamps(value: 5, echoReply: marked)
      let cookie = cookies.make(for: flow, sequence: SequenceNumber(9), options: options, at: .zero)
      let agreed = cookies.check(
        acknowledgment(of: cookie, sequence: SequenceNumber(9)), options: options, for: flow, at: .zero)
      #expect(agreed?.windowScale == scale)
      #expect(agreed?.isSACKPermitted == sack)
    }
  }

  @Test("A connection made of a cookie's ACK carries data")
  func cookieConnection() throws {
    let pool = PacketPool()
    let cookies = SYNCookie(hash: hash)
    let syn = TCPHeader(
      sourcePort: flow.remotePort, destinationPort: flow.localPort, sequenceNumber: SequenceNumber(100),
      acknowledgmentNumber: SequenceNumber(0), flags: .syn, window: 1_000)
    var offered = TCPOptions(maximumSegmentSize: 1_460, windowScale: 7, isSACKPermitted: true)
    offered.timestamps = TCPTimestamps(value: 50, echoReply: 0)
    let answer = cookies.answer(
      to: syn, options: offered, for: flow, socketOptions: TCPSocketOptions(), configuration: Host.Configuration.TCP(),
      timestampOffset: 7, maximumSegmentSize: 1_480, from: pool, at: .zero)
    guard let packet = answer, var payload = pool.allocate() else {
      Issue.record("no memory")
      return
    }
    let header = try TCPHeader(parsing: packet.bytes)
    let options = try TCPOptions(of: header, in: packet.bytes)
    #expect(header.flags == [.syn, .ack])
    #expect(options.maximumSegmentSize == 1_460)
    #expect(options.windowScale == 8)
    #expect(options.isSACKPermitted)
    var acknowledgment = acknowledgment(of: header.sequenceNumber, sequence: SequenceNumber(100))
    acknowledgment.flags = [.ack, .psh]
    let echoed = TCPOptions(timestamps: TCPTimestamps(value: 60, echoReply: options.timestamps?.value ?? 0))
    let agreed = try #require(cookies.check(acknowledgment, options: echoed, for: flow, at: .zero))
    var connection = TCPConnection(
      cookie: flow, acknowledgment: acknowledgment, options: echoed, agreed: agreed,
      configuration: Host.Configuration.TCP(), timestampOffset: 7, maximumSegmentSize: 1_480, now: .zero)
    unsafe payload.append(copying: ([1, 2, 3] as [UInt8]).span.bytes)
    let reason = connection.receive(acknowledgment, echoed, payload: payload, at: .zero)
    let state = connection.state
    let info = connection.info
    let waiting = connection.receiveByteCount
    let changes = connection.takeChanges()
    #expect(reason == nil)
    #expect(state == .established)
    #expect(waiting == 3)
    #expect(changes.contains(.connected))
    #expect(info.sendWindow == 500 << 7)
    #expect(info.usesSelectiveAcknowledgments && info.usesTimestamps)
  }

  @Test(
    "Ports come from the dynamic range, taken ones are passed over, and a full range says so",
    .rfc(6056, section: "3.3.4"))
  func ports() {
    var ports = EphemeralPorts(hash: hash)
    var taken: Set<UInt16> = []
    for _ in 0..<EphemeralPorts.range.count {
      guard let port = ports.select(for: flow, isTaken: { taken.contains($0) }) else {
        Issue.record("no port")
        return
      }
      #expect(EphemeralPorts.range.contains(port))
      #expect(taken.insert(port).inserted)
    }
    #expect(ports.select(for: flow, isTaken: { taken.contains($0) }) == nil)
  }

  @Test("An idle connection is small")
  func size() {
    #expect(MemoryLayout<TCPConnection>.size <= 640)
  }
}
