import Glibc
import Martlet
import MartletCore
import MartletWire

/// The small services of a host, each over TCP and UDP.
enum Service: String, CaseIterable, Sendable {
  case echo, discard, daytime, chargen, uppercase

  /// Its well-known port (RFC 862, 863, 867, 864; the lectures' 12000).
  var port: UInt16 {
    switch self {
    case .echo: 7
    case .discard: 9
    case .daytime: 13
    case .chargen: 19
    case .uppercase: 12_000
    }
  }

  /// Listens on `host` and serves until its loop ends.
  func start(on host: VirtualHost) throws(SocketError) {
    let service = self
    let listener = try host.listen(on: port)
    let datagrams = try host.bindUDP(on: port)
    host.loop.task {
      for try await connection in listener {
        host.loop.task {
          defer { connection.close() }
          try await service.serve(connection)
        }
      }
    }
    host.loop.task {
      while true {
        let request: UDPSocket.Datagram
        do throws(SocketError) {
          request = try await datagrams.receive()
        } catch {
          if error == .cancelled || error == .notASocket { return }
          // An ICMP error about an earlier answer: the next client has nothing to do with it.
          continue
        }
        if let answer = service.answer(to: request.bytes) { try? datagrams.send(answer, to: request.source) }
      }
    }
  }

  /// Serves one connection to its end.
  private func serve(_ connection: TCPSocket) async throws(SocketError) {
    switch self {
    case .echo, .discard, .uppercase:
      while true {
        let bytes = try await connection.read(upTo: 262_144)
        if bytes.isEmpty { return }
        if let answer = answer(to: bytes) { try await connection.write(answer) }
      }
    case .daytime: try await connection.write(Self.time())
    case .chargen:
      var first = 0
      while true {
        // 95 lines are one turn of the pattern (RFC 864).
        try await connection.write((first..<first + 95).flatMap(Self.patternLine))
        first = (first + 95) % 95
      }
    }
  }

  /// What one datagram, or one piece of a stream, is answered with.
  func answer(to request: [UInt8]) -> [UInt8]? {
    switch self {
    case .echo: request
    case .discard: nil
    case .daytime: Self.time()
    case .chargen: Self.patternLine(0)
    case .uppercase: Self.uppercased(request)
    }
  }

  /// Text in capitals; what is not UTF-8 keeps its bytes but for ASCII letters.
  static func uppercased(_ bytes: [UInt8]) -> [UInt8] {
    if bytes.contains(where: { $0 >= 0x80 }), let text = String(validating: bytes, as: UTF8.self) {
      return Array(text.uppercased().utf8)
    }
    return bytes.map { 0x61...0x7a ~= $0 ? $0 & 0xdf : $0 }
  }

  /// One line of the rotating pattern: 72 of the 95 printing characters, and an end of line.
  static func patternLine(_ index: Int) -> [UInt8] {
    (0..<72).map { UInt8(32 + (index + $0) % 95) } + [13, 10]
  }

  private static func time() -> [UInt8] {
    var now = Glibc.time(nil)
    var parts = unsafe tm()
    var text = [CChar](repeating: 0, count: 64)
    // Both calls fill what they are given and keep no pointer.
    _ = unsafe gmtime_r(&now, &parts)
    let count = unsafe strftime(&text, text.count, "%A, %B %d, %Y %H:%M:%S-UTC\r\n", &parts)
    return text.prefix(count).map { UInt8(bitPattern: $0) }
  }
}
