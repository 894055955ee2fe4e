import CZlib
import NIOCore

/// Compresses an answer on its way, in the gzip format (RFC 1952).
///
/// The compressor of swift-nio-extras is a handler that chooses by itself, deflate before gzip where a client likes both, and
/// takes one response for each request it saw; here the choice was made with the entity tag, before the first byte.
@safe final class GzipStream {
  // Allocated with this object and freed with it; zlib remembers its address.
  private let stream: UnsafeMutablePointer<z_stream>

  /// Nil if there is no memory.
  init?(level: CInt = 4) {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    guard unsafe martlet_gzip_begin(stream, level) == Z_OK else {
      unsafe stream.deallocate()
      return nil
    }
  }

  deinit {
    unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// What comes out when `input` goes in; with `isLast`, all that is left.
  func compress(_ input: ByteBuffer, isLast: Bool, allocator: ByteBufferAllocator) -> ByteBuffer {
    var output = allocator.buffer(capacity: max(1_024, input.readableBytes / 2))
    var input = input
    // zlib reads and writes within the two buffers only while they are borrowed, and keeps no pointer that is used later.
    unsafe input.readWithUnsafeMutableReadableBytes { source in
      unsafe stream.pointee.next_in = source.bindMemory(to: UInt8.self).baseAddress
      unsafe stream.pointee.avail_in = UInt32(source.count)
      var isFull = true
      while isFull {
        _ = unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: 4_096) { room in
          unsafe stream.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
          unsafe stream.pointee.avail_out = UInt32(room.count)
          _ = unsafe deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
          isFull = unsafe stream.pointee.avail_out == 0
          return unsafe room.count - Int(stream.pointee.avail_out)
        }
      }
      unsafe stream.pointee.next_in = nil
      unsafe stream.pointee.next_out = nil
      return source.count
    }
    return output
  }
}
