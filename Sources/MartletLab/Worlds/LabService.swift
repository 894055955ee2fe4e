import Martlet
import MartletCore
import MartletWire

/// The services that a world's hosts run by name, over TCP and UDP.
enum LabService: String, CaseIterable, Sendable {
  /// What comes in goes out (RFC 862).
  case echo
  /// What comes in goes out in capitals (the lectures' example).
  case uppercase
  /// What comes in is read and forgotten (RFC 863).
  case discard

  static func named(_ name: String) -> LabService? { LabService(rawValue: name == "upper-case" ? "uppercase" : name) }

  var port: UInt16 {
    switch self {
    case .echo: 7
    case .discard: 9
    case .uppercase: 12_000
    }
  }

  /// Serves on `host` until its task is cancelled.
  func run(on host: VirtualHost, port: UInt16) async throws {
    let service = self
    let listener = try host.listen(on: port)
    let datagrams = try host.bindUDP(on: port)
    defer {
      listener.close()
      datagrams.close()
    }
    host.loop.task {
      while true {
        let request: UDPSocket.Datagram
        do throws(SocketError) {
          request = try await datagrams.receive()
        } catch {
          if error == .cancelled || error == .notASocket { return }
          continue
        }
        if let answer = service.answer(to: request.bytes) { try? datagrams.send(answer, to: request.source) }
      }
    }
    for try await connection in listener {
      host.loop.task {
        defer { connection.close() }
        while true {
          let bytes = try await connection.read(upTo: 65_536)
          if bytes.isEmpty { return }
          if let answer = service.answer(to: bytes) { try await connection.write(answer) }
        }
      }
    }
  }

  func answer(to bytes: [UInt8]) -> [UInt8]? {
    switch self {
    case .echo: bytes
    case .uppercase: bytes.map { 0x61...0x7a ~= $0 ? $0 & 0xdf : $0 }
    case .discard: nil
    }
  }
}
