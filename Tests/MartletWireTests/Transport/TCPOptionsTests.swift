import MartletWire
import Testing

@Suite("TCP options")
struct TCPOptionsTests {
  func parse(_ hex: String) throws(WireError) -> TCPOptions {
    try [UInt8](hex: hex).parse(TCPOptions.init(parsing:))
  }

  func encode(_ options: TCPOptions) -> [UInt8] {
    written(options.encodedByteCount) { options.write(to: &$0, at: 0) }
  }

  static let block1 = SACKBlock(left: SequenceNumber(0xffff_fff0), right: SequenceNumber(0x10))
  static let block2 = SACKBlock(left: SequenceNumber(0x100), right: SequenceNumber(0x200))

  static func blocks(_ blocks: SACKBlock...) -> SACKBlocks {
    var all = SACKBlocks()
    for block in blocks { all.append(block) }
    return all
  }

  /// As Linux lays them out.
  static let layouts: [(String, TCPOptions)] = [
    ("", TCPOptions()),
    (
      "020405b4 0402080a 0a0b0c0d 00000000 01030307",
      TCPOptions(
        maximumSegmentSize: 1460, windowScale: 7, isSACKPermitted: true,
        timestamps: TCPTimestamps(value: 0x0a0b_0c0d, echoReply: 0))
    ),
    ("020405b4 01010402 01030302", TCPOptions(maximumSegmentSize: 1460, windowScale: 2, isSACKPermitted: true)),
    ("0101080a 00000001 00000002", TCPOptions(timestamps: TCPTimestamps(value: 1, echoReply: 2))),
    (
      "0101080a 00000001 00000002 01010512 fffffff0 00000010 00000100 00000200",
      TCPOptions(timestamps: TCPTimestamps(value: 1, echoReply: 2), sackBlocks: blocks(block1, block2))
    ),
    (
      "01010522 fffffff0 00000010 00000100 00000200 fffffff0 00000010 00000100 00000200",
      TCPOptions(sackBlocks: blocks(block1, block2, block1, block2))
    ),
    ("1c04 8005", TCPOptions(userTimeout: TCPUserTimeout(field: 0x8005))),
  ]

  @Test("What nearly every SYN has, with any one bit turned, is read as any other options are")
  func readsUsualSYNAsAnyOther() {
    let options = [UInt8](hex: "020405b4 0402080a 0a0b0c0d 01020304 01030307")
    let header = TCPHeader(
      sourcePort: 1, destinationPort: 2, sequenceNumber: SequenceNumber(3), acknowledgmentNumber: SequenceNumber(0),
      headerByteCount: 40, flags: .syn, window: 4)
    for bit in -1..<options.count * 8 {
      var turned = options
      if bit >= 0 { turned[bit / 8] ^= 1 << UInt8(bit % 8) }
      let segment = written(20) { header.write(to: &$0) } + turned
      let slow = try? turned.parse(TCPOptions.init(parsing:))
      let fast = try? segment.parse { (bytes) throws(WireError) in
        try TCPOptions(of: TCPHeader(parsing: bytes), in: bytes)
      }
      #expect(fast == slow, "bit \(bit)")
    }
  }

  @Test("Options in Linux' order parse and are written in that order", arguments: layouts)
  func parsesAndWrites(hex: String, options: TCPOptions) throws {
    #expect(try parse(hex) == options)
    #expect(encode(options) == [UInt8](hex: hex))
  }

  @Test("Options at odd offsets parse, and nothing behind the end of the list counts")
  func oddOffsets() throws {
    let options = try parse("01 0204 0218 01 080a 00000001 00000002 01 030308 00 0204ffff")
    #expect(options.maximumSegmentSize == 536)
    #expect(options.timestamps == TCPTimestamps(value: 1, echoReply: 2))
    #expect(options.windowScale == 8)
    #expect(options.unknownCount == 0)
  }

  @Test("Unknown kinds and known kinds with another length are counted and passed over")
  func unknown() throws {
    let options = try parse("fd04 f989 0203 05 0302 0509 00000000000000 1302 030309")
    #expect(options.unknownCount == 5)
    #expect(options.maximumSegmentSize == nil)
    #expect(options.sackBlocks.isEmpty)
    #expect(options.windowScale == 9)
  }

  @Test("A Fast Open cookie is found, and a request for one")
  func fastOpen() throws {
    #expect(try parse("01 01 220a 0102030405060708").fastOpenCookie == TCPFastOpenCookie(0x0102_0304_0506_0708))
    #expect(try parse("2202").fastOpenCookie == .request)
    #expect(try parse("2205 010203").fastOpenCookie == nil)
  }

  @Test(
    "Lengths below 2 or past the end are refused", arguments: ["02", "0200", "0201", "0204 05", "fd05 0000", "0101 08"])
  func refusesLengths(hex: String) {
    #expect(throws: WireError.malformed(field: "option length")) { try parse(hex) }
  }

  @Test("SACK blocks that do not fit beside the other options are left out")
  func leavesOutBlocks() throws {
    var options = TCPOptions(
      timestamps: TCPTimestamps(value: 1, echoReply: 2),
      sackBlocks: Self.blocks(Self.block1, Self.block2, Self.block1, Self.block2))
    #expect(options.writtenSACKBlockCount == 3)
    #expect(options.encodedByteCount == 40)
    #expect(try encode(options).parse(TCPOptions.init(parsing:)).sackBlocks.count == 3)
    options.maximumSegmentSize = 1460
    options.windowScale = 7
    options.isSACKPermitted = true
    #expect(options.writtenSACKBlockCount == 2)
    options.userTimeout = TCPUserTimeout(field: 1)
    #expect(options.writtenSACKBlockCount == 1)
    #expect(options.encodedByteCount == 36)
  }

  @Test("A user timeout above fifteen bits of seconds is in minutes")
  func userTimeout() {
    #expect(TCPUserTimeout(seconds: 32767).seconds == 32767)
    #expect(TCPUserTimeout(seconds: 32768).seconds == 547 * 60)
    #expect(TCPUserTimeout(seconds: .max).seconds == 32767 * 60)
    #expect(TCPUserTimeout(seconds: -1).seconds == 0)
  }

  @Test("A Fast Open cookie of any size is written as it was read, padded in front")
  func fastOpenSizes() throws {
    for count in [0] + Array(stride(from: 4, through: 16, by: 2)) {
      let cookie = [UInt8]((0..<count).map { UInt8(0xa0 + $0) })
      var options = TCPOptions(maximumSegmentSize: 1_460)
      options.fastOpenCookie = try cookie.parse { (bytes) throws(WireError) in try TCPFastOpenCookie(parsing: bytes) }
      let bytes = encode(options)
      #expect(bytes.count == options.encodedByteCount && bytes.count.isMultiple(of: 4))
      #expect(bytes.suffix(count + 2) == [34, UInt8(count + 2)] + cookie)
      #expect(try bytes.parse(TCPOptions.init(parsing:)) == options)
    }
    for count in [1, 2, 3, 5, 17, 18] {
      #expect(throws: WireError.malformed(field: "Fast Open cookie")) {
        try [UInt8](repeating: 1, count: count).parse { (bytes) throws(WireError) in
          try TCPFastOpenCookie(parsing: bytes)
        }
      }
    }
  }

  @Test("Options are read out of a segment, by the short way for aligned timestamps and by the long way")
  func ofSegment() throws {
    for (hex, expected) in Self.layouts {
      let options = [UInt8](hex: hex)
      var header = TCPHeader(
        sourcePort: 1, destinationPort: 2, sequenceNumber: SequenceNumber(3), acknowledgmentNumber: SequenceNumber(4),
        flags: .ack, window: 5)
      header.headerByteCount = UInt8(20 + options.count)
      let segment = written(20) { header.write(to: &$0) } + options + [0x41]
      let found = try segment.parse { (bytes) throws(WireError) in
        try TCPOptions(of: TCPHeader(parsing: bytes), in: bytes)
      }
      #expect(found == expected)
    }
  }

  @Test("Random options end in a value or an error, and what is written parses back")
  func random() throws {
    var generator = SplitMix64(seed: 9293)
    let kinds: [UInt8] = [0, 1, 2, 3, 4, 5, 8, 28, 34, 99]
    var accepted = 0
    for _ in 0..<5000 {
      var bytes = generator.bytes(Int(generator.next() % 41))
      for index in bytes.indices where generator.next() % 2 == 0 {
        bytes[index] = kinds[Int(generator.next() % 10)]
      }
      guard var options = try? bytes.parse(TCPOptions.init(parsing:)) else { continue }
      accepted += 1
      options.unknownCount = 0
      options.fastOpenCookie = nil
      let again = try encode(options).parse(TCPOptions.init(parsing:))
      if options.writtenSACKBlockCount == options.sackBlocks.count { #expect(again == options) }
    }
    #expect(accepted > 500)
  }
}
