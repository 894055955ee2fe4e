import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Kurose and Ross, chapter 2; Konstanz, connection-oriented demultiplexing: one connection for each object, one for all,
  /// and all questions at once.
  static let persistentHTTP = Scenario(
    "http-persistent", "a page and its five pictures: a connection for each, one for all, and all asked for at once"
  ) { stage in
    let world = try stage.world { world in
      world.host("client") { $0.tuning = .textbook }
      world.host("server", services: [.http(files: Page.files)]) { $0.tuning = .textbook }
      // Requests take no time on the line, so that the formula has answers in it and nothing else.
      world.wire(
        "client", "server", there: LinkDirection(delay: Page.delay),
        back: LinkDirection(rate: Page.rate, delay: Page.delay), name: "line")
    }
    let client = try world.host("client")
    let server = SocketAddress(try world.address(of: "server"), port: 80)
    let spans = try world.runAndWait { () -> [Page.Span] in
      // Who is where is found out first (ARP).
      _ = try await client.ping(server.address)
      var spans: [Page.Span] = []
      for way in Page.Way.allCases {
        let start = client.loop.now
        let byteCount = try await Page.fetch(way, from: client, server)
        spans.append(Page.Span(way: way, start: start, end: client.loop.now, byteCount: byteCount))
        // Until connections are closed and windows forgotten.
        try await client.loop.clock.sleep(for: .seconds(10))
      }
      return spans
    }
    let recording = world.finish()
    let roundTrip = 2 * Page.delay.inNanoseconds
    stage.say(
      """
      A page of 4,000 bytes and five pictures of 8,000, over a line of 1 Mbit/s with a round trip of \(milliseconds(roundTrip)).
      R is the line's rate and L what an object has; a question takes no time on the line, an answer L/R.
      """)
    var rows = [
      ["", "round trips", "L/R of objects", "of headers", "of SYN ACKs", "behind goodbyes", "together", "measured"]
    ]
    for span in spans {
      let bytes = Page.bytes(recording, span)
      let trips = Int64(span.way.roundTrips) * roundTrip
      let line = [span.byteCount, bytes.withPayload - span.byteCount, bytes.handshakes].map(Page.time)
      // A SYN ACK waits for the ACK of the FIN that came with its SYN, of the connection before.
      let waits = Page.time(bytes.beforeHandshakes)
      let sum = trips + line.reduce(0, +) + waits
      rows.append(
        [span.way.rawValue, "\(span.way.roundTrips) = \(milliseconds(trips))"] + line.map(milliseconds)
          + [milliseconds(waits), milliseconds(sum), milliseconds(span.duration)])
    }
    stage.say()
    stage.table(rows)
    stage.say()
    for span in spans {
      stage.say("\(span.way.rawValue): \(span.way.words)")
      stage.table([["client's port", "asked for"]] + Page.requests(recording, span))
    }
    stage.say()
    for (span, row) in zip(spans, rows.dropFirst()) {
      stage.check(
        row[6] == row[7], "\(span.way.rawValue): \(span.way.formula) is what was measured, to the nanosecond")
    }
    stage.check(
      spans.map { Page.requests(recording, $0).count } == [6, 1, 1],
      "six connections from six ports, then one each, to one socket of the server's")
    stage.check(
      spans[0].duration - spans[1].duration > 5 * roundTrip,
      "a connection for all saves a round trip and more for each object but the first")
    stage.check(
      spans[1].duration - spans[2].duration >= 4 * roundTrip,
      "to ask for all at once saves one for each picture but the first")
    return recording
  }
}

/// What the scenario fetches, and how.
private enum Page {
  static let rate: UInt64 = 1_000_000
  static let delay = Duration.milliseconds(25)
  static let pictures = (1...5).map { "/picture\($0).png" }

  static var files: [String: [UInt8]] {
    var files = ["index.html": [UInt8](repeating: UInt8(ascii: "h"), count: 4_000)]
    for path in pictures { files[path] = [UInt8](repeating: UInt8(ascii: "p"), count: 8_000) }
    return files
  }

  enum Way: String, CaseIterable, Sendable {
    case each = "non-persistent"
    case shared = "persistent"
    case pipelined

    var words: String {
      switch self {
      case .each: "SYN, SYN ACK, question, answer, for every object"
      case .shared: "the connection stays, the next question follows the answer before it"
      case .pipelined: "when the page is there, all pictures are asked for at once"
      }
    }

    var roundTrips: Int {
      switch self {
      case .each: 12
      case .shared: 7
      case .pipelined: 3
      }
    }

    var formula: String {
      switch self {
      case .each: "2 RTT + L/R for each object"
      case .shared: "RTT, and RTT + L/R for each object"
      case .pipelined: "3 RTT + L/R of everything"
      }
    }
  }

  struct Span {
    var way: Way
    var start: Instant
    var end: Instant
    /// Of objects, without any header.
    var byteCount: Int

    var duration: Int64 { end.nanoseconds - start.nanoseconds }

    func contains(_ frame: Recording.Frame) -> Bool {
      frame.queued >= start.nanoseconds && frame.arrival <= end.nanoseconds
    }
  }

  /// How long so many bytes are on the line.
  static func time(_ byteCount: Int) -> Int64 { Int64(byteCount) * 8 * 1_000_000_000 / Int64(rate) }

  static func fetch(_ way: Way, from client: VirtualHost, _ server: SocketAddress) async throws -> Int {
    var byteCount = 0
    if way == .each {
      for path in ["/"] + pictures {
        let connection = try await WebConnection(client, server)
        try await connection.ask(for: path, closes: true)
        byteCount += try await connection.answer()
        connection.close()
      }
      return byteCount
    }
    let connection = try await WebConnection(client, server)
    defer { connection.close() }
    try await connection.ask(for: "/")
    byteCount += try await connection.answer()
    if way == .pipelined {
      try await connection.ask(for: pictures)
      for _ in pictures { byteCount += try await connection.answer() }
    } else {
      for path in pictures {
        try await connection.ask(for: path)
        byteCount += try await connection.answer()
      }
    }
    return byteCount
  }

  /// What the server sent meanwhile, in bytes: frames that begin a connection, others that left right before them, and
  /// frames with content or its header in them.
  static func bytes(
    _ recording: Recording, _ span: Span
  ) -> (handshakes: Int, beforeHandshakes: Int, withPayload: Int) {
    var sums = (handshakes: 0, beforeHandshakes: 0, withPayload: 0)
    var last: Recording.Frame?
    for frame in recording.frames where frame.end == 1 && span.contains(frame) {
      let view = recording.view(frame)
      if view.flags.contains(.syn) {
        sums.handshakes += frame.bytes.count
        if let last, last.queued == frame.queued { sums.beforeHandshakes += last.bytes.count }
      } else if view.payloadByteCount > 0 {
        sums.withPayload += frame.bytes.count
      }
      last = frame
    }
    return sums
  }

  /// What was asked for, by the client's port.
  static func requests(_ recording: Recording, _ span: Span) -> [[String]] {
    var rows: [[String]] = []
    for frame in recording.frames where frame.end == 0 && span.contains(frame) {
      let view = recording.view(frame)
      guard view.protocol == .tcp, view.payloadByteCount > 0 else { continue }
      let paths = recording.payload(frame).split(separator: "\r\n").filter { $0.hasPrefix("GET ") }
        .map { String($0.split(separator: " ")[1]) }
      if let index = rows.firstIndex(where: { $0[0] == "\(view.sourcePort)" }) {
        rows[index][1] += " " + paths.joined(separator: " ")
      } else {
        rows.append(["\(view.sourcePort)", paths.joined(separator: " ")])
      }
    }
    return rows
  }
}

/// A browser's side of a connection, as far as the scenarios need one.
struct WebConnection {
  private let connection: TCPSocket

  init(_ client: VirtualHost, _ server: SocketAddress) async throws {
    connection = try await client.connect(to: server)
  }

  func close() { connection.close() }

  func ask(for path: String, closes: Bool = false) async throws { try await ask(for: [path], closes: closes) }

  func ask(for paths: [String], closes: Bool = false) async throws {
    let requests = paths.map { "GET \($0) HTTP/1.1\r\nHost: server\r\n\(closes ? "Connection: close\r\n" : "")\r\n" }
    try await connection.write(requests.joined())
  }

  /// Waits for the next answer, and says how much content it has.
  func answer() async throws -> Int {
    var length = 0
    while let line = try await connection.readLine(), !line.isEmpty {
      let parts = line.split(separator: ":")
      if parts.count == 2, parts[0] == "Content-Length" { length = Int(parts[1].drop { $0 == " " }) ?? 0 }
    }
    var rest = length
    while rest > 0 {
      let bytes = try await connection.read(upTo: rest)
      if bytes.isEmpty { break }
      rest -= bytes.count
    }
    return length - rest
  }
}
