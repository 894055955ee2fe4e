/// Memory that packets and send queues share by slice instead of by copy: a reference-counted run of bytes.
///
/// A region belongs to one loop; its count is not atomic. Bytes that a slice covers never change while the slice lives;
/// the one who filled a region may go on filling the part nobody refers to yet.
@safe
public struct Region: ~Copyable {
  @unsafe @usableFromInline struct Header {
    @usableFromInline var references: Int
    @usableFromInline let bytes: UnsafeMutableRawPointer
    @usableFromInline let byteCount: Int
    /// Gives the bytes back; called once, when the last reference goes.
    @usableFromInline let release: Release
    /// The next free region while this one waits in a pool.
    @usableFromInline var next: UnsafeMutablePointer<Header>?
    /// What is known of bytes that lie in a file; nil for memory that is the program's own.
    @usableFromInline var file: UnsafeMutablePointer<FileBytes>?

    @usableFromInline init(bytes: UnsafeMutableRawPointer, byteCount: Int, release: Release) {
      unsafe self.references = 1
      unsafe self.bytes = bytes
      unsafe self.byteCount = byteCount
      unsafe self.release = release
      unsafe self.next = nil
      unsafe self.file = nil
    }
  }

  /// Who takes the memory back.
  @unsafe @usableFromInline enum Release {
    case pool(UnsafeMutablePointer<PacketPool.Storage>, large: Bool)
    case owner(
      @convention(c) (UnsafeMutableRawPointer, Int, UnsafeMutableRawPointer?) -> Void, context: UnsafeMutableRawPointer?
    )
  }

  @usableFromInline let header: UnsafeMutablePointer<Header>

  @inlinable init(header: UnsafeMutablePointer<Header>) { unsafe self.header = header }

  /// A region over memory that somebody else owns (a mapped file), which `release` gives back when the last slice is gone.
  ///
  /// The bytes must stay where they are and unchanged until `release(bytes, byteCount, context)` is called.
  @unsafe
  public init(
    bytes: UnsafeMutableRawPointer, byteCount: Int, context: UnsafeMutableRawPointer?,
    release: @escaping @convention(c) (UnsafeMutableRawPointer, Int, UnsafeMutableRawPointer?) -> Void
  ) {
    unsafe header = .allocate(capacity: 1)
    unsafe header.initialize(to: Header(bytes: bytes, byteCount: byteCount, release: .owner(release, context: context)))
  }

  /// A region over a mapped file: `file` says whether its pages are still there, and keeps the sums of its blocks.
  ///
  /// `file` must stay until `release` is called. Others may change the bytes: links copy them before they let a frame go.
  @unsafe
  package init(
    bytes: UnsafeMutableRawPointer, byteCount: Int, file: UnsafeMutablePointer<FileBytes>,
    context: UnsafeMutableRawPointer?,
    release: @escaping @convention(c) (UnsafeMutableRawPointer, Int, UnsafeMutableRawPointer?) -> Void
  ) {
    unsafe self.init(bytes: bytes, byteCount: byteCount, context: context, release: release)
    unsafe header.pointee.file = unsafe file
  }

  /// How many bytes the region has.
  @inlinable public var byteCount: Int { unsafe header.pointee.byteCount }

  /// Where the bytes begin.
  @inlinable package var bytes: UnsafeMutableRawPointer { unsafe header.pointee.bytes }

  /// A second reference to the same bytes.
  @inlinable public func share() -> Region {
    unsafe header.pointee.references &+= 1
    return unsafe Region(header: header)
  }

  @inlinable deinit { unsafe Region.drop(header) }

  @inlinable static func drop(_ header: UnsafeMutablePointer<Header>) {
    unsafe header.pointee.references &-= 1
    if unsafe header.pointee.references == 0 { unsafe release(header) }
  }

  @usableFromInline static func release(_ header: UnsafeMutablePointer<Header>) {
    switch unsafe header.pointee.release {
    case .pool(let storage, let large):
      unsafe storage.pointee.takeBack(header, large: large)
      unsafe PacketPool.Storage.giveUpIfUnused(storage)
    case .owner(let release, let context):
      unsafe release(header.pointee.bytes, header.pointee.byteCount, context)
      unsafe header.deinitialize(count: 1)
      unsafe header.deallocate()
    }
  }
}

/// A run of bytes inside a region, counted as one reference to it.
public struct Slice: ~Copyable {
  @usableFromInline package let region: Region
  /// Where the slice begins in its region, in bytes.
  @usableFromInline package let offset: Int
  /// How many bytes the slice has.
  public let count: Int

  /// The `count` bytes from `offset` of `region`; reaching past its end is the caller's bug and traps.
  @inlinable public init(_ region: consuming Region, offset: Int, count: Int) {
    precondition(offset >= 0 && count >= 0 && offset &+ count <= region.byteCount, "a slice past the end of its region")
    self.region = region
    self.offset = offset
    self.count = count
  }

  /// Another slice over the same bytes, or over some of them.
  @inlinable public func share(from start: Int = 0, count: Int? = nil) -> Slice {
    Slice(region.share(), offset: offset + start, count: count ?? self.count - start)
  }

  /// The bytes.
  @inlinable public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(pointer), byteCount: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  @inlinable package var pointer: UnsafeMutableRawPointer { unsafe region.bytes + offset }
}
