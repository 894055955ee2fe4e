import NIOCore
import NIOHTTP1

/// Follows the bytes of a connection and holds up what RFC 9112 does not allow, before a decoder sees it.
///
/// The decoder behind it is lenient, as decoders of browsers' traffic have to be; a server that another one may stand in
/// front of must not be, since two readers of one message that differ are how requests are smuggled (section 11.2). So
/// the framing is read here to the letter: line ends, field lines, Host, Content-Length, Transfer-Encoding, chunks.
struct RequestPreflight: Sendable {
  /// How much a client may send.
  struct Limits: Equatable, Sendable {
    /// The request line, in bytes; beyond it 414.
    var requestLine = 8_192
    /// All field lines together, in bytes; beyond it 431.
    var fields = 32_768
    /// The number of field lines; beyond it 431.
    var fieldCount = 100
    /// The content, which nothing is done with; beyond it 413.
    var content: Int64 = 65_536
    /// A chunk's line with its extensions, in bytes.
    var chunkLine = 256
  }

  /// What is to be done next.
  enum Step: Equatable {
    /// Nothing before more bytes are there.
    case more
    /// These bytes go on; `completes` says that a request ends with them.
    case pass(ByteBuffer, completes: Bool)
    /// This request ends all; the preflight must not be asked again.
    case reject(RequestRejection)
  }

  /// Where in a request the next byte stands.
  enum Phase: Equatable {
    case head
    case content(Int64)
    case chunkLine
    case chunk(Int64)
    case chunkEnd
    case trailers
  }

  let limits: Limits
  private(set) var phase = Phase.head
  /// How many bytes in front were looked at already, and where the line under way begins.
  private var scanned = 0
  private var lineStart = 0
  private var lineCount = 0
  private var contentCount: Int64 = 0

  init(limits: Limits) { self.limits = limits }

  /// Takes from `buffer` what can go on.
  mutating func next(_ buffer: inout ByteBuffer) -> Step {
    do throws(RequestRejection) {
      switch phase {
      case .head: return try head(&buffer)
      case .content(let remaining):
        guard let slice = take(remaining, of: &buffer) else { return .more }
        let left = remaining - Int64(slice.readableBytes)
        phase = left == 0 ? .head : .content(left)
        return .pass(slice, completes: left == 0)
      case .chunkLine: return try chunkLine(&buffer)
      case .chunk(let remaining):
        guard let slice = take(remaining, of: &buffer) else { return .more }
        let left = remaining - Int64(slice.readableBytes)
        phase = left == 0 ? .chunkEnd : .chunk(left)
        return .pass(slice, completes: false)
      case .chunkEnd:
        guard buffer.readableBytes >= 2 else { return .more }
        guard let end = buffer.readSlice(length: 2), end.readableBytesView.elementsEqual([0x0d, 0x0a]) else {
          throw RequestRejection(.badRequest, "a chunk is not followed by a line end")
        }
        phase = .chunkLine
        return .pass(end, completes: false)
      case .trailers: return try trailers(&buffer)
      }
    } catch {
      return .reject(error)
    }
  }

  private func take(_ count: Int64, of buffer: inout ByteBuffer) -> ByteBuffer? {
    guard buffer.readableBytes > 0 else { return nil }
    return buffer.readSlice(length: Int(min(count, Int64(buffer.readableBytes))))
  }

  // MARK: Head

  private mutating func head(_ buffer: inout ByteBuffer) throws(RequestRejection) -> Step {
    if scanned == 0 {
      // A line end left over by a client after its last request (RFC 9112 section 2.2).
      while buffer.readableBytes >= 2, buffer.readableBytesView.starts(with: [0x0d, 0x0a]) {
        buffer.moveReaderIndex(forwardBy: 2)
      }
      guard let first = buffer.readableBytesView.first else { return .more }
      if first == 0x0d && buffer.readableBytes == 1 { return .more }
      guard FieldSyntax.isToken(first) else { throw RequestRejection(.badRequest, "no request begins so") }
    }
    guard let count = try endOfLines(buffer.readableBytesUInt8Span, hasRequestLine: true) else { return .more }
    let head = try RequestHeadCheck(buffer.readableBytesUInt8Span.extracting(0..<count), limits: limits)
    resetScan()
    for patch in head.patches { buffer.setInteger(patch.byte, at: buffer.readerIndex + patch.offset) }
    guard let slice = buffer.readSlice(length: count) else { return .more }
    switch head.framing {
    case .none, .length(0): return .pass(slice, completes: true)
    case .length(let length):
      guard length <= limits.content else { throw RequestRejection(.payloadTooLarge, "more content than is taken") }
      phase = .content(length)
    case .chunked:
      contentCount = 0
      phase = .chunkLine
    }
    return .pass(slice, completes: false)
  }

  private mutating func resetScan() { (scanned, lineStart, lineCount) = (0, 0, 0) }

  /// Goes on to the empty line that ends field lines; how many bytes there are with it.
  private mutating func endOfLines(
    _ bytes: Span<UInt8>, hasRequestLine: Bool
  ) throws(RequestRejection) -> Int? {
    while scanned < bytes.count {
      let position = scanned
      scanned += 1
      guard bytes[position] == 0x0a else { continue }
      guard position > lineStart, bytes[position - 1] == 0x0d else {
        throw RequestRejection(.badRequest, "a line ends without CR")
      }
      if position - 1 == lineStart && (lineCount > 0 || !hasRequestLine) { return position + 1 }
      lineCount += 1
      try checkSize(at: position, hasRequestLine: hasRequestLine)
      if lineCount == 1 && hasRequestLine { requestLineCount = position + 1 }
      lineStart = position + 1
    }
    try checkSize(at: bytes.count, hasRequestLine: hasRequestLine)
    return nil
  }

  private var requestLineCount = 0

  private func checkSize(at position: Int, hasRequestLine: Bool) throws(RequestRejection) {
    if hasRequestLine && lineStart == 0 {
      if position > limits.requestLine { throw RequestRejection(.uriTooLong, "the request line is too long") }
    } else {
      let fields = position - (hasRequestLine ? requestLineCount : 0)
      if fields > limits.fields || lineCount - (hasRequestLine ? 1 : 0) > limits.fieldCount {
        throw RequestRejection(.requestHeaderFieldsTooLarge, "the header is too large")
      }
    }
  }

  // MARK: Chunks (RFC 9112 section 7.1)

  private mutating func chunkLine(_ buffer: inout ByteBuffer) throws(RequestRejection) -> Step {
    let line = buffer
    let bytes = line.readableBytesUInt8Span
    var size: Int64 = 0
    var digits = 0
    while digits < bytes.count, let digit = hexDigit(bytes[digits]) {
      // Fifteen digits do not overflow, and no more are needed.
      guard digits < 15 else { throw RequestRejection(.badRequest, "a chunk's size has too many digits") }
      size = size << 4 | Int64(digit)
      digits += 1
    }
    guard digits < bytes.count else { return .more }
    guard digits > 0 else { throw RequestRejection(.badRequest, "a chunk has no size") }
    guard bytes[digits] == 0x0d || bytes[digits] == UInt8(ascii: ";") else {
      throw RequestRejection(.badRequest, "a chunk's size is followed by something else")
    }
    var position = digits
    while position < bytes.count, bytes[position] != 0x0d {
      guard FieldSyntax.isValue(bytes[position]) else {
        throw RequestRejection(.badRequest, "a chunk's extension has a control character")
      }
      guard position < limits.chunkLine else { throw RequestRejection(.badRequest, "a chunk's extension is too long") }
      position += 1
    }
    guard position + 1 < bytes.count else { return .more }
    guard bytes[position + 1] == 0x0a else { throw RequestRejection(.badRequest, "a line ends without LF") }
    contentCount += size
    guard contentCount <= limits.content else { throw RequestRejection(.payloadTooLarge, "more content than is taken") }
    guard let slice = buffer.readSlice(length: position + 2) else { return .more }
    phase = size == 0 ? .trailers : .chunk(size)
    return .pass(slice, completes: false)
  }

  private mutating func trailers(_ buffer: inout ByteBuffer) throws(RequestRejection) -> Step {
    guard let count = try endOfLines(buffer.readableBytesUInt8Span, hasRequestLine: false) else { return .more }
    _ = try FieldSyntax.forEachLine(buffer.readableBytesUInt8Span.extracting(0..<count), from: 0) { _, _ in }
    resetScan()
    guard let slice = buffer.readSlice(length: count) else { return .more }
    phase = .head
    return .pass(slice, completes: true)
  }
}
