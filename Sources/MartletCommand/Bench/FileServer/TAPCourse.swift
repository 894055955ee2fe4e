import Glibc
import Martlet
import MartletLinks
import MartletWire

/// A host of this process at the end of a TAP device, and the kernel at the other as the client.
final class TAPCourse: FileCourse {
  let name = "tap"
  let title = "To the Linux kernel over a TAP device, CPU of the server's thread"
  private let loop: Loop
  private let host: VirtualHost
  private let device: Device
  private static let device = "mrtfile0"
  private static let port: UInt16 = 8_080

  /// The device, which the loop's thread alone asks.
  private final class Device: @unchecked Sendable {
    var tap: TAP?
    var sentFrames: UInt64 { tap?.counters.sentFrames ?? 0 }
  }

  /// Enters a network namespace of its own; threads that are there already stay where they are.
  init(software: Bool) throws {
    do { try NetworkNamespace.enter() } catch {
      throw CommandFailure(
        .noPermission, "a network namespace needs root", remedy: "Run: sudo martlet bench file-server --tap")
    }
    loop = Loop(.real)
    host = loop.host("server")
    device = Device()
    var configuration = TAP.Configuration(name: Self.device)
    configuration.createsDevice = true
    configuration.bringsUp = true
    configuration.offloads = !software
    let (device, settings) = (device, configuration)
    try host.attach(addresses: ["192.0.2.2/24"]) { (pool) throws(LinkError) in
      let tap = try TAP(settings, pool: pool)
      device.tap = tap
      return tap
    }
    try Self.run("ip", "address", "add", "192.0.2.1/24", "dev", Self.device)
    try Self.run("ip", "link", "set", Self.device, "up")
  }

  private static func run(_ arguments: String...) throws {
    var process = pid_t()
    var strings: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
    unsafe strings.append(nil)
    defer { unsafe strings.forEach { unsafe free($0) } }
    let started = unsafe posix_spawnp(&process, arguments[0], nil, nil, strings, environ)
    var status: CInt = 0
    guard started == 0, unsafe waitpid(process, &status, 0) == process, status == 0 else {
      throw CommandFailure(.noDevice, "\(arguments.joined(separator: " ")) failed", remedy: "Install iproute2.")
    }
  }

  func measure(_ file: ServedFile, way: FileWayChoice, repeats: Int) throws -> FileCourseResult {
    let (loop, host, device) = (loop, host, device)
    let before = loop.sync { device.sentFrames }
    let listener = try loop.sync { () throws(SocketError) in
      var options = ListenerOptions()
      options.connection.sendBufferByteCount = 4 << 20
      return try host.listen(on: Self.port, options: options)
    }
    let client = KernelClient(address: 0xc000_0202, port: Self.port)
    var result = try loop.runAndWait { () async throws -> FileCourseResult in
      let connection = try await listener.accept()
      listener.close()
      var result = FileCourseResult()
      let start = loop.clock.now
      let usage = ProcessorSeconds.now(ofThread: true)
      for _ in 0..<repeats { result.statistics += try await way.send(file, over: connection) }
      try connection.shutdownWrite()
      // The client closes when it has everything.
      while try await !connection.read().isEmpty {}
      result.take(usage, from: start, to: loop.clock.now)
      connection.close()
      return result
    }
    let total = client.finish()
    guard total == file.byteCount * repeats else { throw CommandFailure(.network, "only \(total) bytes arrived") }
    result.frames = loop.sync { device.sentFrames } - before
    return result
  }

  func end() { loop.shutdown() }
}

/// A thread that connects with the kernel's sockets, and reads until the end without looking.
@safe
final class KernelClient: @unchecked Sendable {
  private let address: UInt32
  private let port: UInt16
  private var thread = pthread_t()
  private var total = 0

  init(address: UInt32, port: UInt16) {
    self.address = address
    self.port = port
    let argument = unsafe Unmanaged.passRetained(self).toOpaque()
    unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument {
          unsafe Unmanaged<KernelClient>.fromOpaque(argument).takeRetainedValue().read()
        }
        return nil
      }, argument)
  }

  /// Waits for the end and says how many bytes there were.
  func finish() -> Int {
    pthread_join(thread, nil)
    return total
  }

  private func read() {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = address.bigEndian
    let connected = unsafe withUnsafePointer(to: &name) { name in
      unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        unsafe connect(descriptor, name, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { return }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4_096)
    defer { unsafe buffer.deallocate() }
    while true {
      // What is told to be cut off is taken and not copied.
      let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, CInt(MSG_TRUNC))
      if count <= 0 { break }
      total += count
    }
  }
}
