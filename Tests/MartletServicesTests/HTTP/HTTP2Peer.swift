import NIOCore
import NIOHPACK

@testable import MartletServices

/// A client of HTTP/2 in memory that sends whatever frames it is told to (RFC 9113 section 4.1).
final class HTTP2Peer {
  enum Kind: UInt8 {
    case data, headers, priority, resetStream, settings, pushPromise, ping, goAway, windowUpdate, continuation
  }

  struct Frame {
    var kind: Kind?
    var flags: UInt8
    var stream: UInt32
    var payload: ByteBuffer
  }

  static let endStream: UInt8 = 1
  static let endHeaders: UInt8 = 4

  let conversation: Conversation
  private var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
  private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
  private var received = ByteBuffer()

  /// - Parameter settings: Identifiers and values of the SETTINGS frame that follows the preface.
  init(_ conversation: Conversation, settings: [(UInt16, UInt32)] = []) {
    self.conversation = conversation
    var bytes = ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    var payload = ByteBuffer()
    for (identifier, value) in settings {
      payload.writeInteger(identifier)
      payload.writeInteger(value)
    }
    Self.write(.settings, 0, 0, payload, to: &bytes)
    Self.write(.settings, 1, 0, ByteBuffer(), to: &bytes)
    conversation.send(bytes)
  }

  private static func write(
    _ kind: Kind, _ flags: UInt8, _ stream: UInt32, _ payload: ByteBuffer, to bytes: inout ByteBuffer
  ) {
    bytes.writeInteger(UInt32(payload.readableBytes) << 8 | UInt32(kind.rawValue))
    bytes.writeInteger(flags)
    bytes.writeInteger(stream)
    bytes.writeImmutableBuffer(payload)
  }

  func send(_ kind: Kind, flags: UInt8 = 0, on stream: UInt32 = 0, _ payload: ByteBuffer = ByteBuffer()) {
    var bytes = ByteBuffer()
    Self.write(kind, flags, stream, payload, to: &bytes)
    conversation.send(bytes)
  }

  /// Sends a request's header, in as many frames as it needs.
  func request(
    _ path: String, on stream: UInt32, method: String = "GET", ends: Bool = true,
    authority: String? = "example", fields: [(String, String)] = []
  ) {
    var headers = [(":method", method), (":scheme", "http"), (":path", path)]
    if let authority { headers.append((":authority", authority)) }
    headers += fields
    var block = ByteBuffer()
    do { try encoder.encode(headers: HPACKHeaders(headers), to: &block) } catch { return }
    var kind = Kind.headers
    while true {
      guard let part = block.readSlice(length: min(16_384, block.readableBytes)) else { return }
      let isLast = block.readableBytes == 0
      let ending = kind == .headers && ends ? Self.endStream : 0
      send(kind, flags: ending | (isLast ? Self.endHeaders : 0), on: stream, part)
      if isLast { return }
      kind = .continuation
    }
  }

  /// The frames that came since the last call.
  func frames() -> [Frame] {
    received.writeBytes(conversation.bytes())
    var frames: [Frame] = []
    while received.readableBytes >= 9 {
      let length = Int(received.getInteger(at: received.readerIndex, as: UInt32.self) ?? 0) >> 8
      guard received.readableBytes >= 9 + length, let head = received.readInteger(as: UInt32.self),
        let flags = received.readInteger(as: UInt8.self), let stream = received.readInteger(as: UInt32.self),
        let payload = received.readSlice(length: length)
      else { break }
      frames.append(Frame(kind: Kind(rawValue: UInt8(head & 0xff)), flags: flags, stream: stream, payload: payload))
    }
    return frames
  }

  /// The status in a HEADERS frame; to be asked of each in order.
  func status(_ frame: Frame) -> Int? {
    var payload = frame.payload
    guard frame.kind == .headers, let headers = try? decoder.decodeHeaders(from: &payload) else { return nil }
    return headers.first(name: ":status").flatMap { Int($0) }
  }
}
