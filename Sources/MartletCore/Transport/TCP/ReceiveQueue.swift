package import MartletWire

/// The bytes that arrived: those in order, which the program may read, and pieces further on that wait for what is missing.
package struct ReceiveQueue: ~Copyable {
  /// What became of a segment.
  package enum Outcome {
    /// Its bytes follow what was there; `count` more bytes are in order now, those of waiting pieces included.
    case inOrder(count: Int)
    /// It waits.
    case outOfOrder
    /// It brought nothing new.
    case duplicate
    /// There was no memory left for it.
    case refused(Drop.Reason)
  }

  private var ready = PacketQueue()
  package private(set) var reassembly = Reassembly()
  /// The memory that what waits to be read keeps from others, in bytes, at most: whole blocks, and all payload as if it
  /// lay in slices.
  private var memory: Int { ready.count &* Packet.blockByteCount &+ ready.byteCount }

  package init() {}

  /// Bytes to be read.
  package var byteCount: Int { ready.byteCount }
  /// Bytes that wait for others before them.
  package var outOfOrderByteCount: Int { reassembly.byteCount }
  package var isEmpty: Bool { ready.isEmpty }

  /// Payloads up to this size are copied behind the one before, so that many small segments do not each hold a block.
  static var copyBound: Int { 1_024 }

  /// Puts `packet`, the bytes from `next` on, at the end.
  @inline(__always)
  package mutating func appendInOrder(_ packet: consuming Packet) {
    if packet.count <= Self.copyBound, !ready.isEmpty, ready.appendToLast(copying: packet) { return }
    ready.append(packet)
  }

  /// Takes `packet`, whose first byte is `sequence` and lies inside the window; `next` is the first byte that is missing.
  package mutating func insert(
    _ packet: consuming Packet, at sequence: SequenceNumber, next: SequenceNumber, limits: TCPLimits
  ) -> Outcome {
    var sequence = sequence
    // RFC 9293 section 3.10.7.4: the portions before RCV.NXT are trimmed off.
    let old = next - sequence
    if old > 0 { reassembly.noteDuplicate(sequence, count: min(old, packet.count)) }
    if old >= packet.count { return .duplicate }
    if old > 0 {
      packet.removeFirst(old)
      sequence = next
    }
    if sequence == next {
      // What waits never keeps out what it waits for.
      if memory > Self.memoryBound(limits) { return .refused(.tcpReceiveBufferFull) }
      var end = next + packet.count
      appendInOrder(packet)
      while var more = reassembly.popFirst(before: end) {
        end += more.byteCount
        ready.append(contentsOf: &more)
      }
      reassembly.forget(before: end)
      return .inOrder(count: end - next)
    }
    if reassembly.runCount >= Int(limits.reassemblyPieces)
      || memory &+ reassembly.memory > Self.memoryBound(limits)
    {
      return .refused(.tcpReassemblyFull)
    }
    return reassembly.insert(packet, at: sequence) ? .outOfOrder : .duplicate
  }

  /// Packets may hold four times the receive buffer: small segments spread over whole blocks.
  private static func memoryBound(_ limits: TCPLimits) -> Int {
    Int(limits.receiveBuffer) &* 4 &+ Packet.blockByteCount &* 16
  }

  /// Copies bytes into `buffer`, takes them out and returns how many there were.
  @inline(__always)
  package mutating func read(into buffer: inout MutableRawSpan) -> Int {
    let done = unsafe buffer.withUnsafeMutableBytes { target -> Int in
      guard let start = target.baseAddress else { return 0 }
      return unsafe ready.removeFirstBytes(into: start, capacity: target.count)
    }
    return done
  }

  /// Hands bytes to `body` where they lie, at most `maximum`, takes them out and returns how many there were.
  package mutating func read(upTo maximum: Int, _ body: (RawSpan) -> Void) -> Int {
    ready.removeFirstBytes(upTo: maximum, body)
  }

  /// Lets go of what waits for missing bytes.
  package mutating func removeOutOfOrder() {
    // Mostly nothing waits, and a new value would take the old one apart.
    if !reassembly.isEmpty || reassembly.hasReports { reassembly = Reassembly() }
  }

  /// The `count` bytes from `sequence`, all of them before what is missing, came again.
  package mutating func noteDuplicate(_ sequence: SequenceNumber, count: Int) {
    reassembly.noteDuplicate(sequence, count: count)
  }

  /// An acknowledgement said what there is to say.
  @inline(__always)
  package mutating func noteReported() { reassembly.noteReported() }

  /// Lets go of everything.
  package mutating func removeAll() {
    if !ready.isEmpty { ready.removeAll() }
    removeOutOfOrder()
  }
}

extension Packet {
  /// The memory a packet keeps from others, in bytes.
  @inline(__always)
  var memoryByteCount: Int { Packet.blockByteCount &+ (count &- linearCount) }
}
