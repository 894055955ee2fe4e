/// A packet as a capture file has it.
public struct PcapngPacket: Hashable, Sendable {
  /// The number of its interface among ``PcapngReader/interfaces``.
  public var interface: Int
  /// Nanoseconds since the beginning of 1970, UTC; nil where the file does not say (simple packet blocks).
  public var timestamp: UInt64?
  /// What was captured, from the first byte of the link's header.
  public var bytes: [UInt8]
  /// The size of the packet on the wire.
  public var originalByteCount: Int
  public var options: PcapngPacketOptions

  public init(
    interface: Int, timestamp: UInt64?, bytes: [UInt8], originalByteCount: Int,
    options: PcapngPacketOptions = PcapngPacketOptions()
  ) {
    self.interface = interface
    self.timestamp = timestamp
    self.bytes = bytes
    self.originalByteCount = originalByteCount
    self.options = options
  }
}

/// Reads a pcapng capture file (draft-ietf-opsawg-pcapng) of either byte order, packet by packet. Blocks and options
/// that it does not know it skips.
public struct PcapngReader: Sendable {
  private let bytes: [UInt8]
  private var position = 0
  private var isBigEndian = false

  /// The section that the last packet stood in.
  public private(set) var section = PcapngSection()
  /// The interfaces that this section has described so far.
  public private(set) var interfaces: [PcapngInterface] = []

  /// Reads the header of the first section.
  ///
  /// - Throws: ``WireError/truncated`` if the bytes end before it does, ``WireError/malformed(field:)`` if they do not
  ///   begin with one.
  public init(_ bytes: [UInt8]) throws(WireError) {
    self.bytes = bytes
    var block = try readBlock()
    guard block.type == PcapngFormat.Block.sectionHeader else { throw .malformed(field: "Block Type") }
    try readSection(&block.body)
    position = block.end
  }

  /// As ``init(_:)-([UInt8])``, with a copy of `bytes`.
  public init(copying bytes: RawSpan) throws(WireError) {
    // The bytes are copied while the span is borrowed; the pointer does not leave the closure.
    try self.init(unsafe bytes.withUnsafeBytes { unsafe Array($0) })
  }

  /// The next packet, nil after the last one.
  ///
  /// - Throws: ``WireError/truncated`` if the bytes end within a block, ``WireError/malformed(field:)`` if a field
  ///   contradicts the format. The reader stays in front of that block.
  public mutating func next() throws(WireError) -> PcapngPacket? {
    while position < bytes.count {
      var block = try readBlock()
      var packet: PcapngPacket?
      switch block.type {
      case PcapngFormat.Block.sectionHeader: try readSection(&block.body)
      case PcapngFormat.Block.interfaceDescription: interfaces.append(try Self.interface(&block.body))
      case PcapngFormat.Block.enhancedPacket: packet = try enhancedPacket(&block.body)
      case PcapngFormat.Block.simplePacket: packet = try simplePacket(&block.body)
      default: break
      }
      position = block.end
      if let packet { return packet }
    }
    return nil
  }
}

extension PcapngReader {
  private struct Block {
    var type: UInt32
    var body: PcapngFields
    var end: Int
  }

  /// The block at ``position``, its frame checked.
  private mutating func readBlock() throws(WireError) -> Block {
    guard bytes.count - position >= PcapngFormat.smallestBlock else { throw .truncated }
    var fields = PcapngFields(bytes, position..<bytes.count, isBigEndian: isBigEndian)
    // Either byte order has the same type for a section header; what follows tells the order from there on.
    if try fields.read(UInt32.self) == PcapngFormat.Block.sectionHeader {
      var magic = PcapngFields(bytes, position + 8..<bytes.count, isBigEndian: true)
      switch try magic.read(UInt32.self) {
      case PcapngFormat.byteOrderMagic: isBigEndian = true
      case PcapngFormat.byteOrderMagic.byteSwapped: isBigEndian = false
      default: throw .malformed(field: "Byte-Order Magic")
      }
    }
    fields = PcapngFields(bytes, position..<bytes.count, isBigEndian: isBigEndian)
    let type = try fields.read(UInt32.self)
    let length = Int(try fields.read(UInt32.self))
    guard length >= PcapngFormat.smallestBlock, length % 4 == 0 else {
      throw .malformed(field: "Block Total Length")
    }
    guard length <= bytes.count - position else { throw .truncated }
    let end = position + length
    var trailer = PcapngFields(bytes, end - 4..<end, isBigEndian: isBigEndian)
    guard Int(try trailer.read(UInt32.self)) == length else { throw .malformed(field: "Block Total Length") }
    let body = PcapngFields(bytes, position + 8..<end - 4, isBigEndian: isBigEndian)
    return Block(type: type, body: body, end: end)
  }

  private mutating func readSection(_ body: inout PcapngFields) throws(WireError) {
    _ = try body.read(UInt32.self)
    guard try body.read(UInt16.self) == PcapngFormat.majorVersion else { throw .malformed(field: "Major Version") }
    _ = try body.read(UInt16.self)
    _ = try body.read(UInt64.self)
    var section = PcapngSection()
    while var option = try body.readOption() {
      switch option.code {
      case PcapngFormat.Option.comment: section.comments.append(option.value.readText())
      case PcapngFormat.Option.sectionHardware: section.hardware = option.value.readText()
      case PcapngFormat.Option.sectionOS: section.operatingSystem = option.value.readText()
      case PcapngFormat.Option.sectionApplication: section.application = option.value.readText()
      default: break
      }
    }
    self.section = section
    interfaces = []
  }

  private static func interface(_ body: inout PcapngFields) throws(WireError) -> PcapngInterface {
    let linkType = CaptureLinkType(rawValue: try body.read(UInt16.self))
    _ = try body.read(UInt16.self)
    var interface = PcapngInterface(linkType: linkType, snapLength: try body.read(UInt32.self))
    interface.timestampResolution = .microseconds
    while var option = try body.readOption() {
      switch option.code {
      case PcapngFormat.Option.comment: interface.comments.append(option.value.readText())
      case PcapngFormat.Option.interfaceName: interface.name = option.value.readText()
      case PcapngFormat.Option.interfaceDescription: interface.description = option.value.readText()
      case PcapngFormat.Option.interfaceMACAddress: interface.macAddress = try option.value.readMACAddress()
      case PcapngFormat.Option.interfaceSpeed: interface.speed = try option.value.read()
      case PcapngFormat.Option.interfaceTimestampResolution:
        interface.timestampResolution = PcapngTimestampResolution(byte: try option.value.read())
      case PcapngFormat.Option.interfaceTimestampOffset:
        interface.timestampOffset = Int64(bitPattern: try option.value.read())
      default: break
      }
    }
    return interface
  }

  private func enhancedPacket(_ body: inout PcapngFields) throws(WireError) -> PcapngPacket {
    let number = Int(try body.read(UInt32.self))
    guard interfaces.indices.contains(number) else { throw .malformed(field: "Interface ID") }
    let high = UInt64(try body.read(UInt32.self))
    let low = UInt64(try body.read(UInt32.self))
    let timestamp = try Self.nanoseconds(high << 32 | low, on: interfaces[number])
    let captured = Int(try body.read(UInt32.self))
    let original = Int(try body.read(UInt32.self))
    guard let data = body.readBytes(captured) else { throw .malformed(field: "Captured Packet Length") }
    var options = PcapngPacketOptions()
    while var option = try body.readOption() {
      switch option.code {
      case PcapngFormat.Option.comment: options.comments.append(option.value.readText())
      case PcapngFormat.Option.packetFlags: options.flags = PcapngPacketFlags(rawValue: try option.value.read())
      case PcapngFormat.Option.packetDropCount: options.dropCount = try option.value.read()
      case PcapngFormat.Option.packetID: options.packetID = try option.value.read()
      case PcapngFormat.Option.packetQueue: options.queue = try option.value.read()
      default: break
      }
    }
    return PcapngPacket(
      interface: number, timestamp: timestamp, bytes: data, originalByteCount: original, options: options)
  }

  /// A simple packet is the first interface's; how much of it was kept follows from the snap length (section 4.4).
  private func simplePacket(_ body: inout PcapngFields) throws(WireError) -> PcapngPacket {
    guard let interface = interfaces.first else { throw .malformed(field: "Interface ID") }
    let original = Int(try body.read(UInt32.self))
    let captured = interface.snapLength == 0 ? original : min(original, Int(interface.snapLength))
    guard let data = body.readBytes(captured) else { throw .malformed(field: "Original Packet Length") }
    return PcapngPacket(
      interface: 0, timestamp: nil, bytes: data, originalByteCount: original)
  }

  private static func nanoseconds(_ ticks: UInt64, on interface: PcapngInterface) throws(WireError) -> UInt64 {
    let offset = interface.timestampOffset.magnitude.multipliedReportingOverflow(by: 1_000_000_000)
    guard let elapsed = interface.timestampResolution.nanoseconds(ticks), !offset.overflow else {
      throw .malformed(field: "Timestamp")
    }
    let sum =
      interface.timestampOffset < 0
      ? elapsed.subtractingReportingOverflow(offset.partialValue)
      : elapsed.addingReportingOverflow(offset.partialValue)
    guard !sum.overflow else { throw .malformed(field: "Timestamp") }
    return sum.partialValue
  }
}

/// Reads fields one after another, in the byte order of the section, and never beyond a block or an option.
private struct PcapngFields {
  private let bytes: [UInt8]
  private var position: Int
  private let end: Int
  private let isBigEndian: Bool

  init(_ bytes: [UInt8], _ range: Range<Int>, isBigEndian: Bool) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
    self.isBigEndian = isBigEndian
  }

  mutating func read<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self) throws(WireError) -> T {
    let size = T.bitWidth / 8
    guard end - position >= size else { throw .malformed(field: "length of a block or option") }
    // A byte has no padding, which is what makes a span's raw bytes unsafe to see.
    let value: T = unsafe bytes.span.bytes.bigEndian(at: position)
    position += size
    return isBigEndian ? value : value.byteSwapped
  }

  mutating func readMACAddress() throws(WireError) -> MACAddress {
    guard end - position >= MACAddress.byteCount else { throw .malformed(field: "length of a block or option") }
    // Safe as in `read`.
    let address = unsafe MACAddress(reading: bytes.span.bytes, at: position)
    position += MACAddress.byteCount
    return address
  }

  /// What is left, as UTF-8.
  mutating func readText() -> String {
    let text = String(decoding: bytes[position..<end], as: UTF8.self)
    position = end
    return text
  }

  /// `count` bytes and the padding behind them.
  mutating func readBytes(_ count: Int) -> [UInt8]? {
    guard PcapngFormat.padded(count) <= end - position else { return nil }
    let start = position
    position += PcapngFormat.padded(count)
    return Array(bytes[start..<start + count])
  }

  /// The next option; nil at the end of the options, which need not be marked.
  mutating func readOption() throws(WireError) -> (code: UInt16, value: PcapngFields)? {
    guard position < end else { return nil }
    let code = try read(UInt16.self)
    let length = Int(try read(UInt16.self))
    guard code != PcapngFormat.Option.end else { return nil }
    guard PcapngFormat.padded(length) <= end - position else { throw .malformed(field: "Option Length") }
    let value = PcapngFields(bytes, position..<position + length, isBigEndian: isBigEndian)
    position += PcapngFormat.padded(length)
    return (code, value)
  }
}
