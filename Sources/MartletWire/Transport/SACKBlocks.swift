/// A run of bytes that the receiver holds: from ``left`` up to but not including ``right`` (RFC 2018 section 3).
public struct SACKBlock: Hashable, Sendable, BitwiseCopyable {
  public var left: SequenceNumber
  public var right: SequenceNumber

  @inlinable
  public init(left: SequenceNumber, right: SequenceNumber) {
    self.left = left
    self.right = right
  }
}

/// Up to four blocks, as many as a header has room for, stored in place.
public struct SACKBlocks: Sendable, BitwiseCopyable {
  /// The most blocks that an option can hold.
  public static let capacity = 4

  @usableFromInline var blocks: InlineArray<4, SACKBlock>
  @usableFromInline var storedCount: UInt8

  /// No blocks.
  @inlinable
  public init() {
    blocks = InlineArray(repeating: SACKBlock(left: SequenceNumber(0), right: SequenceNumber(0)))
    storedCount = 0
  }

  /// How many blocks there are, 0...4.
  @inlinable public var count: Int { Int(storedCount) }

  @inlinable public var isEmpty: Bool { storedCount == 0 }

  /// The block at `index`, which must be below ``count``.
  @inlinable
  public subscript(index: Int) -> SACKBlock {
    precondition(index < count, "no such SACK block")
    return blocks[index]
  }

  /// Adds `block` behind the others; does nothing if there are four already.
  @inlinable
  public mutating func append(_ block: SACKBlock) {
    guard count < Self.capacity else { return }
    blocks[count] = block
    storedCount += 1
  }
}

extension SACKBlocks: Equatable {
  @inlinable
  public static func == (left: Self, right: Self) -> Bool {
    guard left.count == right.count else { return false }
    for index in 0..<left.count where left[index] != right[index] { return false }
    return true
  }
}
