public import MartletCore
public import MartletWire

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Writes the frames of one or several links into one pcapng capture.
///
/// What a device was to finish is finished in the capture: unfilled checksums are filled in and super-segments split, in copies,
/// so that a dissector finds what a cable would have carried.
public final class CaptureRecorder {
  /// Where recorded bytes go.
  private enum Sink {
    case closure(([UInt8]) -> Void)
    case file(CInt)
  }

  /// Midnight UTC of 1 January 2026, in nanoseconds since 1970: when virtual time begins unless told otherwise.
  public static let virtualEpoch: UInt64 = 1_767_225_600_000_000_000

  /// How much gathers before it is written, in bytes.
  private static let writeThreshold = 1 << 16

  private let sink: Sink
  private let epoch: UInt64
  private let pool: PacketPool
  private var writer: PcapngWriter
  /// The error number of the first write to the file that failed, 0 if none did; nothing is written after it.
  public private(set) var writeError: CInt = 0
  /// Frames recorded, segments counted one by one.
  public private(set) var frames: UInt64 = 0

  /// Hands the capture to `sink`, piece by piece.
  ///
  /// - Parameters:
  ///   - epoch: ``Instant/zero`` in nanoseconds since 1970; see ``epoch(at:)`` for a loop on real time.
  ///   - pool: Where copies come from.
  public init(
    epoch: UInt64 = virtualEpoch, pool: borrowing PacketPool,
    section: PcapngSection = PcapngSection(application: "Martlet"),
    sink: @escaping ([UInt8]) -> Void
  ) {
    self.sink = .closure(sink)
    self.epoch = epoch
    self.pool = pool.share()
    writer = PcapngWriter(section: section)
  }

  /// Writes the capture to the file at `path`, which is replaced.
  public init(
    path: String, epoch: UInt64 = virtualEpoch, pool: borrowing PacketPool,
    section: PcapngSection = PcapngSection(application: "Martlet")
  ) throws(LinkError) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system(operation: "create", device: path, errno: errno) }
    sink = .file(descriptor)
    self.epoch = epoch
    self.pool = pool.share()
    writer = PcapngWriter(section: section)
  }

  deinit {
    flush()
    if case .file(let descriptor) = sink { close(descriptor) }
  }

  /// The epoch of a loop on real time whose clock shows `now`.
  public static func epoch(at now: Instant) -> UInt64 {
    wallClockNanoseconds() &- UInt64(clamping: now.nanoseconds)
  }

  /// Describes an interface; the result is the number its frames are recorded with.
  public func addInterface(_ interface: PcapngInterface) -> Int { writer.add(interface) }

  /// Records `packet`, an Ethernet frame.
  public func record(
    _ packet: borrowing Packet, interface: Int, direction: PcapngPacketFlags.Direction, at now: Instant,
    comment: String? = nil
  ) {
    var options = PcapngPacketOptions(flags: PcapngPacketFlags(direction))
    if let comment { options.comments = [comment] }
    let metadata = packet.metadata
    if metadata.segmentSize > 0, recordSegments(of: packet, interface: interface, at: now, options: options) {
      // Recorded piece by piece.
    } else if metadata.segmentSize == 0, metadata.checksum == .partial, var copy = packet.duplicate(from: pool),
      Segmentation.completeChecksum(&copy)
    {
      write(copy, interface: interface, at: now, options: options)
    } else {
      options.flags?.isSegmentationOffloaded = metadata.segmentSize > 0
      options.flags?.isChecksumNotReady = metadata.checksum == .partial
      write(packet, interface: interface, at: now, options: options)
    }
    if writer.bytes.count >= Self.writeThreshold { flush() }
  }

  private func recordSegments(
    of packet: borrowing Packet, interface: Int, at now: Instant, options: PcapngPacketOptions
  ) -> Bool {
    let header = EthernetFrame.headerByteCount(of: packet.bytes)
    var segments = PacketQueue()
    guard let copy = packet.duplicate(from: pool),
      Segmentation.segment(copy, linkHeaderByteCount: header, pool: pool, into: &segments) == nil
    else { return false }
    while let segment = segments.popFirst() { write(segment, interface: interface, at: now, options: options) }
    return true
  }

  private func write(_ packet: borrowing Packet, interface: Int, at now: Instant, options: PcapngPacketOptions) {
    frames += 1
    var open = writer.beginPacket(interface: interface, at: epoch &+ UInt64(clamping: now.nanoseconds))
    writer.append(packet.bytes, to: &open)
    for index in 0..<packet.sliceCount { writer.append(packet.slice(at: index), to: &open) }
    writer.endPacket(open, options: options)
  }

  /// Hands on what has gathered.
  public func flush() {
    let bytes = writer.drain()
    guard !bytes.isEmpty else { return }
    switch sink {
    case .closure(let body): body(bytes)
    case .file(let descriptor): if writeError == 0 { writeError = Self.write(bytes, to: descriptor) }
    }
  }

  /// Writes all of `bytes`; returns 0 or an error number.
  private static func write(_ bytes: [UInt8], to descriptor: CInt) -> CInt {
    unsafe bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count, let base = buffer.baseAddress {
        #if canImport(Darwin)
          let written = unsafe Darwin.write(descriptor, base + done, buffer.count - done)
        #elseif canImport(Musl)
          let written = unsafe Musl.write(descriptor, base + done, buffer.count - done)
        #else
          let written = unsafe Glibc.write(descriptor, base + done, buffer.count - done)
        #endif
        if written < 0 && errno == EINTR { continue }
        if written < 0 { return errno }
        done += written
      }
      return 0
    }
  }
}
