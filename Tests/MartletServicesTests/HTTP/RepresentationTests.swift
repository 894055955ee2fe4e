import CZlib
import NIOCore
import Testing

@testable import MartletServices

@Suite("Representations")
struct RepresentationTests {
  private let now = HTTPDate(secondsSinceEpoch: 1_700_000_000)

  @Test(
    "All three forms of a date are read",
    arguments: [
      "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
  func dates(text: String) {
    #expect(HTTPDate(text, now: now) == HTTPDate(secondsSinceEpoch: 784_111_777))
  }

  @Test(
    "A date is written in the preferred form and read back", arguments: [0, 784_111_777, 951_782_400, 4_102_444_799])
  func roundTrip(seconds: Int64) {
    let date = HTTPDate(secondsSinceEpoch: seconds)
    #expect(HTTPDate(date.description, now: now) == date)
  }

  @Test("The date of the RFC's example is written as there")
  func example() {
    #expect(HTTPDate(secondsSinceEpoch: 784_111_777).description == "Sun, 06 Nov 1994 08:49:37 GMT")
    #expect(HTTPDate(secondsSinceEpoch: 951_782_400).description == "Tue, 29 Feb 2000 00:00:00 GMT")
  }

  @Test(
    "What is no date is none",
    arguments: [
      "", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
      "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC", "Xxx, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 94 08:49:37 GMT", "784111777", "Sun, 06 Nov 1994 8:49:37 GMT",
    ])
  func noDates(text: String) { #expect(HTTPDate(text, now: now) == nil) }

  @Test("Two digits of a year are never more than fifty years ahead")
  func shortYears() {
    #expect(HTTPDate("Sunday, 06-Nov-94 08:49:37 GMT", now: now)?.components.year == 1994)
    #expect(HTTPDate("Sunday, 06-Nov-60 08:49:37 GMT", now: now)?.components.year == 2060)
  }

  @Test("Tags are read with their weakness, and nothing else is")
  func tags() {
    #expect(EntityTag("\"a\"") == EntityTag(opaque: "a"))
    #expect(EntityTag("W/\"\"") == EntityTag(opaque: "", isWeak: true))
    for text in ["a", "\"a", "w/\"a\"", "\"a\"b", "\"a b\"", "W/ \"a\""] { #expect(EntityTag(text) == nil, "\(text)") }
    #expect(
      EntityTagCondition("\"a\" , W/\"b\",,") == .tags([EntityTag(opaque: "a"), EntityTag(opaque: "b", isWeak: true)]))
    #expect(EntityTagCondition(" * ") == .any)
    for text in ["", ",", "\"a\" \"b\"", "*, \"a\"", "a"] { #expect(EntityTagCondition(text) == nil, "\(text)") }
  }

  @Test("Conditions are weighed in the order of RFC 9110 section 13.2.2")
  func conditions() {
    let tag = EntityTag(opaque: "x")
    let date = HTTPDate(secondsSinceEpoch: 784_111_777)
    let before = "Sun, 06 Nov 1994 08:49:36 GMT"
    let same = "Sun, 06 Nov 1994 08:49:37 GMT"
    func outcome(_ change: (inout ConditionalRequest) -> Void, tag: EntityTag = tag) -> ConditionalRequest.Outcome {
      var request = ConditionalRequest()
      change(&request)
      return request.evaluate(tag: tag, lastModified: date, now: now)
    }
    #expect(outcome { _ in } == .proceed)
    #expect(outcome { $0.ifMatch = "\"x\"" } == .proceed)
    #expect(outcome { $0.ifMatch = "*" } == .proceed)
    #expect(outcome { $0.ifMatch = "W/\"x\"" } == .preconditionFailed)
    #expect(outcome({ $0.ifMatch = "\"x\"" }, tag: EntityTag(opaque: "x", isWeak: true)) == .preconditionFailed)
    #expect(outcome { $0.ifUnmodifiedSince = before } == .preconditionFailed)
    #expect(outcome { $0.ifUnmodifiedSince = same } == .proceed)
    #expect(outcome { $0.ifUnmodifiedSince = "nonsense" } == .proceed)
    // If-Match takes precedence over the date, as If-None-Match does.
    #expect(
      outcome {
        $0.ifMatch = "\"x\""; $0.ifUnmodifiedSince = before
      } == .proceed)
    #expect(outcome { $0.ifNoneMatch = "W/\"x\"" } == .notModified)
    #expect(outcome { $0.ifNoneMatch = "*" } == .notModified)
    #expect(
      outcome {
        $0.ifNoneMatch = "\"y\""; $0.ifModifiedSince = same
      } == .proceed)
    #expect(outcome { $0.ifModifiedSince = same } == .notModified)
    #expect(outcome { $0.ifModifiedSince = before } == .proceed)
    #expect(outcome { $0.ifModifiedSince = "nonsense" } == .proceed)
    #expect(
      outcome {
        $0.ifMatch = "\"y\""; $0.ifNoneMatch = "\"x\""
      } == .preconditionFailed)
  }

  @Test(
    "Codings are preferred by their weights, then by their size",
    arguments: [
      ("gzip, deflate, br, zstd", [.brotli, .zstandard, .gzip]), ("gzip", [.gzip]),
      ("br;q=0.5, gzip", [.gzip, .brotli]),
      ("gzip;q=0.5, identity;q=0.1, br;q=0.3", [.gzip, .brotli]), ("*", [.brotli, .zstandard, .gzip]),
      ("*;q=0", []), ("gzip;q=0", []), ("gzip;q=0.001", [.gzip]), ("identity", []), ("", []), ("gzip;q=2", []),
      ("br;q=0, *", [.zstandard, .gzip]), ("GZIP", [.gzip]), ("x-gzip", [.gzip]), ("gzip ; q=1.000", [.gzip]),
      ("identity;q=0, gzip;q=0.5", [.gzip]), ("identity, gzip;q=0.5", []),
    ] as [(String, [ContentCoding])])
  func codings(field: String, expected: [ContentCoding]) {
    #expect(AcceptedCodings(field).preferred == expected)
  }

  @Test("The type follows the last suffix, whatever its case")
  func types() {
    #expect(MediaType.ofFile(named: "a.HTML".utf8) == "text/html; charset=utf-8")
    #expect(MediaType.ofFile(named: "a.tar.gz".utf8) == "application/gzip")
    #expect(MediaType.ofFile(named: "a.svg".utf8) == "image/svg+xml; charset=utf-8")
    #expect(MediaType.ofFile(named: "README".utf8) == "application/octet-stream")
    #expect(MediaType.ofFile(named: "a.".utf8) == "application/octet-stream")
    #expect(MediaType.isCompressible("text/html; charset=utf-8"))
    #expect(!MediaType.isCompressible("image/png"))
  }

  @Test("A compressed file beside a file is sent to those who take it")
  func siblings() throws {
    let directory = TemporaryDirectory()
    directory.file("a.txt", "plain")
    directory.file("a.txt.gz", "gzipped")
    directory.file("a.txt.br", "brotli")
    let conversation = try Conversation(directory)
    let plain = try #require(conversation.get("/a.txt"))
    #expect(plain.text == "plain")
    #expect(plain["vary"] == "Accept-Encoding")
    let gzip = try #require(conversation.get("/a.txt", "Accept-Encoding: gzip"))
    #expect(gzip.text == "gzipped")
    #expect(gzip["content-encoding"] == "gzip")
    #expect(gzip["content-type"] == "text/plain; charset=utf-8")
    #expect(gzip["etag"] != plain["etag"])
    #expect(conversation.get("/a.txt", "Accept-Encoding: gzip, br")?.text == "brotli")
    #expect(conversation.get("/a.txt", "Accept-Encoding: gzip, br;q=0.1, identity;q=0")?.text == "gzipped")
    #expect(conversation.get("/a.txt", "Accept-Encoding: zstd")?.text == "plain")
  }

  @Test("A compressed file older than the file it stands for is not sent")
  func staleSibling() throws {
    let directory = TemporaryDirectory()
    directory.file("a.txt", "plain")
    directory.file("a.txt.gz", "gzipped")
    directory.touch("a.txt.gz", secondsSinceEpoch: 784_111_777)
    #expect(try Conversation(directory).get("/a.txt", "Accept-Encoding: gzip")?.text == "plain")
  }

  @Test("Text is compressed on its way, with a weak tag, and not for a range", arguments: [1_024, 300_000])
  func compression(size: Int) throws {
    let directory = TemporaryDirectory()
    directory.file("a.txt", pattern(size))
    directory.file("a.bin", pattern(size))
    let conversation = try Conversation(directory)
    let answer = try #require(conversation.get("/a.txt", "Accept-Encoding: gzip"))
    #expect(answer["content-encoding"] == "gzip")
    #expect(answer["transfer-encoding"] == "chunked")
    #expect(answer["etag"]?.hasPrefix("W/") == true)
    #expect(answer.isComplete)
    let isSame = gunzip(answer.content, size) == pattern(size)
    #expect(isSame)
    let tag = try #require(answer["etag"])
    #expect(conversation.get("/a.txt", "Accept-Encoding: gzip", "If-None-Match: \(tag)")?.status == 304)
    let head = try #require(conversation.get("/a.txt", "Accept-Encoding: gzip", method: "HEAD"))
    #expect(head["content-encoding"] == "gzip" && head["content-length"] == nil)
    #expect(conversation.get("/a.txt", "Accept-Encoding: gzip", "Range: bytes=0-1")?["content-encoding"] == nil)
    #expect(conversation.get("/a.bin", "Accept-Encoding: gzip")?["content-encoding"] == nil)
    #expect(conversation.get("/a.txt")?["content-encoding"] == nil)
  }

  private func gunzip(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
    var input = bytes
    var output = [UInt8](repeating: 0, count: size + 1)
    var stream = unsafe z_stream()
    // Both arrays outlive the calls; their sizes are what zlib is told.
    let count = unsafe input.withUnsafeMutableBufferPointer { source in
      unsafe output.withUnsafeMutableBufferPointer { target in
        unsafe stream.next_in = source.baseAddress
        unsafe stream.avail_in = UInt32(source.count)
        unsafe stream.next_out = target.baseAddress
        unsafe stream.avail_out = UInt32(target.count)
        unsafe inflateInit2_(&stream, 31, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
        let result = unsafe inflate(&stream, Z_FINISH)
        unsafe inflateEnd(&stream)
        return unsafe result == Z_STREAM_END ? Int(stream.total_out) : 0
      }
    }
    return Array(output.prefix(count))
  }
}

@Suite("Directory listings")
struct ListingTests {
  private func entry(_ name: String, _ size: Int64 = 0, directory: Bool = false, at time: Int64 = 0) -> DirectoryEntry {
    DirectoryEntry(
      name: Array(name.utf8), isDirectory: directory, size: size, lastModified: HTTPDate(secondsSinceEpoch: time))
  }

  private func names(_ query: String) -> [String] {
    DirectoryListing(
      path: [],
      entries: [
        entry("b", 10, at: 3), entry("a", 30, at: 1), entry("z", directory: true, at: 2), entry("c", 20, at: 9),
      ],
      order: DirectoryListing.Order(query: query[...])
    ).entries.map(\.displayName)
  }

  @Test("Entries are sorted by each column both ways, directories in front")
  func order() {
    #expect(names("") == ["z", "a", "b", "c"])
    #expect(names("sort=name&order=desc") == ["z", "c", "b", "a"])
    #expect(names("sort=size") == ["z", "b", "c", "a"])
    #expect(names("sort=size&order=desc") == ["z", "a", "c", "b"])
    #expect(names("sort=modified") == ["z", "a", "b", "c"])
    #expect(names("sort=nonsense") == ["z", "a", "b", "c"])
  }

  @Test("Names are escaped in the page and in links")
  func escaping() {
    let listing = DirectoryListing(
      path: Array("<x>".utf8), entries: [entry("a:b\"<script>&'\u{1}?.txt")], order: DirectoryListing.Order())
    #expect(!listing.html.contains("<script>"))
    #expect(listing.html.contains("href=\"./a%3Ab%22%3Cscript%3E%26%27%01%3F.txt\""))
    #expect(listing.html.contains("<title>Index of /&lt;x&gt;/</title>"))
    #expect(listing.json.contains("\"name\":\"a:b\\\"<script>&'\\u0001?.txt\""))
  }

  @Test("The page says how it is sorted, works without anything else, and knows the dark")
  func page() {
    let html = DirectoryListing(path: [], entries: [entry("a", 1_536)], order: DirectoryListing.Order()).html
    #expect(html.contains("aria-sort=\"ascending\""))
    #expect(html.contains("<html lang=\"en\">"))
    #expect(html.contains("color-scheme"))
    #expect(html.contains(">1.5 KiB<"))
    #expect(!html.contains("<script") && !html.contains("http://") && !html.contains("https://"))
    #expect(!html.contains("Parent directory"))
  }

  @Test(
    "Sizes are written for people",
    arguments: [
      (0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (1_536, "1.5 KiB"), (102_400, "100 KiB"),
      (1_048_575, "1.0 MiB"), (1_048_576, "1.0 MiB"), (3_000_000, "2.9 MiB"), (102_348, "99.9 KiB"),
      (102_399, "100 KiB"), (1_047_552, "1023 KiB"), (.max, "8.0 EiB"),
    ] as [(Int64, String)])
  func sizes(bytes: Int64, text: String) { #expect(DirectoryListing.humanSize(bytes) == text) }

  @Test("JSON is sent to those who ask for it, a page to others, and hidden names to nobody")
  func negotiation() throws {
    let directory = TemporaryDirectory()
    directory.file("a.txt", "hello")
    directory.file(".hidden", "x")
    directory.directory("d")
    let conversation = try Conversation(directory)
    let json = try #require(conversation.get("/", "Accept: application/json"))
    #expect(json["content-type"] == "application/json")
    #expect(json.text.hasPrefix("{\"path\":\"/\",\"entries\":[{\"name\":\"d\",\"type\":\"directory\""))
    #expect(json.text.contains("{\"name\":\"a.txt\",\"type\":\"file\",\"size\":5,"))
    #expect(!json.text.contains("hidden"))
    let page = try #require(conversation.get("/", "Accept: text/html,application/json;q=0.5,*/*;q=0.1"))
    #expect(page["content-type"] == "text/html; charset=utf-8")
    #expect(page["vary"] == "Accept")
    #expect(page.text.contains("a.txt") && !page.text.contains(".hidden"))
    #expect(conversation.get("/")?["content-type"] == "text/html; charset=utf-8")
    #expect(try Conversation(directory) { $0.listsDirectories = false }.get("/")?.status == 404)
  }
}
