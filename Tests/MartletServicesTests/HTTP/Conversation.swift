import Glibc
import NIOCore
import NIOEmbedded

@testable import MartletServices

/// A client of the file server in memory: bytes in, bytes out, time by hand.
final class Conversation {
  let channel: EmbeddedChannel
  let service: HTTPService
  private(set) var log: [String] { get { lines.lines } set { lines.lines = newValue } }
  private let lines: Lines

  /// The lines of the access log; used by one thread.
  final class Lines: @unchecked Sendable { var lines: [String] = [] }

  init(_ directory: TemporaryDirectory, _ change: (inout HTTPFileServerConfiguration) -> Void = { _ in }) throws {
    var configuration = HTTPFileServerConfiguration(directory: directory.path)
    change(&configuration)
    let lines = Lines()
    self.lines = lines
    configuration.accessLog = { lines.lines.append($0) }
    service = try HTTPService(configuration)
    channel = EmbeddedChannel()
    try ConnectionPipeline(service: service, tls: nil).initialize(channel).wait()
    try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 1_000)).wait()
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
      switch data {
      case .byteBuffer(let buffer): result += buffer.readableBytesView
      case .fileRegion(let region):
        var bytes = [UInt8](repeating: 0, count: region.readableBytes)
        let count = try? region.fileHandle.withUnsafeFileDescriptor { descriptor in
          unsafe pread(descriptor, &bytes, bytes.count, off_t(region.readerIndex))
        }
        result += bytes.prefix(count ?? 0)
      }
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
