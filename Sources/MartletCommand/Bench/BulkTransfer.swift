import Martlet
import MartletCore
import MartletWire

/// One flow that sends as fast as it may, over one path, from connect to the last byte read.
struct BulkTransfer: Sendable {
  var path: BenchPath
  var byteCount: Int
  var congestion: CongestionChoice
  var seed: UInt64

  /// What came of it.
  struct Result: Equatable, Sendable {
    /// From the call of connect to the last byte read by the receiving program.
    var nanoseconds: Int64
    var byteCount: Int
    var retransmittedSegments: Int
    var timeouts: Int
    /// Packets dropped by the bottleneck's queue, and lost by chance.
    var queueDrops: Int
    var lost: Int

    /// Payload per time.
    var megabitsPerSecond: Double { Double(byteCount) * 8_000 / Double(nanoseconds) }
  }

  private static let port: UInt16 = 5_001
  /// A prime, so that a byte in a wrong place shows.
  private static let period = 251
  private static let block = [UInt8]((0..<period * 256).map { UInt8($0 % period) })

  /// Runs the transfer in a network of its own, and tells `trace` each sample if there is one.
  func run(trace: TransferTrace? = nil) throws -> Result {
    let network = try BenchNetwork([path], seed: seed)
    let (loop, sender, receiver) = (network.loop, network.sender, network.receiver)
    let address = BenchNetwork.receiverAddress(0)
    let meter = FlowMeter()
    let (byteCount, options) = (byteCount, congestion.options)
    let (elapsed, info) = try loop.runAndWait { () async throws -> (Int64, TCPInfo) in
      try await BenchNetwork.meet(sender, address)
      let listener = try receiver.listen(on: Self.port)
      let start = loop.now
      let receiving = loop.task { () async throws -> Instant in
        let connection = try await listener.accept()
        try await Self.read(byteCount, from: connection, meter)
        return loop.now
      }
      let socket = try await sender.connect(to: SocketAddress(address, port: Self.port), options: options)
      try trace?.begin(socket)
      let sampling = trace.map { trace in
        loop.task { try await trace.sample(socket, from: start, loop) }
      }
      defer { sampling?.cancel() }
      try await Self.write(byteCount, to: socket)
      let end = try await receiving.value
      try trace?.end(socket, from: start)
      return (end.nanoseconds - start.nanoseconds, try socket.info())
    }
    let counters = network.counters()
    return Result(
      nanoseconds: elapsed, byteCount: byteCount, retransmittedSegments: info.retransmittedSegments,
      timeouts: info.timeouts, queueDrops: counters.queueDrops, lost: counters.lost)
  }

  /// Writes without end.
  static func write(to socket: TCPSocket) async throws {
    while true { try await socket.write(block) }
  }

  static func write(_ byteCount: Int, to socket: TCPSocket) async throws {
    var left = byteCount
    while left >= block.count {
      try await socket.write(block)
      left -= block.count
    }
    if left > 0 { try await socket.write(Array(block[..<left])) }
  }

  /// Reads `byteCount` bytes and looks whether each piece is where it belongs.
  static func read(_ byteCount: Int, from socket: TCPSocket, _ meter: FlowMeter) async throws {
    while meter.byteCount < byteCount {
      let count = meter.byteCount
      let bytes = try await socket.read()
      guard let first = bytes.first, let last = bytes.last, Int(first) == count % period,
        Int(last) == (count + bytes.count - 1) % period
      else { throw CommandFailure(.network, "the transfer broke off or went wrong after \(count) bytes") }
      meter.byteCount += bytes.count
    }
  }
}

/// How much one flow's receiver has read; for the loop's thread alone.
final class FlowMeter: @unchecked Sendable {
  var byteCount = 0
}
