import HostFuzzing
import MartletCore
import MartletWire
import Testing

/// A frame that must be dropped, and under which name.
struct BadFrame: Sendable, CustomTestStringConvertible {
  let name: String
  let reason: Drop.Reason
  let bytes: [UInt8]

  init(_ name: String, _ reason: Drop.Reason, _ bytes: [UInt8]) {
    self.name = name
    self.reason = reason
    self.bytes = bytes
  }

  init(_ name: String, _ reason: Drop.Reason, _ packet: IPv4Frame, _ change: (inout IPv4Frame) -> Void = { _ in }) {
    var packet = packet
    change(&packet)
    self.init(name, reason, Bench.frame(packet))
  }

  init(_ name: String, _ reason: Drop.Reason, _ packet: IPv6Frame, _ change: (inout IPv6Frame) -> Void = { _ in }) {
    var packet = packet
    change(&packet)
    self.init(name, reason, Bench.frame(packet))
  }

  var testDescription: String { name }

  /// Sends the frame, sees it dropped under its name and no other, and sees the host in good health afterwards.
  /// Returns what the host answered.
  @discardableResult
  func expectDrop(configuration: Host.Configuration = Host.Configuration()) throws -> [[UInt8]] {
    var bench = try Bench(configuration: configuration)
    let before = bench.b.drops
    let answers = bench.inject(bytes)
    let counted = bench.b.drops[reason] - before[reason]
    let total = bench.b.drops.total - before.total
    #expect(counted == 1, "\(reason) not counted; instead \(bench.b.drops.differences(from: before))")
    #expect(total == 1, "also \(bench.b.drops.differences(from: before))")
    bench.expectHealth()
    return answers
  }
}

extension Drop.Counters {
  /// The reasons that came up since `earlier`.
  func differences(from earlier: Drop.Counters) -> [Drop.Reason] {
    Drop.Reason.allCases.filter { self[$0] != earlier[$0] }
  }
}

extension Bench {
  /// Nothing is held, the sockets go on, and then again nothing is held.
  mutating func expectHealth(
    after duration: Duration = .seconds(400), sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let leak = drainComplaint(after: duration)
    #expect(leak == nil, sourceLocation: sourceLocation)
    let complaint = complaint()
    #expect(complaint == nil, sourceLocation: sourceLocation)
    let later = drainComplaint()
    #expect(later == nil, sourceLocation: sourceLocation)
  }
}

/// Some packets to start from.
enum Good {
  static var udp4: IPv4Frame { IPv4Frame(from: Bench.c4, to: Bench.b4, protocol: 17, udp(.v4)) }
  static var udp6: IPv6Frame { IPv6Frame(from: Bench.c6, to: Bench.b6, protocol: 17, udp(.v6)) }

  static func udp(_ version: IPVersion, _ payload: [UInt8] = Array("hello".utf8)) -> [UInt8] {
    UDPFrame(from: 4_000, to: Bench.port, payload).bytes(from: Bench.ip(version).c, to: Bench.ip(version).b)
  }

  static func syn(_ version: IPVersion) -> [UInt8] {
    TCPFrame(from: 4_000, to: Bench.port, flags: TCPFrame.syn).bytes(from: Bench.ip(version).c, to: Bench.ip(version).b)
  }

  static func echo(_ version: IPVersion, _ payload: [UInt8] = Array("ping".utf8)) -> ICMPFrame {
    ICMPFrame(type: version == .v4 ? 8 : 128, word: 0x1111_0001, payload)
  }
}

/// What stands where in a frame that a host sent.
struct SentFrame {
  let bytes: [UInt8]

  var isIPv4: Bool { bytes.count > 34 && bytes[12] == 8 && bytes[13] == 0 }
  var isIPv6: Bool { bytes.count > 54 && bytes[12] == 0x86 && bytes[13] == 0xdd }
  var destination: [UInt8] { Array(bytes[0..<6]) }
  var ipHeaderByteCount: Int { isIPv4 ? Int(bytes[14] & 15) * 4 : 40 }
  var `protocol`: UInt8 { isIPv4 ? bytes[23] : bytes[20] }
  var transport: [UInt8] { Array(bytes[(14 + ipHeaderByteCount)...]) }

  /// The ICMP message, if that is what it is and it is no neighbour discovery.
  var icmp: (type: UInt8, code: UInt8, word: UInt32, body: [UInt8])? {
    guard isIPv4 && `protocol` == 1 || isIPv6 && `protocol` == 58 else { return nil }
    let message = transport
    guard message.count >= 8, !(133...137).contains(message[0]) else { return nil }
    let word = message[4..<8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return (message[0], message[1], word, Array(message[8...]))
  }
}

extension [[UInt8]] {
  /// The ICMP messages among frames.
  var icmp: [(type: UInt8, code: UInt8, word: UInt32, body: [UInt8])] { compactMap { SentFrame(bytes: $0).icmp } }
}
