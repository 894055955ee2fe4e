import NIOCore
import NIOEmbedded
import Testing

@testable import MartletServices

@Suite("HTTP/2, frame by frame")
struct HTTP2Tests {
  let directory = TemporaryDirectory()

  init() {
    directory.file("a", "hello")
    directory.file("big", pattern(1_000_000))
  }

  private func code(_ frame: HTTP2Peer.Frame) -> UInt32? {
    frame.payload.getInteger(at: frame.payload.readerIndex + (frame.kind == .goAway ? 4 : 0))
  }

  /// What breaks a connection, and the error that is due (RFC 9113 section 7).
  static let connectionErrors: [(String, HTTP2Peer.Kind, UInt32, [UInt8], UInt32)] = [
    ("a PING on a stream", .ping, 1, [0, 0, 0, 0, 0, 0, 0, 0], 1),
    ("a PING of the wrong size", .ping, 0, [0], 6),
    ("SETTINGS on a stream", .settings, 1, [], 1),
    ("SETTINGS of the wrong size", .settings, 0, [0, 1, 2], 6),
    ("DATA on no stream", .data, 0, [1], 1),
    ("DATA on an idle stream", .data, 1, [1], 1),
    ("CONTINUATION of nothing", .continuation, 1, [], 1),
    ("a header that cannot be decoded", .headers, 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 9),
    ("an even stream", .headers, 2, [0x82, 0x86, 0x84], 1),
    ("a window of no increment", .windowUpdate, 0, [0, 0, 0, 0], 1),
  ]

  @Test("After an error of the connection GOAWAY goes out, then the connection ends", arguments: connectionErrors)
  func connectionError(
    name: String, kind: HTTP2Peer.Kind, stream: UInt32, payload: [UInt8], expected: UInt32
  ) throws {
    let conversation = try Conversation(directory)
    let peer = HTTP2Peer(conversation)
    #expect(conversation.isOpen)
    peer.send(kind, flags: kind == .headers ? HTTP2Peer.endHeaders : 0, on: stream, ByteBuffer(bytes: payload))
    conversation.advance(.zero)
    let farewell = try #require(peer.frames().last { $0.kind == .goAway }, "\(name)")
    #expect(code(farewell) == expected)
    #expect(!conversation.isOpen)
  }

  @Test("A file that looks like GOAWAY ends nothing")
  func disguise() throws {
    let frame: [UInt8] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    directory.file("disguise", frame + frame + frame)
    let conversation = try Conversation(directory)
    let peer = HTTP2Peer(conversation)
    for stream: UInt32 in [1, 3] {
      peer.request("/disguise", on: stream)
      conversation.advance(.zero)
      let content = peer.frames().filter { $0.kind == .data && $0.stream == stream }.reduce(0) {
        $0 + $1.payload.readableBytes
      }
      #expect(content == 3 * frame.count)
    }
    #expect(conversation.isOpen)
  }

  @Test("An error of a stream ends that stream and no other")
  func streamError() throws {
    let conversation = try Conversation(directory)
    let peer = HTTP2Peer(conversation)
    // An upper-case name is malformed (section 8.2.1).
    peer.request("/a", on: 1, fields: [("UPPER", "x")])
    peer.request("/a", on: 3)
    conversation.advance(.zero)
    let frames = peer.frames()
    #expect(frames.contains { $0.kind == .resetStream && $0.stream == 1 && code($0) == 1 })
    #expect(frames.contains { $0.kind == .headers && $0.stream == 3 })
    #expect(conversation.isOpen)
  }

  @Test(
    "An error of a stream under way resets it with the code that is due",
    arguments: [
      (.windowUpdate, [0x7f, 0xff, 0xff, 0xff], 3), (.windowUpdate, [0, 0, 0, 0], 1), (.data, [1], 5),
    ] as [(HTTP2Peer.Kind, [UInt8], UInt32)])
  func streamErrorCode(kind: HTTP2Peer.Kind, payload: [UInt8], expected: UInt32) throws {
    let conversation = try Conversation(directory)
    let peer = HTTP2Peer(conversation, settings: [(4, 10)])
    peer.request("/big", on: 1)
    // Twice, for the first window may be used up.
    for _ in 0..<2 { peer.send(kind, on: 1, ByteBuffer(bytes: payload)) }
    conversation.advance(.zero)
    let codes = peer.frames().filter { $0.kind == .resetStream && $0.stream == 1 }.map { code($0) }
    #expect(codes.first == expected)
    #expect(conversation.isOpen)
  }

  @Test("A field value with blanks around it is malformed", arguments: [" v", "v ", "\tv"])
  func blanks(value: String) throws {
    let conversation = try Conversation(directory)
    let peer = HTTP2Peer(conversation)
    peer.request("/a", on: 1, fields: [("x", value)])
    conversation.advance(.zero)
    #expect(peer.frames().compactMap(peer.status) == [400])
  }

  @Test("A header larger than the limit is 431, and the connection stays", arguments: [1, 2])
  func largeHeader(way: Int) throws {
    let conversation = try Conversation(directory)
    let peer = HTTP2Peer(conversation)
    let fields =
      way == 1
      ? (0..<9).map { ("x-\($0)", String(repeating: "v", count: 4_000)) } : (0..<101).map { ("x-\($0)", "v") }
    peer.request("/a", on: 1, fields: fields)
    peer.request("/a", on: 3)
    conversation.advance(.zero)
    let answers = peer.frames().compactMap { frame in peer.status(frame).map { (frame.stream, $0) } }
    #expect(answers.map(\.0) == [1, 3])
    #expect(answers.map(\.1) == [431, 200])
    #expect(conversation.isOpen)
  }

  @Test("A content that does not end in time is 408, and the stream is closed at last")
  func slowContent() throws {
    let conversation = try Conversation(directory) { $0.limits.contentTime = .seconds(5) }
    let peer = HTTP2Peer(conversation)
    peer.request("/a", on: 1, method: "POST", ends: false)
    peer.send(.data, on: 1, ByteBuffer(string: "x"))
    conversation.advance(.seconds(4))
    #expect(!peer.frames().contains { $0.stream == 1 })
    conversation.advance(.seconds(2))
    #expect(peer.frames().compactMap(peer.status) == [408])
    conversation.advance(.seconds(6))
    #expect(peer.frames().contains { $0.kind == .resetStream && $0.stream == 1 })
    // The connection is as good as before.
    peer.request("/a", on: 3)
    conversation.advance(.zero)
    #expect(peer.frames().compactMap(peer.status) == [200])
  }

  @Test("A content that is too large is 413 at once")
  func largeContent() throws {
    let conversation = try Conversation(directory) { $0.limits.contentSize = 10 }
    let peer = HTTP2Peer(conversation)
    peer.request("/a", on: 1, method: "POST", ends: false)
    peer.send(.data, on: 1, ByteBuffer(string: "12345678901"))
    conversation.advance(.zero)
    #expect(peer.frames().compactMap(peer.status) == [413])
    peer.send(.data, flags: HTTP2Peer.endStream, on: 1, ByteBuffer(string: "2"))
    conversation.advance(.zero)
    #expect(conversation.isOpen)
  }

  @Test("A client that does not open its window is cut off from that file, not from others")
  func slowReader() throws {
    let conversation = try Conversation(directory) {
      $0.limits.stallTime = .seconds(20)
      $0.limits.minimumRate = 65_536
    }
    // SETTINGS_INITIAL_WINDOW_SIZE
    let peer = HTTP2Peer(conversation, settings: [(4, 1_000)])
    peer.request("/big", on: 1)
    conversation.advance(.seconds(19))
    let first = peer.frames()
    #expect(first.filter { $0.kind == .data }.reduce(0) { $0 + $1.payload.readableBytes } == 1_000)
    #expect(!first.contains { $0.kind == .resetStream })
    #expect(first.compactMap(peer.status) == [200])
    conversation.advance(.seconds(4))
    #expect(peer.frames().contains { $0.kind == .resetStream && $0.stream == 1 })
    #expect(conversation.accessLog.count == 1)
    peer.request("/a", on: 3)
    conversation.advance(.zero)
    #expect(peer.frames().compactMap(peer.status) == [200])
  }

  @Test("A client that reads at more than the least rate gets the whole, however long it takes")
  func patientReader() throws {
    let conversation = try Conversation(directory) {
      $0.limits.stallTime = .seconds(5)
      $0.limits.minimumRate = 1_000
      $0.limits.idleTime = .seconds(10_000)
    }
    let peer = HTTP2Peer(conversation, settings: [(4, 2_000)])
    peer.request("/big", on: 1)
    var count = 0
    while count < 1_000_000, conversation.isOpen {
      conversation.advance(.seconds(1))
      let frames = peer.frames()
      #expect(!frames.contains { $0.kind == .resetStream })
      let got = frames.filter { $0.kind == .data }.reduce(0) { $0 + $1.payload.readableBytes }
      guard got > 0 else { break }
      count += got
      peer.send(.windowUpdate, on: 1, ByteBuffer(integer: UInt32(got)))
      peer.send(.windowUpdate, ByteBuffer(integer: UInt32(got)))
    }
    #expect(count == 1_000_000)
  }
}
