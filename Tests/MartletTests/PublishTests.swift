import Martlet
import MartletCore
import MartletWire
import Synchronization
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite("Publishing")
struct PublishTests {
  @Test("A program of this machine talks to a server in the network", arguments: [false, true])
  func stream(acrossTheNetwork: Bool) async throws {
    let net = try Network(.real)
    let listener = try net.server.listen(on: 80)
    net.loop.task {
      for try await connection in listener {
        net.loop.task {
          let all = try await connection.readToEnd()
          try await connection.write(Array(all.reversed()))
          connection.close()
        }
      }
    }
    let publication = try net.loop.publish(
      "127.0.0.1:0", on: acrossTheNetwork ? net.client : net.server, to: "10.0.0.2:80")
    #expect(publication.address.port != 0)
    let data = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
    let answer = await onThread { SystemClient(stream: true, publication.address).exchange(data) }
    #expect(answer == data.reversed())
    publication.close()
    net.loop.shutdown()
  }

  @Test("A connection that is refused in the network is reset towards this machine")
  func refused() async throws {
    let net = try Network(.real)
    let publication = try net.loop.publish("127.0.0.1:0", on: net.client, to: "10.0.0.2:81")
    let error = await onThread { SystemClient(stream: true, publication.address).readError() }
    #expect(error == ECONNRESET)
    net.loop.shutdown()
  }

  @Test("Datagrams go there and back, each peer by its own flow, and few flows give way to new ones")
  func datagrams() async throws {
    let net = try Network(.real)
    let server = try net.server.bindUDP(on: 53)
    let sources = Shared<Set<SocketAddress>>([])
    net.loop.task {
      while true {
        let datagram = try await server.receive()
        sources.value.withLock { _ = $0.insert(datagram.source) }
        try server.send(datagram.bytes.reversed(), to: datagram.source)
      }
    }
    var limits = Publication.Limits()
    limits.maximumFlows = 2
    // A machine that is busy with other tests does not end them before they are counted.
    limits.flowTimeout = .seconds(3_600)
    let publication = try net.loop.publish("127.0.0.1:0", .udp, on: net.client, to: "10.0.0.2:53", limits: limits)
    let answers = await onThread {
      let clients = (0..<4).map { _ in SystemClient(stream: false, publication.address) }
      return clients.map { $0.ask([1, 2, 3]) } + clients.map { $0.ask([4, 5]) }
    }
    #expect(answers == Array(repeating: [3, 2, 1], count: 4) + Array(repeating: [5, 4], count: 4))
    #expect(sources.value.withLock { $0.count } == 8)
    let open = net.client.socketTable().filter { $0.kind == .udp }
    #expect(open.count == 2)
    net.loop.shutdown()
  }

  @Test("A taken port and a virtual loop say what is wrong")
  func errors() throws {
    let net = try Network(.real)
    let first = try net.loop.publish("127.0.0.1:0", on: net.server, to: "10.0.0.2:80")
    #expect(throws: PublishError.system("bind to \(first.address)", EADDRINUSE)) {
      _ = try net.loop.publish(first.address, on: net.server, to: "10.0.0.2:80")
    }
    net.loop.shutdown()
    let virtual = try Network()
    #expect(throws: PublishError.virtualLoop) {
      _ = try virtual.loop.publish("127.0.0.1:0", on: virtual.server, to: "10.0.0.2:80")
    }
    virtual.loop.shutdown()
  }
}

/// Runs what blocks on a thread of its own.
func onThread<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
  await withCheckedContinuation { continuation in
    let thread = Loop()
    thread.task {
      continuation.resume(returning: body())
      thread.shutdown()
    }
  }
}

/// A client as any program has it: a blocking socket of the system.
final class SystemClient {
  let descriptor: CInt

  init(stream: Bool, _ address: SocketAddress) {
    descriptor = socket(AF_INET, CInt((stream ? SOCK_STREAM : SOCK_DGRAM).rawValue), 0)
    var raw = sockaddr_in()
    raw.sin_family = sa_family_t(AF_INET)
    raw.sin_port = address.port.bigEndian
    raw.sin_addr.s_addr = (address.address.v4?.value ?? 0).bigEndian
    let descriptor = descriptor
    _ = unsafe withUnsafePointer(to: raw) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  deinit { close(descriptor) }

  func exchange(_ bytes: [UInt8]) -> [UInt8] {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe buffer.baseAddress.map { unsafe write(descriptor, $0 + sent, bytes.count - sent) } ?? 0
      }
      guard count > 0 else { return [] }
      sent += count
    }
    shutdown(descriptor, CInt(SHUT_WR))
    var answer: [UInt8] = []
    while true {
      let piece = readSome()
      if piece.isEmpty { return answer }
      answer += piece
    }
  }

  func ask(_ bytes: [UInt8]) -> [UInt8] {
    _ = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, bytes.count) }
    return readSome()
  }

  func readError() -> CInt {
    errno = 0
    _ = readSome()
    return errno
  }

  private func readSome() -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
      count = unsafe max(0, read(descriptor, buffer.baseAddress, buffer.count))
    }
  }
}
