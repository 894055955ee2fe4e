import Glibc
import Martlet
import MartletLinks
import MartletWire

/// What files are sent over.
protocol FileCourse: AnyObject {
  var name: String { get }
  var title: String { get }
  /// Sends `file` so many times and says what it took.
  func measure(_ file: ServedFile, way: FileWayChoice, repeats: Int) throws -> FileCourseResult
  func end()
}

/// Processor time, of the process or of one thread.
struct ProcessorSeconds: Sendable {
  var user: Double
  var system: Double
  var total: Double { user + system }

  static func now(ofThread: Bool) -> ProcessorSeconds {
    var usage = rusage()
    // RUSAGE_THREAD is 1, RUSAGE_SELF 0.
    _ = unsafe getrusage(__rusage_who_t(ofThread ? 1 : 0), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return ProcessorSeconds(user: seconds(usage.ru_utime), system: seconds(usage.ru_stime))
  }
}

/// Two hosts of this process on one loop, with a wire between them.
final class WireCourse: FileCourse {
  let name = "wire"
  let title = "Two hosts in this process, whose device copies nothing, CPU of both"
  private let loop: Loop
  private let server: VirtualHost
  private let client: VirtualHost
  private let wire: VirtualWire
  private static let address: IPAddress = "10.0.0.2"

  init(software: Bool) throws {
    loop = Loop(.real)
    server = loop.host("server")
    client = loop.host("client")
    var configuration = VirtualWire.Configuration()
    if !software { configuration.offloads = [.transmitChecksum, .segmentTCPv4, .segmentTCPv6] }
    configuration.readsFilesInPlace = true
    wire = VirtualWire(configuration)
    try client.attach(wire.left, addresses: ["10.0.0.1/24"])
    try server.attach(wire.right, addresses: ["10.0.0.2/24"])
  }

  func measure(_ file: ServedFile, way: FileWayChoice, repeats: Int) throws -> FileCourseResult {
    let (server, client, loop) = (server, client, loop)
    let before = loop.sync { [wire = Held(wire)] in wire.value.right.counters.sentFrames }
    var result = try loop.runAndWait { () async throws -> FileCourseResult in
      var options = ListenerOptions()
      options.connection.sendBufferByteCount = 1 << 20
      let listener = try server.listen(on: 80, options: options)
      let socket = try await client.connect(to: SocketAddress(Self.address, port: 80))
      let connection = try await listener.accept()
      listener.close()
      let reading = loop.task { () async throws -> Int in
        var total = 0
        while true {
          let count = try await socket.readInPlace { _ in }
          if count == 0 { return total }
          total += count
        }
      }
      var result = FileCourseResult()
      let start = loop.clock.now
      let usage = ProcessorSeconds.now(ofThread: true)
      for _ in 0..<repeats { result.statistics += try await way.send(file, over: connection) }
      connection.close()
      let total = try await reading.value
      guard total == file.byteCount * repeats else { throw CommandFailure(.network, "only \(total) bytes arrived") }
      result.take(usage, from: start, to: loop.clock.now)
      socket.close()
      return result
    }
    result.frames = loop.sync { [wire = Held(wire)] in wire.value.right.counters.sentFrames } - before
    return result
  }

  func end() { loop.shutdown() }

  /// For the loop's thread alone.
  struct Held: @unchecked Sendable {
    let value: VirtualWire
    init(_ value: VirtualWire) { self.value = value }
  }
}

extension FileCourseResult {
  mutating func take(_ before: ProcessorSeconds, from start: Instant, to end: Instant) {
    let after = ProcessorSeconds.now(ofThread: true)
    userSeconds = after.user - before.user
    systemSeconds = after.system - before.system
    seconds = Double(end.nanoseconds - start.nanoseconds) / 1e9
  }
}
