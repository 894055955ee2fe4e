import Testing

@testable import MartletServices

@Suite("Ranges")
struct RangesTests {
  @Test(
    "A Range field says which bytes",
    arguments: [
      ("bytes=0-4", [0..<5]), ("bytes=5-", [5..<10]), ("bytes=-3", [7..<10]), ("bytes=9-9", [9..<10]),
      ("bytes=0-99999999999999999999", [0..<10]), ("bytes=-100", [0..<10]), ("BYTES=0-0", [0..<1]),
      ("bytes=0-0, 9-", [0..<1, 9..<10]), ("bytes=8-,0-1", [8..<10, 0..<2]), ("bytes=0-0,,2-2", [0..<1, 2..<3]),
      ("bytes=0-4,20-30", [0..<5]), ("bytes=0-5,3-7", [0..<8]), ("bytes=0-,0-,0-", [0..<10]),
    ] as [(String, [Range<Int64>])])
  func parts(field: String, expected: [Range<Int64>]) {
    #expect(ByteRanges(field, size: 10) == .parts(expected))
  }

  @Test(
    "A field that cannot be read, or of another unit, asks for the whole",
    arguments: [
      "bytes=", "bytes=a-b", "bytes=5-2", "bytes=--5", "items=0-1", "bytes 0-1", "bytes=-", "bytes=1", "bytes=0-1,x",
      "bytes=+1-2", "bytes=0x1-2",
    ])
  func malformed(field: String) { #expect(ByteRanges(field, size: 10) == .whole) }

  @Test("Ranges behind the end are unsatisfiable", arguments: ["bytes=10-", "bytes=10-20,30-", "bytes=-0"])
  func unsatisfiable(field: String) { #expect(ByteRanges(field, size: 10) == .unsatisfiable) }

  @Test("No range of an empty file can be satisfied", arguments: ["bytes=0-", "bytes=-1", "bytes=0-0"])
  func empty(field: String) { #expect(ByteRanges(field, size: 0) == .unsatisfiable) }

  @Test("More ranges than the limit get the whole")
  func limit() {
    let field = "bytes=" + (0..<5).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ",")
    #expect(ByteRanges(field, size: 10, limit: 4) == .whole)
    #expect(ByteRanges(field, size: 10, limit: 5) != .whole)
  }

  @Test("One range arrives as 206 with its place")
  func single() throws {
    let directory = TemporaryDirectory()
    directory.file("f", pattern(100_000))
    let answer = try #require(Conversation(directory).get("/f", "Range: bytes=500-89999"))
    #expect(answer.status == 206)
    #expect(answer["content-range"] == "bytes 500-89999/100000")
    let isSame = answer.content == Array(pattern(100_000)[500..<90_000])
    #expect(isSame)
  }

  @Test("Several ranges arrive as parts between boundaries")
  func multiple() throws {
    let directory = TemporaryDirectory()
    directory.file("f.txt", "0123456789")
    let answer = try #require(Conversation(directory).get("/f.txt", "Range: bytes=0-1,8-"))
    #expect(answer.status == 206)
    #expect(answer["content-range"] == nil)
    let type = try #require(answer["content-type"])
    let boundary = try #require(type.split(separator: "=").last)
    #expect(type.hasPrefix("multipart/byteranges; boundary="))
    let part = "Content-Type: text/plain; charset=utf-8\r\nContent-Range: bytes"
    #expect(
      answer.text
        == "--\(boundary)\r\n\(part) 0-1/10\r\n\r\n01\r\n--\(boundary)\r\n\(part) 8-9/10\r\n\r\n89\r\n--\(boundary)--\r\n"
    )
  }

  @Test("What cannot be satisfied is 416 with the size")
  func refused() throws {
    let directory = TemporaryDirectory()
    directory.file("f", "0123456789")
    let answer = try #require(Conversation(directory).get("/f", "Range: bytes=10-"))
    #expect(answer.status == 416)
    #expect(answer["content-range"] == "bytes */10")
  }

  @Test("If-Range lets a range through for the current strong tag or date only")
  func ifRange() throws {
    let directory = TemporaryDirectory()
    directory.file("f", "0123456789")
    directory.touch("f", secondsSinceEpoch: 784_111_777)
    let conversation = try Conversation(directory)
    let tag = try #require(conversation.get("/f")?["etag"])
    func status(_ validator: String) -> Int? {
      conversation.get("/f", "Range: bytes=0-1", "If-Range: \(validator)")?.status
    }
    #expect(status(tag) == 206)
    #expect(status("W/" + tag) == 200)
    #expect(status("\"other\"") == 200)
    #expect(status("Sun, 06 Nov 1994 08:49:37 GMT") == 206)
    #expect(status("Sun, 06 Nov 1994 08:49:38 GMT") == 200)
    #expect(status("nonsense") == 200)
  }

  @Test("A range has no meaning for HEAD, and a condition comes first")
  func precedence() throws {
    let directory = TemporaryDirectory()
    directory.file("f", "0123456789")
    let conversation = try Conversation(directory)
    let tag = try #require(conversation.get("/f")?["etag"])
    #expect(conversation.get("/f", "Range: bytes=0-1", method: "HEAD")?.status == 200)
    #expect(conversation.get("/f", "Range: bytes=0-1", "If-None-Match: \(tag)")?.status == 304)
    #expect(conversation.get("/f", "Range: bytes=99-", "If-Match: \"x\"")?.status == 412)
  }
}
