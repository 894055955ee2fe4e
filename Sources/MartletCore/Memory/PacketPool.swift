/// The memory of one loop's packets: blocks of one size for headers and small payloads, and regions for large payloads.
///
/// Everything is taken and given back without asking the system; the pool grows in steps up to its bounds and then refuses,
/// which the stack answers by dropping. Hosts and links of one loop share one pool through ``share()``; the memory goes
/// when the last handle and the last packet are gone. Not for use from two threads.
@safe
public struct PacketPool: ~Copyable {
  /// How much memory a pool may hold.
  public struct Configuration: Sendable {
    /// The most blocks (of ``Packet/blockByteCount`` bytes) out at one time. Default 65,536.
    public var maximumBlocks = 65_536
    /// The most regions of ``smallRegionByteCount`` bytes out at one time. Default 65,536.
    public var maximumSmallRegions = 65_536
    /// The most regions of ``largeRegionByteCount`` bytes out at one time. Default 16,384.
    public var maximumLargeRegions = 16_384

    public init() {}
  }

  /// What a pool has done.
  public struct Statistics: Equatable, Sendable {
    /// Blocks in use now.
    public var blocksInUse = 0
    /// Blocks in use or kept for use.
    public var reservedBlocks = 0
    /// Small and large regions in use now.
    public var smallRegionsInUse = 0
    public var largeRegionsInUse = 0
    /// How often the pool asked the system for memory; constant in a steady state.
    public var systemAllocations = 0
    /// Requests refused because a bound was reached.
    public var refusals = 0
  }

  /// The size of a small region, in bytes.
  public static let smallRegionByteCount = 2_048
  /// The size of a large region, in bytes: what the largest IP packet needs.
  public static let largeRegionByteCount = 65_536

  @usableFromInline let storage: UnsafeMutablePointer<Storage>

  /// An empty pool.
  public init(_ configuration: Configuration = Configuration()) {
    unsafe storage = .allocate(capacity: 1)
    unsafe storage.initialize(to: Storage(configuration: configuration))
  }

  @inlinable init(retaining storage: UnsafeMutablePointer<Storage>) {
    unsafe self.storage = storage
    unsafe storage.pointee.handles &+= 1
  }

  deinit {
    unsafe storage.pointee.handles &-= 1
    unsafe Storage.giveUpIfUnused(storage)
  }

  /// A second handle to the same pool.
  @inlinable public func share() -> PacketPool { unsafe PacketPool(retaining: storage) }

  /// Gives the memory of packets back to the system if none is in use and more is kept than a small loop needs: to be called
  /// when nothing will happen for a while. Returns whether there was any.
  package func giveBackUnused() -> Bool { unsafe storage.pointee.giveBackBlocks() }

  /// What the pool has done so far.
  public var statistics: Statistics { unsafe storage.pointee.statistics }

  /// An empty packet with ``Packet/headroom`` bytes in front, or nil when the pool is at its bound.
  @inlinable @inline(__always) public func allocate() -> Packet? {
    guard let block = unsafe storage.pointee.takeBlock(self: storage) else { return nil }
    return unsafe Packet(block: block)
  }

  /// A region of ``smallRegionByteCount`` or ``largeRegionByteCount`` bytes, or nil when the pool is at its bound.
  @inlinable public func allocateRegion(large: Bool) -> Region? {
    guard let header = unsafe storage.pointee.takeRegion(large: large, self: storage) else { return nil }
    return unsafe Region(header: header)
  }
}

extension PacketPool {
  @unsafe @usableFromInline struct Storage {
    @usableFromInline var freeBlock: UnsafeMutablePointer<PacketBlock>?
    @usableFromInline var freeSmall: UnsafeMutablePointer<Region.Header>?
    @usableFromInline var freeLarge: UnsafeMutablePointer<Region.Header>?
    @usableFromInline var handles = 1
    @usableFromInline var statistics = Statistics()
    let configuration: Configuration
    /// What was asked of the system for blocks, to be given back when none is in use.
    var blockAllocations: [UnsafeMutableRawPointer] = unsafe []
    /// The same for regions, to be given back in the end.
    var regionAllocations: [UnsafeMutableRawPointer] = unsafe []

    init(configuration: Configuration) { unsafe self.configuration = configuration }

    static let blocksPerStep = 64
    /// What a pool keeps when it is not used, in steps.
    static let keptSteps = 16

    @inlinable @inline(__always) mutating func takeBlock(
      self storage: UnsafeMutablePointer<Storage>
    ) -> UnsafeMutablePointer<PacketBlock>? {
      if unsafe freeBlock == nil { unsafe growBlocks(self: storage) }
      guard let block = unsafe freeBlock else { return nil }
      unsafe freeBlock = block.pointee.next
      unsafe statistics.blocksInUse &+= 1
      return unsafe block
    }

    @inlinable mutating func takeBack(_ block: UnsafeMutablePointer<PacketBlock>) {
      unsafe block.pointee.next = freeBlock
      unsafe freeBlock = block
      unsafe statistics.blocksInUse &-= 1
    }

    /// Regions are in one step a small dozen, so that a host with few connections stays small.
    @inlinable mutating func takeRegion(
      large: Bool, self storage: UnsafeMutablePointer<Storage>
    ) -> UnsafeMutablePointer<Region.Header>? {
      if large {
        if unsafe freeLarge == nil { unsafe growRegions(large: true, self: storage) }
        guard let region = unsafe freeLarge else { return nil }
        unsafe freeLarge = region.pointee.next
        unsafe region.pointee.references = 1
        unsafe statistics.largeRegionsInUse &+= 1
        return unsafe region
      }
      if unsafe freeSmall == nil { unsafe growRegions(large: false, self: storage) }
      guard let region = unsafe freeSmall else { return nil }
      unsafe freeSmall = region.pointee.next
      unsafe region.pointee.references = 1
      unsafe statistics.smallRegionsInUse &+= 1
      return unsafe region
    }

    @usableFromInline mutating func takeBack(_ region: UnsafeMutablePointer<Region.Header>, large: Bool) {
      if large {
        unsafe region.pointee.next = freeLarge
        unsafe freeLarge = region
        unsafe statistics.largeRegionsInUse &-= 1
      } else {
        unsafe region.pointee.next = freeSmall
        unsafe freeSmall = region
        unsafe statistics.smallRegionsInUse &-= 1
      }
    }

    @inline(never) @usableFromInline mutating func growBlocks(self storage: UnsafeMutablePointer<Storage>) {
      let step = unsafe min(Self.blocksPerStep, configuration.maximumBlocks - statistics.blocksInUse)
      guard step > 0 else {
        unsafe statistics.refusals += 1
        return
      }
      let stride = unsafe PacketBlock.byteCount
      let memory = UnsafeMutableRawPointer.allocate(byteCount: step * stride, alignment: 64)
      unsafe blockAllocations.append(memory)
      unsafe statistics.systemAllocations += 1
      unsafe statistics.reservedBlocks += step
      for index in (0..<step).reversed() {
        let block = unsafe (memory + index * stride).bindMemory(to: PacketBlock.self, capacity: 1)
        unsafe block.initialize(to: PacketBlock(pool: storage))
        unsafe block.pointee.next = freeBlock
        unsafe freeBlock = block
      }
    }

    mutating func giveBackBlocks() -> Bool {
      guard unsafe statistics.blocksInUse == 0, unsafe blockAllocations.count > Self.keptSteps else { return false }
      while let memory = unsafe blockAllocations.popLast() { unsafe memory.deallocate() }
      unsafe freeBlock = nil
      unsafe statistics.reservedBlocks = 0
      return true
    }

    @usableFromInline mutating func growRegions(large: Bool, self storage: UnsafeMutablePointer<Storage>) {
      let size = large ? PacketPool.largeRegionByteCount : PacketPool.smallRegionByteCount
      let room =
        unsafe large
        ? configuration.maximumLargeRegions - statistics.largeRegionsInUse
        : configuration.maximumSmallRegions - statistics.smallRegionsInUse
      let step = min(large ? 4 : 32, room)
      guard step > 0 else {
        unsafe statistics.refusals += 1
        return
      }
      let stride = 64 + size
      let memory = UnsafeMutableRawPointer.allocate(byteCount: step * stride, alignment: 64)
      unsafe regionAllocations.append(memory)
      unsafe statistics.systemAllocations += 1
      for index in (0..<step).reversed() {
        let start = unsafe memory + index * stride
        let header = unsafe start.bindMemory(to: Region.Header.self, capacity: 1)
        unsafe header.initialize(
          to: Region.Header(bytes: start + 64, byteCount: size, release: .pool(storage, large: large)))
        unsafe header.pointee.next = large ? freeLarge : freeSmall
        if large { unsafe freeLarge = header } else { unsafe freeSmall = header }
      }
    }

    @inlinable static func giveUpIfUnused(_ storage: UnsafeMutablePointer<Storage>) {
      if unsafe storage.pointee.handles == 0 { unsafe giveUp(storage) }
    }

    @usableFromInline static func giveUp(_ storage: UnsafeMutablePointer<Storage>) {
      let use = unsafe storage.pointee.statistics
      guard use.blocksInUse == 0, use.smallRegionsInUse == 0, use.largeRegionsInUse == 0
      else { return }
      while let memory = unsafe storage.pointee.blockAllocations.popLast() { unsafe memory.deallocate() }
      while let memory = unsafe storage.pointee.regionAllocations.popLast() { unsafe memory.deallocate() }
      unsafe storage.deinitialize(count: 1)
      unsafe storage.deallocate()
    }
  }
}
