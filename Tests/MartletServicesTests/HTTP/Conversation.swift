import Glibc
import NIOCore
import NIOEmbedded

@testable import MartletServices

/// A client of the file server in memory: bytes in, bytes out, time by hand.
final class Conversation {
  let channel: EmbeddedChannel
  let service: HTTPService
  private let lines: Lines

  /// The lines of the access log; used by one thread.
  final class Lines: @unchecked Sendable { var lines: [String] = [] }

  convenience init(
    _ directory: TemporaryDirectory, _ change: (inout HTTPFileServerConfiguration) -> Void = { _ in }
  ) throws {
    try self.init(Self.service(directory, change))
  }

  /// A server with a log in memory.
  static func service(
    _ directory: TemporaryDirectory, _ change: (inout HTTPFileServerConfiguration) -> Void = { _ in }
  ) throws -> (HTTPService, Lines) {
    var configuration = HTTPFileServerConfiguration(directory: directory.path)
    change(&configuration)
    let lines = Lines()
    configuration.accessLog = { lines.lines.append($0) }
    return (try HTTPService(configuration), lines)
  }

  /// One more client of a server.
  init(_ server: (HTTPService, Lines)) throws {
    (service, lines) = server
    channel = EmbeddedChannel()
    try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 1_000)).wait()
    try channel.pipeline.syncOperations.addHandler(RegionReader())
    // A connection that is refused is closed, as a listener does it.
    do {
      try ConnectionPipeline(service: service, tls: nil).initialize(channel).wait()
    } catch {
      channel.close(promise: nil)
    }
  }

  var isOpen: Bool { channel.isActive }

  var accessLog: [String] { lines.lines }

  func send(_ text: String) { send(ByteBuffer(string: text)) }

  func send(_ bytes: ByteBuffer) { _ = try? channel.writeInbound(bytes) }

  /// A request of HTTP/1.1 with a Host field, and what came back.
  func get(_ target: String, _ fields: String..., method: String = "GET") -> Answer? {
    let lines = fields.map { $0 + "\r\n" }.joined()
    send("\(method) \(target) HTTP/1.1\r\nHost: example\r\n\(lines)\r\n")
    return answers(to: [method]).first
  }

  /// Everything the server wrote since the last call.
  func bytes() -> [UInt8] {
    var result: [UInt8] = []
    while let data = try? channel.readOutbound(as: IOData.self) {
      if case .byteBuffer(let buffer) = data { result += buffer.readableBytesView }
    }
    return result
  }

  /// What came back, read by Content-Length and chunks as RFC 9112 section 6.3 says.
  func answers(to methods: [String] = []) -> [Answer] {
    var rest = bytes()[...]
    var answers: [Answer] = []
    while !rest.isEmpty {
      let method = answers.count < methods.count ? methods[answers.count] : "GET"
      guard let answer = Answer(&rest, method: method) else { break }
      answers.append(answer)
    }
    return answers
  }

  func advance(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }
}

/// Reads what is written by reference when it is written, as a connection does.
private final class RegionReader: ChannelOutboundHandler {
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard case .fileRegion(let region) = unwrapOutboundIn(data) else {
      context.write(data, promise: promise)
      return
    }
    var bytes = [UInt8](repeating: 0, count: region.readableBytes)
    let count = try? region.fileHandle.withUnsafeFileDescriptor { descriptor in
      unsafe pread(descriptor, &bytes, bytes.count, off_t(region.readerIndex))
    }
    context.write(wrapOutboundOut(.byteBuffer(ByteBuffer(bytes: bytes.prefix(count ?? 0)))), promise: promise)
  }
}

/// One response.
struct Answer {
  var status: Int
  var fields: [(name: String, value: String)] = []
  var content: [UInt8] = []
  /// Whether as much content came as was said.
  var isComplete = true

  var text: String { String(decoding: content, as: UTF8.self) }

  subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

  init?(_ bytes: inout ArraySlice<UInt8>, method: String) {
    var lines: [String] = []
    while let end = bytes.firstIndex(of: 10) {
      let line = String(decoding: bytes[bytes.startIndex..<end].dropLast(), as: UTF8.self)
      bytes = bytes[(end + 1)...]
      if line.isEmpty { break }
      lines.append(line)
    }
    guard let first = lines.first, first.hasPrefix("HTTP/1.1 "), let code = Int(first.dropFirst(9).prefix(3)) else {
      return nil
    }
    status = code
    for line in lines.dropFirst() {
      let sides = line.split(separator: ":", maxSplits: 1)
      fields.append((sides[0].lowercased(), sides.count > 1 ? String(sides[1].drop { $0 == " " }) : ""))
    }
    if method == "HEAD" || status == 304 || status == 204 { return }
    if self["transfer-encoding"] == "chunked" {
      while let end = bytes.firstIndex(of: 10) {
        let size = Int(String(decoding: bytes[bytes.startIndex..<(end - 1)], as: UTF8.self), radix: 16) ?? 0
        bytes = bytes[(end + 1)...]
        content += bytes.prefix(size)
        bytes = bytes.dropFirst(size + 2)
        if size == 0 { return }
      }
      isComplete = false
      return
    }
    let count = self["content-length"].flatMap { Int($0) } ?? 0
    content = Array(bytes.prefix(count))
    isComplete = content.count == count
    bytes = bytes.dropFirst(count)
  }
}
