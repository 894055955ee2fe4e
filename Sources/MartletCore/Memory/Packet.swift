/// What lies in front of a packet's bytes in its block.
@usableFromInline
@unsafe
struct PacketBlock {
  @usableFromInline let pool: UnsafeMutablePointer<PacketPool.Storage>
  /// The next block in a free list or a ``PacketQueue``.
  @usableFromInline var next: UnsafeMutablePointer<PacketBlock>?
  /// Where the linear part begins, in bytes from the block's data.
  @usableFromInline var start: UInt16 = 0
  /// The size of the linear part.
  @usableFromInline var linearCount: UInt16 = 0
  /// All bytes in slices.
  @usableFromInline var sliceByteCount: UInt32 = 0
  @usableFromInline var metadata = Packet.Metadata()
  @usableFromInline var sliceCount: UInt8 = 0
  /// While the packet waits in a datagram socket: the size of the headers that still stand in front of the payload; 0 if a
  /// record stands there that says what they did. Undefined otherwise.
  var headerByteCount: UInt8 = 0

  @usableFromInline init(pool: UnsafeMutablePointer<PacketPool.Storage>) {
    unsafe self.pool = pool
    unsafe next = nil
  }

  @unsafe @usableFromInline struct StoredSlice {
    @usableFromInline let region: UnsafeMutablePointer<Region.Header>
    @usableFromInline var offset: UInt32
    @usableFromInline var count: UInt32
    @usableFromInline init(region: UnsafeMutablePointer<Region.Header>, offset: UInt32, count: UInt32) {
      unsafe self.region = region
      unsafe self.offset = offset
      unsafe self.count = count
    }
  }

  /// Where the slices stand, in bytes from the block's beginning.
  @usableFromInline static let slicesOffset = 112
  @usableFromInline static let maximumSlices = 18
  /// Where the linear part's memory begins.
  @usableFromInline static let dataOffset = 448
  @usableFromInline static let dataByteCount = 2_048
  @usableFromInline static let byteCount = dataOffset + dataByteCount
}

/// A packet: one block of a ``PacketPool``, given back when the packet goes out of existence.
///
/// Its bytes are a *linear part* with room in front, where headers are put and taken by moving an offset, then *slices* of
/// shared regions with payload that nobody copies. A packet may be larger than a link's MTU; ``Metadata-swift.struct/segmentSize``
/// says into what pieces it is to be split as late as possible.
@frozen @safe
public struct Packet: ~Copyable {
  /// Room in front of a fresh packet, in bytes: every header down to the link, and a tunnel's.
  public static let headroom = 192
  /// The bytes of a block, headroom included.
  public static let blockByteCount = unsafe PacketBlock.dataByteCount
  /// The most slices a packet can carry.
  public static let maximumSlices = unsafe PacketBlock.maximumSlices

  @usableFromInline let block: UnsafeMutablePointer<PacketBlock>

  /// What is known of a packet beside its bytes.
  public struct Metadata: BitwiseCopyable, Sendable {
    /// What is known of the transport checksum.
    public var checksum = ChecksumState.unknown
    /// Whether the transport wants routers to mark the packet rather than drop it: ECT(0) (RFC 3168 section 5).
    public var isECNCapable = false
    /// Where the sum of ``ChecksumState/partial`` begins (the transport header), in bytes from the packet's first byte;
    /// kept right when headers are put in front or taken away.
    public var checksumStart: UInt16 = 0
    /// Where in the transport header the checksum goes, in bytes (6 for UDP, 16 for TCP, 2 for ICMPv6).
    public var checksumOffset: UInt16 = 0
    /// The payload bytes of each piece this packet stands for, 0 if it is to be sent as it is.
    public var segmentSize: UInt16 = 0
    /// How the link delivered the frame.
    public var delivery = Delivery.unicast
    /// The interface the packet came in by.
    public var interface = InterfaceID.loopback
    /// Why the packet was dropped, if it was.
    public var dropReason: Drop.Reason? = nil
    /// When the packet reached the host, or was made.
    public var time = Instant.zero
    /// What a link may write here to know the packet again when a host or switch passes it on; 0 for a new packet.
    public var tag: UInt32 = 0

    @inlinable public init() {}
  }

  /// What is known of the transport checksum.
  public enum ChecksumState: UInt8, BitwiseCopyable, Sendable {
    /// Not looked at: a received packet whose checksum is to be verified.
    case unknown
    /// The field has the pseudo-header's sum; the sum over the segment has to be filled in before a wire sees it.
    case partial
    /// Known to be right: verified by a device, or never left this machine.
    case verified
    /// Computed in full by the sender.
    case computed
  }

  /// To whom the link delivered a frame.
  public enum Delivery: UInt8, BitwiseCopyable, Sendable {
    case unicast, multicast, broadcast
    /// Another station's frame, seen on a shared medium.
    case other
  }

  @inlinable @inline(__always) init(block: UnsafeMutablePointer<PacketBlock>) {
    unsafe self.block = block
    unsafe block.pointee.start = UInt16(truncatingIfNeeded: Packet.headroom)
    unsafe block.pointee.linearCount = 0
    unsafe block.pointee.sliceCount = 0
    unsafe block.pointee.sliceByteCount = 0
    unsafe block.pointee.metadata = Metadata()
  }

  @inlinable deinit {
    if unsafe block.pointee.sliceCount != 0 { unsafe Packet.dropSlices(of: block) }
    let pool = unsafe block.pointee.pool
    unsafe pool.pointee.takeBack(block)
    unsafe PacketPool.Storage.giveUpIfUnused(pool)
  }

  @usableFromInline static func dropSlices(of block: UnsafeMutablePointer<PacketBlock>) {
    let slices = unsafe Packet.slices(of: block)
    for index in 0..<Int(unsafe block.pointee.sliceCount) { unsafe Region.drop(slices[index].region) }
    unsafe block.pointee.sliceCount = 0
    unsafe block.pointee.sliceByteCount = 0
  }

  @inlinable static func slices(
    of block: UnsafeMutablePointer<PacketBlock>
  ) -> UnsafeMutablePointer<PacketBlock.StoredSlice> {
    unsafe (UnsafeMutableRawPointer(block) + PacketBlock.slicesOffset).assumingMemoryBound(
      to: PacketBlock.StoredSlice.self)
  }

  @inlinable var slices: UnsafeMutablePointer<PacketBlock.StoredSlice> { unsafe Packet.slices(of: block) }

  @inlinable var data: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(block) + PacketBlock.dataOffset }

  /// What is known of the packet beside its bytes.
  @inlinable public var metadata: Metadata {
    // Addressors, so that one field is read or written without the rest.
    @inline(__always) unsafeAddress { unsafe UnsafePointer(Packet.metadata(of: block)) }
    @inline(__always) unsafeMutableAddress { unsafe Packet.metadata(of: block) }
  }

  @inlinable @inline(__always) static func metadata(
    of block: UnsafeMutablePointer<PacketBlock>
  ) -> UnsafeMutablePointer<Metadata> {
    unsafe withUnsafeMutablePointer(to: &block.pointee.metadata) { unsafe $0 }
  }

  /// All bytes: the linear part and the slices.
  @inlinable public var count: Int { unsafe Int(block.pointee.linearCount) &+ Int(block.pointee.sliceByteCount) }
  /// The bytes of the linear part.
  @inlinable public var linearCount: Int { unsafe Int(block.pointee.linearCount) }
  /// The room in front of the linear part.
  @inlinable public var frontRoom: Int { unsafe Int(block.pointee.start) }
  /// The room behind the linear part.
  @inlinable public var tailRoom: Int { unsafe PacketBlock.dataByteCount &- frontRoom &- linearCount }
  /// How many slices follow the linear part.
  @inlinable public var sliceCount: Int { unsafe Int(block.pointee.sliceCount) }

  /// The first byte of the linear part.
  @inlinable package var pointer: UnsafeMutableRawPointer { unsafe data + Int(block.pointee.start) }

  /// The linear part.
  @inlinable public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(pointer), byteCount: linearCount)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The linear part, to be written.
  @inlinable public var mutableBytes: MutableRawSpan {
    @_lifetime(&self)
    mutating get {
      let span = unsafe MutableRawSpan(_unsafeStart: pointer, byteCount: linearCount)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// The bytes of slice `index`.
  @_lifetime(borrow self)
  @inlinable public func slice(at index: Int) -> RawSpan {
    precondition(index >= 0 && index < sliceCount, "no such slice")
    let slice = unsafe slices[index]
    let span = unsafe RawSpan(
      _unsafeStart: UnsafeRawPointer(slice.region.pointee.bytes + Int(slice.offset)), byteCount: Int(slice.count))
    return unsafe _overrideLifetime(span, borrowing: self)
  }
}

// MARK: - Headers in front

extension Packet {
  /// Makes room for `count` bytes in front; their contents are undefined until written.
  @inlinable @inline(__always) public mutating func prepend(_ count: Int) {
    precondition(count >= 0 && count <= frontRoom, "no room in front of the packet")
    unsafe block.pointee.start &-= UInt16(truncatingIfNeeded: count)
    unsafe block.pointee.linearCount &+= UInt16(truncatingIfNeeded: count)
    unsafe block.pointee.metadata.checksumStart &+= UInt16(truncatingIfNeeded: count)
  }

  /// Takes `count` bytes away in front, of the linear part and, when that is used up, of the slices.
  @inlinable @inline(__always) public mutating func removeFirst(_ count: Int) {
    precondition(count >= 0 && count <= self.count, "more bytes than the packet has")
    let fromLinear = min(count, linearCount)
    unsafe block.pointee.start &+= UInt16(truncatingIfNeeded: fromLinear)
    unsafe block.pointee.linearCount &-= UInt16(truncatingIfNeeded: fromLinear)
    unsafe block.pointee.metadata.checksumStart &-= UInt16(truncatingIfNeeded: fromLinear)
    if fromLinear < count { removeFirstOfSlices(count - fromLinear) }
  }

  @usableFromInline mutating func removeFirstOfSlices(_ count: Int) {
    var left = UInt32(count)
    var gone = 0
    while left > 0 {
      if unsafe slices[gone].count > left {
        unsafe slices[gone].offset += left
        unsafe slices[gone].count -= left
        break
      }
      left -= unsafe slices[gone].count
      unsafe Region.drop(slices[gone].region)
      gone += 1
    }
    if gone > 0 {
      let kept = sliceCount - gone
      for index in 0..<kept { unsafe slices[index] = slices[index + gone] }
      unsafe block.pointee.sliceCount = UInt8(kept)
    }
    unsafe block.pointee.sliceByteCount -= UInt32(count)
  }

  /// Keeps the first `count` bytes.
  @inlinable public mutating func truncate(to count: Int) {
    precondition(count >= 0, "a negative size")
    guard count < self.count else { return }
    if sliceCount > 0 {
      truncateSlices(to: max(0, count - linearCount))
    }
    if count < linearCount { unsafe block.pointee.linearCount = UInt16(truncatingIfNeeded: count) }
  }

  @usableFromInline mutating func truncateSlices(to count: Int) {
    var kept = 0
    var left = UInt32(count)
    for index in 0..<sliceCount {
      if left == 0 {
        unsafe Region.drop(slices[index].region)
      } else {
        unsafe slices[index].count = min(slices[index].count, left)
        left -= unsafe slices[index].count
        kept += 1
      }
    }
    unsafe block.pointee.sliceCount = UInt8(kept)
    unsafe block.pointee.sliceByteCount = UInt32(count)
  }
}

// MARK: - Payload behind

extension Packet {
  /// Makes room for `count` more bytes at the end of the linear part; their contents are undefined until written.
  ///
  /// Only while the packet has no slices.
  @inlinable @inline(__always) public mutating func extend(_ count: Int) {
    precondition(sliceCount == 0, "bytes behind slices")
    precondition(count >= 0 && count <= tailRoom, "no room behind the packet")
    unsafe block.pointee.linearCount &+= UInt16(truncatingIfNeeded: count)
  }

  /// Copies `source` to the end of the linear part.
  @inlinable @inline(__always) public mutating func append(copying source: RawSpan) {
    let old = linearCount
    extend(source.byteCount)
    unsafe source.withUnsafeBytes { source in
      guard let base = source.baseAddress else { return }
      unsafe (pointer + old).copyMemory(from: base, byteCount: source.count)
    }
  }

  /// Puts `slice` behind everything, and says whether there was a place for it.
  ///
  /// A slice that goes on where the last one ended becomes one with it.
  @inlinable @discardableResult
  public mutating func append(_ slice: consuming Slice) -> Bool {
    let count = UInt32(truncatingIfNeeded: slice.count)
    if count == 0 { return true }
    let index = sliceCount
    if index > 0, unsafe slices[index - 1].region == slice.region.header,
      unsafe Int(slices[index - 1].offset) &+ Int(slices[index - 1].count) == slice.offset
    {
      unsafe slices[index - 1].count &+= count
      unsafe block.pointee.sliceByteCount &+= count
      return true
    }
    guard index < Packet.maximumSlices else { return false }
    let header = unsafe slice.region.header
    unsafe header.pointee.references &+= 1
    unsafe (slices + index).initialize(
      to: PacketBlock.StoredSlice(region: header, offset: UInt32(truncatingIfNeeded: slice.offset), count: count))
    unsafe block.pointee.sliceCount = UInt8(truncatingIfNeeded: index &+ 1)
    unsafe block.pointee.sliceByteCount &+= count
    return true
  }

  /// Moves bytes from the slices to the linear part until it has at least `count`, so that a header can be read in one piece.
  ///
  /// Returns whether it has as many now: not if the packet is shorter or the block too small.
  @inlinable @inline(__always) public mutating func makeLinear(_ count: Int) -> Bool {
    if linearCount >= count { return true }
    return pull(count)
  }

  @usableFromInline mutating func pull(_ count: Int) -> Bool {
    guard count <= self.count, count - linearCount <= tailRoom else { return false }
    let missing = count - linearCount
    unsafe copyBytes(from: linearCount, count: missing, to: pointer + linearCount)
    removeFirstOfSlices(missing)
    unsafe block.pointee.linearCount += UInt16(missing)
    return true
  }
}

// MARK: - Copies

extension Packet {
  /// Calls `body` with each run of memory that holds the `count` bytes from `offset`, in order.
  @inlinable package func forEachRun(
    from offset: Int, count: Int, _ body: (UnsafeRawPointer, Int) -> Void
  ) {
    precondition(offset >= 0 && count >= 0 && offset &+ count <= self.count, "past the end of the packet")
    var skip = offset
    var left = count
    if skip < linearCount {
      let run = min(left, linearCount - skip)
      if run > 0 { unsafe body(UnsafeRawPointer(pointer + skip), run) }
      left -= run
      skip = 0
    } else {
      skip -= linearCount
    }
    var index = 0
    while left > 0 {
      let slice = unsafe slices[index]
      let available = unsafe Int(slice.count)
      if skip >= available {
        skip -= available
      } else {
        let run = min(left, available - skip)
        unsafe body(UnsafeRawPointer(slice.region.pointee.bytes + Int(slice.offset) + skip), run)
        left -= run
        skip = 0
      }
      index += 1
    }
  }

  /// Copies the `count` bytes from `offset` to `destination`, wherever they lie.
  @inlinable package func copyBytes(from offset: Int, count: Int, to destination: UnsafeMutableRawPointer) {
    var target = unsafe destination
    unsafe forEachRun(from: offset, count: count) { source, run in
      unsafe target.copyMemory(from: source, byteCount: run)
      unsafe target += run
    }
  }

  /// Copies bytes from `offset` into `buffer`, as many as there are and fit, and returns how many.
  @inlinable public func copyBytes(from offset: Int = 0, into buffer: inout MutableRawSpan) -> Int {
    let run = min(buffer.byteCount, count - offset)
    if offset == 0, run <= linearCount {
      // Nearly every packet that is not large.
      unsafe buffer.withUnsafeMutableBytes { target in
        if let base = target.baseAddress { unsafe base.copyMemory(from: pointer, byteCount: run) }
      }
      return run
    }
    unsafe buffer.withUnsafeMutableBytes { target in
      if let base = target.baseAddress { unsafe copyBytes(from: offset, count: run, to: base) }
    }
    return run
  }

  /// The slices that hold the `count` bytes from `offset`, appended to `other` by reference; bytes of the linear part are copied.
  ///
  /// Returns whether all of it found a place.
  @inlinable package func share(from offset: Int, count: Int, into other: inout Packet) -> Bool {
    precondition(offset >= 0 && count >= 0 && offset &+ count <= self.count, "past the end of the packet")
    var skip = offset
    var left = count
    if skip < linearCount {
      let run = min(left, linearCount - skip)
      guard other.sliceCount == 0, run <= other.tailRoom else { return false }
      let old = other.linearCount
      other.extend(run)
      unsafe (other.pointer + old).copyMemory(from: pointer + skip, byteCount: run)
      left -= run
      skip = 0
    } else {
      skip -= linearCount
    }
    var index = 0
    while left > 0 {
      let slice = unsafe slices[index]
      let available = unsafe Int(slice.count)
      if skip >= available {
        skip -= available
      } else {
        let run = min(left, available - skip)
        unsafe slice.region.pointee.references &+= 1
        let part = unsafe Slice(Region(header: slice.region), offset: Int(slice.offset) + skip, count: run)
        guard other.append(part) else { return false }
        left -= run
        skip = 0
      }
      index += 1
    }
    return true
  }

  /// A packet of `pool` with the same linear bytes, the same slices by reference and the same metadata.
  @inlinable public func duplicate(from pool: borrowing PacketPool) -> Packet? {
    guard var copy = pool.allocate() else { return nil }
    unsafe copy.block.pointee.start = block.pointee.start
    unsafe copy.block.pointee.linearCount = 0
    guard share(from: 0, count: count, into: &copy) else { return nil }
    copy.metadata = metadata
    return copy
  }
}
