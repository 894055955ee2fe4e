import Foundation
import Martlet
import MartletLinks

/// Martlet at the end of a TAP device, as the server that `Peers/kernel/peer.c` drives: a stream in, a stream out, round
/// trips, connections.
///
///     TAPPeer DEVICE ADDRESS/LENGTH [MICROSECONDS OF BUSY POLLING]
///
/// Says "ready" and ends with its standard input.
@main
enum TAPPeer {
  static let firstPort: UInt16 = 5_201

  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 || arguments.count == 4, let address = AddressInSubnet(arguments[2]) else {
      print("TAPPeer DEVICE ADDRESS/LENGTH [MICROSECONDS OF BUSY POLLING]")
      exit(64)
    }
    let busyPolling = arguments.count == 4 ? Int(arguments[3]) ?? 0 : 0
    let loop = Loop(.real, busyPolling: .microseconds(busyPolling))
    let host = loop.host("martlet")
    let device = TAP.Configuration(name: arguments[1])
    try host.attach(addresses: [address]) { (pool) throws(LinkError) in try TAP(device, pool: pool) }

    var options = ListenerOptions()
    options.connection.receiveBufferByteCount = 4 << 20
    options.connection.sendBufferByteCount = 4 << 20
    let kinds: [@Sendable (TCPSocket) async throws -> Void] = [
      sink, source, copyingSink, copyingSource, echo, end,
    ]
    for (index, serve) in kinds.enumerated() {
      let listener = try host.listen(on: firstPort + UInt16(index), options: options)
      loop.task {
        for try await socket in listener {
          loop.task {
            // The driver closes whenever it has seen enough.
            try? await serve(socket)
            socket.close()
          }
        }
      }
    }
    FileHandle.standardOutput.write(Data("ready\n".utf8))
    while readLine() != nil {}
    loop.shutdown()
  }

  /// Reads everything where it lies and answers how many bytes that was.
  static let sink: @Sendable (TCPSocket) async throws -> Void = { socket in
    var total: UInt64 = 0
    while true {
      let count = try await socket.readInPlace { bytes in
        precondition(bytes.unsafeLoad(as: UInt8.self) == 0x5a, "other bytes arrived than were sent")
      }
      if count == 0 { break }
      total += UInt64(count)
    }
    try await answer(total, to: socket)
  }

  static func answer(_ total: UInt64, to socket: TCPSocket) async throws {
    try await socket.write(withUnsafeBytes(of: total.bigEndian) { Array($0) })
  }

  /// Writes the same bytes by reference for as long as somebody reads.
  static let source: @Sendable (TCPSocket) async throws -> Void = { socket in
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0x5a)
    guard let bytes = memory.baseAddress else { return }
    let region = Region(bytes: bytes, byteCount: memory.count, context: nil) { bytes, _, _ in bytes.deallocate() }
    while true { try await socket.write(Slice(region.share(), offset: 0, count: memory.count)) }
  }

  /// Reads everything into a buffer and answers how many bytes that was.
  static let copyingSink: @Sendable (TCPSocket) async throws -> Void = { socket in
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
    defer { memory.deallocate() }
    var total: UInt64 = 0
    while true {
      var span = memory.mutableBytes
      let count = try await socket.read(into: &span)
      if count == 0 { break }
      total += UInt64(count)
    }
    try await answer(total, to: socket)
  }

  /// Writes from an array for as long as somebody reads.
  static let copyingSource: @Sendable (TCPSocket) async throws -> Void = { socket in
    let bytes = [UInt8](repeating: 0x5a, count: 256 << 10)
    while true { try await socket.write(bytes) }
  }

  /// Sends back the complement of each byte.
  static let echo: @Sendable (TCPSocket) async throws -> Void = { socket in
    var options = try socket.options()
    options.noDelay = true
    try socket.setOptions(options)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
    defer { memory.deallocate() }
    while true {
      var span = memory.mutableBytes
      guard try await socket.read(into: &span) == 1 else { break }
      memory[0] = ~memory[0]
      try await socket.write(memory.bytes)
    }
  }

  /// Waits for the other end to close.
  static let end: @Sendable (TCPSocket) async throws -> Void = { socket in
    _ = try await socket.read(upTo: 1)
  }
}
