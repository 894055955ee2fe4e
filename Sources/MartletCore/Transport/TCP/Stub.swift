package import MartletWire
public enum TCPState: Sendable, CustomStringConvertible { case closed, timeWait; public var description: String { "x" } }
public struct TCPInfo: Sendable { public var state: TCPState; public var receiveQueueByteCount = 0; public var sendQueueByteCount = 0 }
package struct TCPConnection: ~Copyable {
  var x = 0
  init(connecting flow: TCPFlow, socketOptions: TCPSocketOptions, configuration: Host.Configuration.TCP, initialSequence: SequenceNumber, maximumSegmentSize: Int, timestampOffset: UInt32, at now: Instant) {}
  init(accepting flow: TCPFlow, syn: TCPHeader, _ options: TCPOptions, socketOptions: TCPSocketOptions, configuration: Host.Configuration.TCP, initialSequence: SequenceNumber, maximumSegmentSize: Int, timestampOffset: UInt32, at now: Instant) {}
  init(cookie: SYNCookie, flow: TCPFlow, acknowledgment: TCPHeader, _ options: TCPOptions, socketOptions: TCPSocketOptions, configuration: Host.Configuration.TCP, maximumSegmentSize: Int, timestampOffset: UInt32, at now: Instant) {}
  mutating func receive(_ header: TCPHeader, _ options: TCPOptions, payload: consuming Packet, at now: Instant) -> Drop.Reason? { nil }
  mutating func takeChanges() -> SocketEvent.Changes { [] }
  var isFinished: Bool { false }
  var wantsTransmit: Bool { false }
  var deadline: Instant? { nil }
  mutating func release() {}
  var state: TCPState { .closed }
  mutating func advance(to now: Instant) {}
  mutating func transmit(from pool: borrowing PacketPool, at now: Instant, into: inout PacketQueue) {}
  var socketOptions: TCPSocketOptions { .init() }
  func acceptsReuse(by: TCPHeader, options: TCPOptions) -> Bool { false }
  func isInFlight(_ s: SequenceNumber) -> Bool { false }
  mutating func receivedHardError(_ e: SocketError, at now: Instant) {}
  mutating func receivedSoftError(_ e: SocketError, at now: Instant) {}
  mutating func pathChanged(maximumSegmentSize: Int, at now: Instant) {}
  mutating func read(into: inout MutableRawSpan, at: Instant) throws(SocketError) -> ReadResult { .wouldBlock }
  mutating func write(_ b: RawSpan, from: borrowing PacketPool, at: Instant) throws(SocketError) -> Int { 0 }
  mutating func write(_ b: consuming Slice, at: Instant) throws(SocketError) -> Bool { false }
  mutating func shutdownWrite(at: Instant) throws(SocketError) {}
  mutating func setOptions(_ o: TCPSocketOptions, at: Instant) {}
  var info: TCPInfo { TCPInfo(state: .closed) }
  mutating func abort(at: Instant) {}
  mutating func close(at: Instant) {}
  mutating func takeError() -> SocketError? { nil }
  var readiness: SocketEvent.Changes { [] }
}
struct EphemeralPorts { static let first: UInt16 = 49152; static let count = 16384; init(hash: KeyedHash) {}; func start(for: TCPFlow) -> Int { 0 }; mutating func advance(by: Int) {} }
struct InitialSequenceNumber { static func make(for: TCPFlow, hash: KeyedHash, at: Instant) -> SequenceNumber { SequenceNumber(0) } }
package struct SYNCookie { var sequence: SequenceNumber; var options: TCPOptions
 static func make(for: TCPFlow, syn: TCPHeader, options: TCPOptions, maximumSegmentSize: Int, configuration: Host.Configuration.TCP, hash: KeyedHash, timestampOffset: UInt32, at: Instant) -> SYNCookie { SYNCookie(sequence: SequenceNumber(0), options: options) }
 static func check(_ h: TCPHeader, _ o: TCPOptions, for: TCPFlow, hash: KeyedHash, timestampOffset: UInt32, at: Instant) -> SYNCookie? { nil } }
