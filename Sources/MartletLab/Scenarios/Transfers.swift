import Martlet
import MartletCore
import MartletWire

/// What scenarios of TCP share: a program that sends, and one that reads.
enum Transfer {
  /// Reads whatever comes to `port` until its task ends.
  static func sink(on host: VirtualHost, port: UInt16) throws {
    let listener = try host.listen(on: port)
    host.loop.task {
      for try await connection in listener {
        host.loop.task {
          defer { connection.close() }
          while try await !connection.read(upTo: 65_536).isEmpty {}
        }
      }
    }
  }

  /// Sends `byteCount` bytes, and waits until the peer has closed as well.
  static func send(
    _ byteCount: Int, from host: VirtualHost, to remote: SocketAddress, options: TCPSocketOptions = TCPSocketOptions()
  ) async throws {
    let connection = try await host.connect(to: remote, options: options)
    defer { connection.close() }
    try await connection.write([UInt8](repeating: UInt8(ascii: "x"), count: byteCount))
    try connection.shutdownWrite()
    while try await !connection.read().isEmpty {}
  }

  /// Sends until `deadline`.
  static func send(until deadline: Instant, from host: VirtualHost, to remote: SocketAddress) async throws {
    let connection = try await host.connect(to: remote)
    defer { connection.abort() }
    let block = [UInt8](repeating: UInt8(ascii: "x"), count: 4_000)
    while host.loop.now < deadline { try await connection.write(block) }
  }
}

extension WorldDescription.Tuning {
  /// TCP as the textbooks have it: NewReno, no pacing, no timestamps, every segment acknowledged.
  static var textbook: WorldDescription.Tuning {
    var tuning = WorldDescription.Tuning()
    tuning.congestionControl = .newReno
    tuning.pacing = false
    tuning.timestamps = false
    tuning.delayedAcknowledgment = .zero
    tuning.tailLossProbes = false
    return tuning
  }
}

extension Recording {
  /// The data segments that `node` sent on `link`: number from 1 on, by the stream's bytes, and the frame.
  func dataSegments(of node: String, on link: String, size: Int) -> [(number: Int, frame: Frame)] {
    var first: UInt32?
    var segments: [(number: Int, frame: Frame)] = []
    for frame in frames
    where frame.link == self.link(link) && nodes[links[frame.link].ends[frame.end].node].name == node {
      let view = view(frame)
      guard view.protocol == .tcp else { continue }
      if view.flags.contains(.syn) { first = view.sequenceNumber &+ 1 }
      guard let first, view.payloadByteCount > 0 else { continue }
      segments.append((Int(view.sequenceNumber &- first) / size + 1, frame))
    }
    return segments
  }
}
