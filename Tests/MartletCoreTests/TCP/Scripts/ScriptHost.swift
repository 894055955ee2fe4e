import HostFuzzing
import MartletCore
import MartletWire
import Testing

/// A segment as it stands on the wire, for scripts that talk to a whole host.
struct WireSegment: CustomStringConvertible {
  let header: TCPHeader
  let options: TCPOptions
  let payload: [UInt8]
  /// The IP packet it came in.
  let packet: [UInt8]

  /// The segment in an Ethernet frame, if one is.
  init?(_ frame: [UInt8]) {
    let sent = SentFrame(bytes: frame)
    guard sent.isIPv4 || sent.isIPv6, sent.protocol == 6 else { return nil }
    let transport = sent.transport
    guard let header = try? TCPHeader(parsing: transport.rawBytes),
      let options = try? TCPOptions(of: header, in: transport.rawBytes)
    else { return nil }
    self.header = header
    self.options = options
    payload = Array(transport.dropFirst(Int(header.headerByteCount)))
    packet = Array(frame.dropFirst(14))
  }

  var flags: TCPFlags { header.flags }
  var sequence: UInt32 { header.sequenceNumber.value }
  var acknowledgment: UInt32 { header.acknowledgmentNumber.value }
  /// TTL or hop limit.
  var hopLimit: UInt8 { packet[0] >> 4 == 4 ? packet[8] : packet[7] }
  var trafficClass: UInt8 { packet[0] >> 4 == 4 ? packet[1] : packet[0] << 4 | packet[1] >> 4 }

  var description: String { "\(flags) seq=\(sequence) ack=\(acknowledgment) count=\(payload.count)" }
}

extension [[UInt8]] {
  /// The TCP segments among frames.
  var segments: [WireSegment] { compactMap { WireSegment($0) } }
}

extension TwoHosts {
  /// The TCP segments that crossed, A's or B's.
  func segments(fromA: Bool) -> [WireSegment] {
    frames.filter { $0.fromA == fromA }.map(\.bytes).segments
  }

  /// Lets both hosts send, and only then gives each what the other sent.
  mutating func cross() -> (fromA: [WireSegment], fromB: [WireSegment]) {
    var fromA = PacketQueue()
    a.transmit(from: eth, at: now) { fromA.append($0) }
    var fromB = PacketQueue()
    b.transmit(from: eth, at: now) { fromB.append($0) }
    var sent: (fromA: [[UInt8]], fromB: [[UInt8]]) = ([], [])
    while let packet = fromA.popFirst() {
      sent.fromA.append(packet.allBytes)
      b.receive(packet, on: eth, at: now)
    }
    while let packet = fromB.popFirst() {
      sent.fromB.append(packet.allBytes)
      a.receive(packet, on: eth, at: now)
    }
    return (sent.fromA.segments, sent.fromB.segments)
  }

  /// A client of A and B's end of the connection, with B listening on `port`.
  mutating func connection(
    _ version: IPVersion, port: UInt16 = 80, options: TCPSocketOptions = TCPSocketOptions()
  ) throws -> (client: SocketID, server: SocketID, listener: SocketID) {
    let listener = try b.listen(on: SocketAddress(.any(.v6), port: port))
    let remote = SocketAddress(version == .v4 ? Self.b4 : Self.b6, port: port)
    let client = try a.connect(to: remote, options: options, at: now)
    exchange()
    let foundServer = try b.accept(from: listener)
    let server = try #require(foundServer)
    return (client, server, listener)
  }
}
