public import Martlet
internal import MartletCore
internal import MartletWire

/// The small services of a host, each over TCP and UDP.
public enum SimpleService: String, CaseIterable, Sendable {
  /// What comes in goes out (RFC 862).
  case echo
  /// What comes in is read and forgotten (RFC 863).
  case discard
  /// The host's date and time (RFC 867).
  case daytime
  /// Lines of characters as long as somebody reads (RFC 864).
  case chargen
  /// What comes in goes out in capitals: the lectures' example.
  case uppercase

  /// Its well-known port; 12000 for upper case.
  public var port: UInt16 {
    switch self {
    case .echo: 7
    case .discard: 9
    case .daytime: 13
    case .chargen: 19
    case .uppercase: 12_000
    }
  }

  /// Listens on `host` and serves until its loop ends or the host loses its memory.
  ///
  /// - Parameter port: Where to listen, over TCP and UDP; nil is the well-known one.
  /// - Throws: ``SocketError`` if somebody else listens there.
  public func start(on host: VirtualHost, port: UInt16? = nil) throws(SocketError) {
    let service = self
    let port = port ?? self.port
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
        if let answer = service.answer(to: request.bytes, at: host.timeOfDay) {
          try? datagrams.send(answer, to: request.source)
        }
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
        if let answer = answer(to: bytes, at: connection.host.timeOfDay) { try await connection.write(answer) }
      }
    case .daytime: try await connection.write(Self.words(for: connection.host.timeOfDay))
    case .chargen:
      var first = 0
      while true {
        // 95 lines are one turn of the pattern (RFC 864).
        try await connection.write((first..<first + 95).flatMap(Self.patternLine))
        first = (first + 95) % 95
      }
    }
  }

  /// What one datagram, or one piece of a stream, is answered with; `time` is in nanoseconds since 1970.
  func answer(to request: [UInt8], at time: Int64) -> [UInt8]? {
    switch self {
    case .echo: request
    case .discard: nil
    case .daytime: Self.words(for: time)
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

  /// `Thursday, January 01, 1970 00:00:00-UTC`, from nanoseconds since 1970.
  static func words(for time: Int64) -> [UInt8] {
    let date = HTTPDate(secondsSinceEpoch: time.flooredDivision(by: 1_000_000_000).quotient).components
    let day = "\(HTTPDate.longWeekdays[date.weekday]), \(months[date.month - 1]) \(padded(date.day)), \(date.year)"
    return Array("\(day) \(padded(date.hour)):\(padded(date.minute)):\(padded(date.second))-UTC\r\n".utf8)
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]
}
