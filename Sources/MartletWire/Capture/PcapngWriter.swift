/// Makes a pcapng capture file of one section (draft-ietf-opsawg-pcapng), little-endian, times in nanoseconds.
///
/// The bytes gather in ``bytes`` until the caller takes them with ``drain()``; all that were taken, one after another,
/// are the file, and it is a whole file after each call.
public struct PcapngWriter: Sendable {
  /// What has been written and not been taken yet.
  public private(set) var bytes: [UInt8] = []
  /// The greatest number of bytes kept of a packet, interface by interface.
  private var snapLengths: [Int] = []

  /// Begins the file with the header of its section.
  public init(section: PcapngSection = PcapngSection()) {
    let block = begin(PcapngFormat.Block.sectionHeader)
    append(PcapngFormat.byteOrderMagic)
    append(PcapngFormat.majorVersion)
    append(UInt16(0))
    append(PcapngFormat.unknownSectionLength)
    let options = bytes.count
    for comment in section.comments { append(option: PcapngFormat.Option.comment, comment) }
    append(option: PcapngFormat.Option.sectionHardware, section.hardware)
    append(option: PcapngFormat.Option.sectionOS, section.operatingSystem)
    append(option: PcapngFormat.Option.sectionApplication, section.application)
    end(block, optionsFrom: options)
  }

  /// How many interfaces have been described.
  public var interfaceCount: Int { snapLengths.count }

  /// Takes what has been written since the last call.
  public mutating func drain() -> [UInt8] {
    var taken: [UInt8] = []
    swap(&taken, &bytes)
    return taken
  }

  /// Describes an interface; the result is the number that its packets are written with, counted from 0.
  public mutating func add(_ interface: PcapngInterface) -> Int {
    let block = begin(PcapngFormat.Block.interfaceDescription)
    append(interface.linkType.rawValue)
    append(UInt16(0))
    append(interface.snapLength)
    let options = bytes.count
    for comment in interface.comments { append(option: PcapngFormat.Option.comment, comment) }
    append(option: PcapngFormat.Option.interfaceName, interface.name)
    append(option: PcapngFormat.Option.interfaceDescription, interface.description)
    if let mac = interface.macAddress {
      append(optionHeader: PcapngFormat.Option.interfaceMACAddress, count: MACAddress.byteCount)
      for shift in stride(from: 40, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: mac.value >> UInt64(shift)))
      }
      pad(MACAddress.byteCount)
    }
    append(option: PcapngFormat.Option.interfaceSpeed, interface.speed)
    append(
      option: PcapngFormat.Option.interfaceTimestampResolution, PcapngTimestampResolution.nanoseconds.byte)
    end(block, optionsFrom: options)
    snapLengths.append(interface.snapLength == 0 ? .max : Int(interface.snapLength))
    return snapLengths.count - 1
  }

  /// Writes a packet that lies in one piece.
  ///
  /// - Parameters:
  ///   - interface: What ``add(_:)`` returned; another number is the caller's bug and traps.
  ///   - nanoseconds: Since the beginning of 1970, UTC.
  ///   - originalByteCount: The size of the packet on the wire, if `packet` is not all of it.
  public mutating func write(
    _ packet: RawSpan, interface: Int, at nanoseconds: UInt64, originalByteCount: Int? = nil,
    options: PcapngPacketOptions = PcapngPacketOptions()
  ) {
    var open = beginPacket(interface: interface, at: nanoseconds)
    append(packet, to: &open)
    endPacket(open, originalByteCount: originalByteCount, options: options)
  }

  /// A packet whose bytes are being written, piece by piece.
  public struct OpenPacket: Sendable {
    fileprivate let block: Int
    fileprivate var room: Int
    fileprivate var byteCount = 0
  }

  /// Begins a packet that lies in several pieces; nothing else may be written before its
  /// ``endPacket(_:originalByteCount:options:)``.
  ///
  /// - Parameters: As for ``write(_:interface:at:originalByteCount:options:)``.
  public mutating func beginPacket(interface: Int, at nanoseconds: UInt64) -> OpenPacket {
    precondition(snapLengths.indices.contains(interface), "a packet of an interface that the capture does not have")
    let block = begin(PcapngFormat.Block.enhancedPacket)
    append(UInt32(interface))
    append(UInt32(truncatingIfNeeded: nanoseconds >> 32))
    append(UInt32(truncatingIfNeeded: nanoseconds))
    append(UInt64(0))
    return OpenPacket(block: block, room: snapLengths[interface])
  }

  /// Writes the next piece of a packet; what is beyond the interface's ``PcapngInterface/snapLength`` is left out.
  public mutating func append(_ piece: RawSpan, to packet: inout OpenPacket) {
    let count = min(piece.byteCount, packet.room)
    // The bytes are copied while the span is borrowed; the pointer does not leave the closure.
    unsafe piece.extracting(first: count).withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    packet.room -= count
    packet.byteCount += piece.byteCount
  }

  /// Ends a packet.
  ///
  /// - Parameter originalByteCount: The size of the packet on the wire, if the pieces are not all of it.
  public mutating func endPacket(
    _ packet: OpenPacket, originalByteCount: Int? = nil, options: PcapngPacketOptions = PcapngPacketOptions()
  ) {
    let lengths = packet.block + 20
    let captured = bytes.count - packet.block - 28
    put(UInt32(captured), at: lengths)
    put(UInt32(clamping: max(captured, originalByteCount ?? packet.byteCount)), at: lengths + 4)
    pad(captured)
    let start = bytes.count
    for comment in options.comments { append(option: PcapngFormat.Option.comment, comment) }
    append(option: PcapngFormat.Option.packetFlags, options.flags?.rawValue)
    append(option: PcapngFormat.Option.packetDropCount, options.dropCount)
    append(option: PcapngFormat.Option.packetID, options.packetID)
    append(option: PcapngFormat.Option.packetQueue, options.queue)
    end(packet.block, optionsFrom: start)
  }
}

extension PcapngWriter {
  /// Begins a block; the result is where it begins. Its length stays open until ``end(_:optionsFrom:)``.
  private mutating func begin(_ type: UInt32) -> Int {
    let start = bytes.count
    append(type)
    append(UInt32(0))
    return start
  }

  private mutating func end(_ block: Int, optionsFrom options: Int) {
    if bytes.count > options { append(optionHeader: PcapngFormat.Option.end, count: 0) }
    let length = UInt32(bytes.count - block + 4)
    put(length, at: block + 4)
    append(length)
  }

  private mutating func append<T: FixedWidthInteger>(_ value: T) {
    for shift in stride(from: 0, to: T.bitWidth, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> T(shift))) }
  }

  private mutating func put(_ value: UInt32, at offset: Int) {
    for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(index * 8)) }
  }

  private mutating func pad(_ count: Int) {
    for _ in count..<PcapngFormat.padded(count) { bytes.append(0) }
  }

  private mutating func append(optionHeader code: UInt16, count: Int) {
    append(code)
    append(UInt16(count))
  }

  private mutating func append<T: FixedWidthInteger>(option code: UInt16, _ value: T?) {
    guard let value else { return }
    append(optionHeader: code, count: T.bitWidth / 8)
    append(value)
    pad(T.bitWidth / 8)
  }

  /// Text is cut, between two characters, to what the length of an option can count.
  private mutating func append(option code: UInt16, _ text: String?) {
    guard let text else { return }
    var utf8 = Array(text.utf8.prefix(Int(UInt16.max) + 1))
    if utf8.count > Int(UInt16.max) {
      while let last = utf8.popLast(), last & 0xc0 == 0x80 {}
    }
    append(optionHeader: code, count: utf8.count)
    bytes.append(contentsOf: utf8)
    pad(utf8.count)
  }
}
