internal import Martlet
internal import MartletCore
internal import NIOCore

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// How a region of a file reaches a connection: read piece by piece and copied into the send queue.
enum FileRegionWriter {
  /// The most bytes of one piece.
  static let pieceByteCount = 64 * 1024

  /// Sends the beginning of `region` and returns how many bytes that was; 0 when there is no room.
  ///
  /// - Throws: `IOError`; a file that ends before its region is one (`EIO`), for the peer was promised more.
  static func send(_ region: FileRegion, to socket: SocketCore) throws -> Int {
    let wanted = min(region.readableBytes, pieceByteCount)
    guard wanted > 0, socket.readiness.contains(.writable) else {
      // The refused write asks to be told when there is room.
      if wanted > 0 { _ = try unsafe write(UnsafeRawBufferPointer(start: nil, count: 0), to: socket) }
      return 0
    }
    return try region.fileHandle.withUnsafeFileDescriptor { descriptor in
      try unsafe withUnsafeTemporaryAllocation(byteCount: wanted, alignment: 16) { piece in
        let count = unsafe pread(descriptor, piece.baseAddress, wanted, off_t(region.readerIndex))
        guard count > 0 else {
          throw IOError(errnoCode: count < 0 ? errno : EIO, reason: "a file region could not be read")
        }
        return try unsafe write(UnsafeRawBufferPointer(rebasing: piece[0..<count]), to: socket)
      }
    }
  }

  private static func write(_ bytes: UnsafeRawBufferPointer, to socket: SocketCore) throws -> Int {
    do throws(SocketError) { return try unsafe socket.writeNow(RawSpan(_unsafeBytes: bytes)) } catch {
      throw IOError(error, in: "write")
    }
  }
}
