import MartletWire

/// Consecutive bytes that went out together, and what is to be known of them until they are acknowledged.
struct SentRun: BitwiseCopyable {
  struct Flags: OptionSet, BitwiseCopyable {
    let rawValue: UInt8
    /// The peer reported it by SACK.
    static let held = Flags(rawValue: 1)
    /// It counts as lost and was not sent again.
    static let lost = Flags(rawValue: 2)
    /// It was sent more than once.
    static let resent = Flags(rawValue: 4)
    /// The program had no more to send when it went out.
    static let applicationLimited = Flags(rawValue: 8)
    /// Held or lost: not in the network.
    static let gone = Flags(rawValue: 3)
  }

  var start: SequenceNumber
  var end: SequenceNumber
  /// When it was last sent.
  var sentAt: Instant
  /// The delivery rate's state at that time; see ``DeliveryRate``.
  var departure: DeliveryRate.Departure
  var flags: Flags
  /// Why it counts as lost, if somebody records it.
  var lossCause: TCPTraceEvent.LossCause?

  @inline(__always)
  var count: Int { end - start }
}

/// All that is in flight, as runs in the order of their numbers, without gaps between them.
///
/// A ring: what is acknowledged goes at the front, what is sent comes at the end, and reports of SACK split runs in between.
@safe
struct SentRuns: ~Copyable {
  private var memory: UnsafeMutablePointer<SentRun>?
  private var capacity: UInt32 = 0
  private var head: UInt32 = 0
  private(set) var count = 0

  init() { unsafe memory = nil }

  deinit { unsafe memory?.deallocate() }

  @inline(__always)
  var isEmpty: Bool { count == 0 }

  @inline(__always)
  private func slot(_ index: Int) -> UnsafeMutablePointer<SentRun> {
    unsafe memory.unsafelyUnwrapped + Int((head &+ UInt32(truncatingIfNeeded: index)) & (capacity &- 1))
  }

  @inline(__always)
  subscript(index: Int) -> SentRun {
    unsafeAddress {
      assert(index >= 0 && index < count)
      return unsafe UnsafePointer(slot(index))
    }
    unsafeMutableAddress {
      assert(index >= 0 && index < count)
      return unsafe slot(index)
    }
  }

  private mutating func grow() {
    let larger = max(4, capacity * 2)
    let place = UnsafeMutablePointer<SentRun>.allocate(capacity: Int(larger))
    for index in 0..<count { unsafe (place + index).initialize(to: slot(index).pointee) }
    unsafe memory?.deallocate()
    unsafe memory = place
    capacity = larger
    head = 0
  }

  @inline(__always)
  mutating func append(_ run: SentRun) {
    if count == Int(capacity) { grow() }
    count &+= 1
    unsafe slot(count &- 1).initialize(to: run)
  }

  @inline(__always)
  mutating func removeFirst() {
    head = (head &+ 1) & (capacity &- 1)
    count &-= 1
  }

  /// Takes out the only run, and says where it stands until another comes.
  @unsafe @inline(__always)
  mutating func removeOnly() -> UnsafeMutablePointer<SentRun> {
    assert(count == 1)
    count = 0
    return unsafe slot(0)
  }

  mutating func removeAll() {
    count = 0
    head = 0
  }

  /// Puts `run` before the one at `index`, moving the shorter side.
  mutating func insert(_ run: SentRun, at index: Int) {
    if count == Int(capacity) { grow() }
    if index < count / 2 {
      head = (head &- 1) & (capacity &- 1)
      count &+= 1
      var place = 0
      while place < index {
        unsafe slot(place).initialize(to: slot(place &+ 1).pointee)
        place &+= 1
      }
    } else {
      count &+= 1
      var place = count &- 1
      while place > index {
        unsafe slot(place).initialize(to: slot(place &- 1).pointee)
        place &-= 1
      }
    }
    unsafe slot(index).initialize(to: run)
  }

  /// Takes out the run at `index`, moving the shorter side.
  mutating func remove(at index: Int) {
    if index < count / 2 {
      var place = index
      while place > 0 {
        unsafe slot(place).initialize(to: slot(place &- 1).pointee)
        place &-= 1
      }
      head = (head &+ 1) & (capacity &- 1)
    } else {
      var place = index
      while place &+ 1 < count {
        unsafe slot(place).initialize(to: slot(place &+ 1).pointee)
        place &+= 1
      }
    }
    count &-= 1
  }

  /// Splits the run at `index` so that one begins at `sequence`, which lies inside it.
  mutating func split(_ index: Int, at sequence: SequenceNumber) {
    var rest = self[index]
    rest.start = sequence
    self[index].end = sequence
    insert(rest, at: index &+ 1)
  }

  /// The first run that ends after `sequence`; ``count`` if there is none.
  func index(after sequence: SequenceNumber) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low &+ high) / 2
      if self[middle].end > sequence { high = middle } else { low = middle &+ 1 }
    }
    return low
  }
}
