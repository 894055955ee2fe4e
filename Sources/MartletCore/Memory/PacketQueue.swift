/// A queue of packets, linked through their blocks: no memory of its own, whatever its length.
@safe
public struct PacketQueue: ~Copyable {
  @usableFromInline var first: UnsafeMutablePointer<PacketBlock>?
  @usableFromInline var last: UnsafeMutablePointer<PacketBlock>?
  /// How many packets wait.
  public private(set) var count = 0
  /// How many bytes they have together.
  public private(set) var byteCount = 0

  /// An empty queue.
  public init() {
    unsafe first = nil
    unsafe last = nil
  }

  deinit {
    var next = unsafe first
    while let block = unsafe next {
      unsafe next = block.pointee.next
      _ = unsafe Packet(adopting: block)
    }
  }

  /// Whether no packet waits.
  public var isEmpty: Bool { count == 0 }

  /// Puts `packet` at the end.
  public mutating func append(_ packet: consuming Packet) {
    count &+= 1
    byteCount &+= packet.count
    let block = unsafe packet.relinquish()
    unsafe block.pointee.next = nil
    if let last = unsafe last { unsafe last.pointee.next = block } else { unsafe first = block }
    unsafe last = block
  }

  /// Takes the packet in front.
  public mutating func popFirst() -> Packet? {
    guard let block = unsafe first else { return nil }
    unsafe first = block.pointee.next
    if unsafe first == nil { unsafe last = nil }
    let packet = unsafe Packet(adopting: block)
    count &-= 1
    byteCount &-= packet.count
    return packet
  }

  /// Moves all of `other` to the end.
  package mutating func append(contentsOf other: inout PacketQueue) {
    guard let block = unsafe other.first else { return }
    if let last = unsafe last { unsafe last.pointee.next = block } else { unsafe first = block }
    unsafe last = other.last
    count &+= other.count
    byteCount &+= other.byteCount
    unsafe other.first = nil
    unsafe other.last = nil
    other.count = 0
    other.byteCount = 0
  }

  /// Lets go of every packet.
  package mutating func removeAll() { self = PacketQueue() }
}

extension Packet {
  @inlinable init(adopting block: UnsafeMutablePointer<PacketBlock>) { unsafe self.block = block }

  /// Hands the block to somebody who takes care of it from now on.
  @inlinable consuming func relinquish() -> UnsafeMutablePointer<PacketBlock> {
    let block = unsafe block
    discard self
    return unsafe block
  }
}
