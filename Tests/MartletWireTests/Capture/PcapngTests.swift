import MartletWire
import Testing

/// Builds capture files by hand, in either byte order, apart from the writer under test.
private struct FileBuilder {
  var bytes: [UInt8] = []
  var isBigEndian = false

  static func integer<T: FixedWidthInteger>(_ value: T, isBigEndian: Bool) -> [UInt8] {
    let bytes = (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
    return isBigEndian ? bytes.reversed() : bytes
  }

  func u16(_ value: UInt16) -> [UInt8] { Self.integer(value, isBigEndian: isBigEndian) }
  func u32(_ value: UInt32) -> [UInt8] { Self.integer(value, isBigEndian: isBigEndian) }
  func u64(_ value: UInt64) -> [UInt8] { Self.integer(value, isBigEndian: isBigEndian) }
  func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4) }
  func option(_ code: UInt16, _ value: [UInt8]) -> [UInt8] { u16(code) + u16(UInt16(value.count)) + padded(value) }

  mutating func block(_ type: UInt32, _ body: [UInt8]) {
    let length = u32(UInt32(body.count + 12))
    bytes += u32(type) + length + body + length
  }

  mutating func section(major: UInt16 = 1, options: [UInt8] = []) {
    block(0x0a0d_0d0a, u32(0x1a2b_3c4d) + u16(major) + u16(0) + u64(.max) + options)
  }

  mutating func interface(link: UInt16 = 1, snapLength: UInt32 = 0, options: [UInt8] = []) {
    block(1, u16(link) + u16(0) + u32(snapLength) + options)
  }

  mutating func packet(
    _ data: [UInt8], interface: UInt32 = 0, ticks: UInt64 = 0, original: UInt32? = nil, options: [UInt8] = []
  ) {
    block(
      6,
      u32(interface) + u32(UInt32(ticks >> 32)) + u32(UInt32(truncatingIfNeeded: ticks)) + u32(UInt32(data.count))
        + u32(original ?? UInt32(data.count)) + padded(data) + options)
  }
}

/// All packets of a file.
private func packets(_ bytes: [UInt8]) throws(WireError) -> [PcapngPacket] {
  var reader = try PcapngReader(bytes)
  var packets: [PcapngPacket] = []
  while let packet = try reader.next() { packets.append(packet) }
  return packets
}

extension PcapngWriter {
  fileprivate mutating func write(
    bytes: [UInt8], interface: Int = 0, at nanoseconds: UInt64 = 0, originalByteCount: Int? = nil,
    options: PcapngPacketOptions = PcapngPacketOptions()
  ) {
    unsafe write(
      bytes.span.bytes, interface: interface, at: nanoseconds, originalByteCount: originalByteCount, options: options)
  }
}

@Suite("pcapng captures")
struct PcapngTests {
  private static let section = PcapngSection(
    hardware: "a desk", operatingSystem: "none", application: "martlet", comments: ["one", "zwei, größer", ""])
  private static let interfaces = [
    PcapngInterface(
      name: "left", description: "the left end", macAddress: "1a:34:2c:9a:de:cc", speed: 1_000_000_000,
      comments: ["a wire"]),
    PcapngInterface(name: "tun0", linkType: .rawIP, snapLength: 5), PcapngInterface(),
  ]

  /// Packets of every length from 0 to 8, so that every padding occurs, with all options and with none.
  private static var samplePackets: [PcapngPacket] {
    (0...8).map { count in
      let bytes = (0..<count).map { UInt8(0xf0 + $0) }
      let interface = count % 3
      let kept = interface == 1 ? Array(bytes.prefix(5)) : bytes
      var flags = PcapngPacketFlags(count % 2 == 0 ? .inbound : .outbound, reception: .multicast)
      flags.isChecksumNotReady = count == 4
      let options = PcapngPacketOptions(
        flags: flags, dropCount: UInt64(count) << 40, packetID: .max - UInt64(count), queue: UInt32(count),
        comments: ["dropped: \(count)", "and more"])
      return PcapngPacket(
        interface: interface, timestamp: 1_700_000_000_123_456_789 + UInt64(count), bytes: kept,
        originalByteCount: count, options: count % 4 == 3 ? PcapngPacketOptions() : options)
    }
  }

  private static func sampleWriter() -> PcapngWriter {
    var writer = PcapngWriter(section: section)
    for (index, interface) in interfaces.enumerated() { #expect(writer.add(interface) == index) }
    for packet in samplePackets {
      let whole = (0..<packet.originalByteCount).map { UInt8(0xf0 + $0) }
      writer.write(bytes: whole, interface: packet.interface, at: packet.timestamp ?? 0, options: packet.options)
    }
    return writer
  }

  @Test("What is written is read back, every option of it")
  func roundTrip() throws {
    let bytes = Self.sampleWriter().bytes
    #expect(bytes.count % 4 == 0)
    var reader = try PcapngReader(bytes)
    #expect(reader.section == Self.section)
    for packet in Self.samplePackets { #expect(try reader.next() == packet) }
    #expect(try reader.next() == nil)
    #expect(try reader.next() == nil)
    #expect(reader.interfaces == Self.interfaces)
  }

  @Test("A span is read as an array is")
  func span() throws {
    let bytes = Self.sampleWriter().bytes
    var reader = try unsafe PcapngReader(copying: bytes.span.bytes)
    #expect(try reader.next() == Self.samplePackets.first)
  }

  @Test("The smallest file is the bytes that the format says")
  func goldenBytes() {
    var writer = PcapngWriter()
    #expect(writer.add(PcapngInterface()) == 0)
    writer.write(
      bytes: [0xab, 0xcd, 0xef], interface: 0, at: 0x1122_3344_5566_7788,
      options: PcapngPacketOptions(flags: PcapngPacketFlags(.outbound)))
    let section: [UInt8] = [
      0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255,
      28, 0, 0, 0,
    ]
    let interface: [UInt8] = [
      1, 0, 0, 0, 32, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0,
    ]
    let packet: [UInt8] = [
      6, 0, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55, 3, 0, 0, 0, 3, 0, 0, 0,
      0xab, 0xcd, 0xef, 0, 2, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0,
    ]
    #expect(writer.bytes == section + interface + packet)
  }

  @Test("An interface and a packet as Wireshark's text2pcap and editcap write them are read")
  func wireshark() throws {
    var file = FileBuilder()
    file.section()
    file.bytes += [
      0x01, 0x00, 0x00, 0x00, 0x2c, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x02, 0x00, 0x05,
      0x00, 0x77, 0x69, 0x72, 0x65, 0x30, 0x00, 0x00, 0x00, 0x09, 0x00, 0x01, 0x00, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x2c, 0x00, 0x00, 0x00,
    ]
    file.bytes += [
      0x06, 0x00, 0x00, 0x00, 0x44, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x34, 0xf9, 0xe9, 0x18, 0xe8, 0x47, 0x3f,
      0x6a, 0x10, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0b, 0x0c, 0x0d,
      0x0e, 0x0f, 0x08, 0x00, 0x45, 0x00, 0x01, 0x00, 0x09, 0x00, 0x61, 0x20, 0x63, 0x6f, 0x6d, 0x6d, 0x65, 0x6e, 0x74,
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x44, 0x00, 0x00, 0x00,
    ]
    var reader = try PcapngReader(file.bytes)
    let packet = PcapngPacket(
      interface: 0, timestamp: 0x18e9_f934_6a3f_47e8,
      bytes: [1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 8, 0, 0x45, 0], originalByteCount: 16,
      options: PcapngPacketOptions(comments: ["a comment"]))
    #expect(try reader.next() == packet)
    #expect(reader.interfaces == [PcapngInterface(name: "wire0", snapLength: 0x40000)])
    #expect(try reader.next() == nil)
  }

  @Test("What is drained in pieces is the same file")
  func drain() {
    var writer = PcapngWriter(section: Self.section)
    var file = writer.drain()
    for interface in Self.interfaces { _ = writer.add(interface) }
    file += writer.drain()
    for packet in Self.samplePackets {
      var open = writer.beginPacket(interface: packet.interface, at: packet.timestamp ?? 0)
      for index in 0..<packet.originalByteCount {
        let piece = [UInt8(0xf0 + index)]
        unsafe writer.append(piece.span.bytes, to: &open)
      }
      writer.endPacket(open, options: packet.options)
      file += writer.drain()
    }
    #expect(writer.bytes.isEmpty)
    #expect(file == Self.sampleWriter().bytes)
  }

  @Test("A packet that was cut before it came here keeps its size on the wire")
  func originalByteCount() throws {
    var writer = PcapngWriter()
    _ = writer.add(PcapngInterface())
    writer.write(bytes: [1, 2, 3], interface: 0, at: 0, originalByteCount: 1500)
    let read = try packets(writer.bytes)
    #expect(read.map(\.bytes) == [[1, 2, 3]])
    #expect(read.map(\.originalByteCount) == [1500])
  }

  @Test("A comment longer than an option is cut between two characters")
  func longComment() throws {
    var writer = PcapngWriter()
    _ = writer.add(PcapngInterface())
    let long = String(repeating: "ö", count: 40_000)
    let exact = String(repeating: "x", count: 65_535)
    writer.write(bytes: [], interface: 0, at: 0, options: PcapngPacketOptions(comments: [long, exact]))
    let comments = try #require(try packets(writer.bytes).first).options.comments
    #expect(comments == [String(repeating: "ö", count: 32_767), exact])
  }

  @Test("A file that ends between two blocks ends; a file that ends within one is refused")
  func everyPrefix() throws {
    let bytes = Self.sampleWriter().bytes
    var ends: [Int: Int] = [:]
    var writer = PcapngWriter(section: Self.section)
    ends[writer.bytes.count] = 0
    for interface in Self.interfaces {
      _ = writer.add(interface)
      ends[writer.bytes.count] = 0
    }
    for (index, packet) in Self.samplePackets.enumerated() {
      let whole = (0..<packet.originalByteCount).map { UInt8(0xf0 + $0) }
      writer.write(bytes: whole, interface: packet.interface, at: packet.timestamp ?? 0, options: packet.options)
      ends[writer.bytes.count] = index + 1
    }
    for count in 0...bytes.count {
      let prefix = Array(bytes.prefix(count))
      if let expected = ends[count] {
        #expect(try packets(prefix).count == expected)
      } else {
        #expect(throws: WireError.truncated) { try packets(prefix) }
      }
    }
  }

  @Test("No byte turned over makes the reader do anything but read or refuse")
  func everyBitFlip() {
    let bytes = Self.sampleWriter().bytes
    var refused = 0
    var accepted = 0
    for index in bytes.indices {
      for bit in 0..<8 as Range<UInt8> {
        var flipped = bytes
        flipped[index] ^= 1 << bit
        do throws(WireError) {
          accepted += try packets(flipped).count <= Self.samplePackets.count ? 1 : 0
        } catch { refused += 1 }
      }
    }
    #expect(refused + accepted == bytes.count * 8)
    #expect(refused > 0 && accepted > 0)
  }

  @Test("Both byte orders say the same, also in one file", arguments: [false, true])
  func byteOrder(isBigEndian: Bool) throws {
    var file = FileBuilder(isBigEndian: isBigEndian)
    for _ in 0..<2 {
      file.section(options: file.option(4, Array("tool".utf8)))
      file.interface(
        link: 101, snapLength: 0x1234,
        options: file.option(2, Array("if".utf8)) + file.option(8, file.u64(5_000_000_000)) + file.option(9, [9])
          + file.option(0, []))
      file.packet(
        [1, 2, 3, 4, 5], ticks: 0x0102_0304_0506_0708, original: 0x0a0b,
        options: file.option(2, file.u32(0x0100_0401)) + file.option(4, file.u64(1 << 33)) + file.option(6, file.u32(7))
      )
      file.isBigEndian.toggle()
    }
    var reader = try PcapngReader(file.bytes)
    for _ in 0..<2 {
      let packet = try #require(try reader.next())
      #expect(reader.section.application == "tool")
      #expect(reader.interfaces.count == 1)
      #expect(reader.interfaces.first?.name == "if")
      #expect(reader.interfaces.first?.linkType == .rawIP)
      #expect(reader.interfaces.first?.snapLength == 0x1234)
      #expect(reader.interfaces.first?.speed == 5_000_000_000)
      #expect(packet.bytes == [1, 2, 3, 4, 5])
      #expect(packet.timestamp == 0x0102_0304_0506_0708)
      #expect(packet.originalByteCount == 0x0a0b)
      #expect(packet.options.flags?.direction == .inbound)
      #expect(packet.options.flags?.isChecksumVerified == true)
      #expect(packet.options.flags?.isCheckSequenceWrong == true)
      #expect(packet.options.flags?.isSegmentationOffloaded == false)
      #expect(packet.options.dropCount == 1 << 33)
      #expect(packet.options.queue == 7)
      #expect(packet.options.packetID == nil)
    }
    #expect(try reader.next() == nil)
  }

  @Test(
    "Times are read in the interface's unit and come in nanoseconds",
    arguments: [
      (nil, 1_000_001, 1_000_001_000), (0, 3, 3_000_000_000), (3, 1234, 1_234_000_000), (6, 7, 7000), (9, 7, 7),
      (12, 7999, 7), (127, .max, 0), (0x80, 2, 2_000_000_000), (0x81, 3, 1_500_000_000), (0x8a, 1024, 1_000_000_000),
      (0xa0, 1 << 31, 500_000_000), (0xc0, 1 << 63, 500_000_000), (0xc1, 1 << 63, 250_000_000), (0xff, .max, 0),
    ] as [(UInt8?, UInt64, UInt64)])
  func resolution(byte: UInt8?, ticks: UInt64, nanoseconds: UInt64) throws {
    var file = FileBuilder()
    file.section()
    file.interface(options: byte.map { file.option(9, [$0]) } ?? [])
    file.packet([1], ticks: ticks)
    #expect(try packets(file.bytes).map(\.timestamp) == [nanoseconds])
  }

  @Test(
    "A time that does not fit is refused",
    arguments: [(0, .max), (6, .max), (0x80, .max), (0x81, .max)] as [(UInt8, UInt64)])
  func timeTooLarge(byte: UInt8, ticks: UInt64) {
    var file = FileBuilder()
    file.section()
    file.interface(options: file.option(9, [byte]))
    file.packet([1], ticks: ticks)
    #expect(throws: WireError.malformed(field: "Timestamp")) { try packets(file.bytes) }
  }

  @Test("The offset of an interface's times is added")
  func offset() throws {
    var file = FileBuilder()
    file.section()
    file.interface(options: file.option(14, file.u64(100)))
    file.interface(options: file.option(14, file.u64(UInt64(bitPattern: -1))))
    file.packet([1], ticks: 5)
    file.packet([1], interface: 1, ticks: 1_000_001)
    #expect(try packets(file.bytes).map(\.timestamp) == [100_000_005_000, 1000])
    file.packet([1], interface: 1, ticks: 0)
    #expect(throws: WireError.malformed(field: "Timestamp")) { try packets(file.bytes) }
  }

  @Test("Unknown blocks and options are skipped")
  func unknown() throws {
    var file = FileBuilder()
    file.section(options: file.option(0x1234, [1, 2, 3]))
    file.block(0x0000_0bad, file.u32(1) + file.u32(2))
    file.interface(options: file.option(11, [0, 1, 2, 3, 4]) + file.option(2, Array("x".utf8)))
    file.block(5, file.u32(0) + file.u64(0))
    file.packet([9], options: file.option(3, [2, 1, 1, 1, 1]) + file.option(1, Array("hello".utf8)))
    file.block(0x8000_0001, [])
    var reader = try PcapngReader(file.bytes)
    let packet = try #require(try reader.next())
    #expect(packet.bytes == [9])
    #expect(packet.options.comments == ["hello"])
    #expect(reader.interfaces.first?.name == "x")
    #expect(try reader.next() == nil)
  }

  @Test("What follows the end of the options is not read as an option")
  func endOfOptions() throws {
    var file = FileBuilder()
    file.section()
    file.interface()
    file.packet([9], options: file.option(0, []) + file.option(1, Array("no".utf8)))
    #expect(try packets(file.bytes).map(\.options.comments) == [[]])
  }

  @Test("A simple packet is the first interface's, as long as that one keeps, with no time")
  func simplePacket() throws {
    var file = FileBuilder()
    file.section()
    file.interface(snapLength: 6)
    file.block(3, file.u32(3) + [1, 2, 3, 0])
    file.block(3, file.u32(100) + [1, 2, 3, 4, 5, 6, 0, 0])
    let read = try packets(file.bytes)
    #expect(read.map(\.bytes) == [[1, 2, 3], [1, 2, 3, 4, 5, 6]])
    #expect(read.map(\.originalByteCount) == [3, 100])
    #expect(read.map(\.timestamp) == [nil, nil])
    #expect(read.map(\.interface) == [0, 0])
  }

  @Test("A new section begins without interfaces")
  func sections() throws {
    var file = FileBuilder()
    file.section()
    file.interface()
    file.packet([1])
    file.section()
    file.packet([2])
    var reader = try PcapngReader(file.bytes)
    #expect(try reader.next()?.bytes == [1])
    #expect(throws: WireError.malformed(field: "Interface ID")) { try reader.next() }
    #expect(throws: WireError.malformed(field: "Interface ID")) { try reader.next() }
  }

  /// A file with a section and an interface, and what `change` makes of it.
  private func file(_ change: (inout FileBuilder) -> Void) -> [UInt8] {
    var file = FileBuilder()
    file.section()
    file.interface(snapLength: 10)
    change(&file)
    return file.bytes
  }

  @Test("A file that does not begin with a section is refused")
  func refusesOtherFiles() {
    #expect(throws: WireError.truncated) { try PcapngReader([]) }
    #expect(throws: WireError.malformed(field: "Block Total Length")) {
      try PcapngReader([UInt8](repeating: 0, count: 64))
    }
    var file = FileBuilder()
    file.interface()
    #expect(throws: WireError.malformed(field: "Block Type")) { try PcapngReader(file.bytes) }
    var second = FileBuilder()
    second.section(major: 2)
    #expect(throws: WireError.malformed(field: "Major Version")) { try PcapngReader(second.bytes) }
    var magic = FileBuilder()
    magic.section()
    magic.bytes[8] = 0
    #expect(throws: WireError.malformed(field: "Byte-Order Magic")) { try PcapngReader(magic.bytes) }
  }

  @Test("A block whose lengths are too small, uneven, unequal or too large is refused")
  func refusesBlockLengths() {
    let unequal = file { $0.bytes += $0.u32(99) + $0.u32(12) + $0.u32(16) }
    let small = file { $0.bytes += $0.u32(99) + $0.u32(8) + $0.u32(8) }
    let uneven = file { $0.bytes += $0.u32(99) + $0.u32(13) + $0.u32(13) + $0.u32(13) }
    for bytes in [unequal, small, uneven] {
      #expect(throws: WireError.malformed(field: "Block Total Length")) { try packets(bytes) }
    }
    let large = file { $0.bytes += $0.u32(99) + $0.u32(0xffff_fffc) + $0.u32(12) }
    #expect(throws: WireError.truncated) { try packets(large) }
  }

  @Test("A packet longer than its block, or of no interface, is refused")
  func refusesPackets() {
    let long = file { $0.block(6, $0.u32(0) + $0.u64(0) + $0.u32(5) + $0.u32(5) + [1, 2, 3, 4]) }
    #expect(throws: WireError.malformed(field: "Captured Packet Length")) { try packets(long) }
    let huge = file { $0.block(6, $0.u32(0) + $0.u64(0) + $0.u32(.max) + $0.u32(5) + [1, 2, 3, 4]) }
    #expect(throws: WireError.malformed(field: "Captured Packet Length")) { try packets(huge) }
    #expect(throws: WireError.malformed(field: "Interface ID")) { try packets(file { $0.packet([1], interface: 1) }) }
    let simple = file { $0.block(3, $0.u32(9) + [1, 2, 3, 4, 5, 6, 7, 8]) }
    #expect(throws: WireError.malformed(field: "Original Packet Length")) { try packets(simple) }
    let cut = file { $0.block(6, $0.u32(0) + $0.u64(0)) }
    #expect(throws: WireError.malformed(field: "length of a block or option")) { try packets(cut) }
  }

  @Test("An option longer than its block, or shorter than its value, is refused")
  func refusesOptions() {
    let long = file { $0.packet([1], options: $0.u16(1) + $0.u16(5) + [1, 2, 3, 4]) }
    #expect(throws: WireError.malformed(field: "Option Length")) { try packets(long) }
    let flags = file { $0.packet([1], options: $0.option(2, [1, 0])) }
    #expect(throws: WireError.malformed(field: "length of a block or option")) { try packets(flags) }
    let mac = file { $0.interface(options: $0.option(6, [1, 2, 3, 4, 5])) }
    #expect(throws: WireError.malformed(field: "length of a block or option")) { try packets(mac) }
  }
}
