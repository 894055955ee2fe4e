/// From the hash of a key to the number of whoever has the key: open addressing, eight bytes an entry.
///
/// The keys themselves stay with their owners; a look-up asks the caller whether a number is the one meant.
@safe
package struct HashIndex: ~Copyable {
  private struct Entry: BitwiseCopyable {
    var hash: UInt32
    var value: UInt32
  }

  private static var empty: UInt32 { .max }

  private var entries: UnsafeMutablePointer<Entry>
  private var mask: Int
  /// How many entries there are.
  package private(set) var count = 0

  package init() {
    unsafe entries = Self.allocate(16)
    mask = 15
  }

  deinit { unsafe entries.deallocate() }

  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Entry> {
    let memory = unsafe UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
    unsafe memory.initialize(repeating: Entry(hash: 0, value: empty), count: capacity)
    return unsafe memory
  }

  /// The first value under `hash` that `isMatch` accepts.
  @inline(__always)
  package func find(_ hash: UInt32, where isMatch: (UInt32) -> Bool) -> UInt32? {
    var place = Int(hash) & mask
    while true {
      let entry = unsafe entries[place]
      if entry.value == Self.empty { return nil }
      if entry.hash == hash, isMatch(entry.value) { return entry.value }
      place = (place &+ 1) & mask
    }
  }

  /// Calls `body` with every value under `hash`.
  package func forEach(_ hash: UInt32, _ body: (UInt32) -> Void) {
    _ = find(hash) {
      body($0)
      return false
    }
  }

  /// Puts `value` under `hash`, beside others that may be there.
  package mutating func insert(_ hash: UInt32, _ value: UInt32) {
    if (count + 1) * 2 > mask + 1 { grow() }
    place(Entry(hash: hash, value: value))
    count += 1
  }

  private mutating func place(_ entry: Entry) {
    var place = Int(entry.hash) & mask
    while unsafe entries[place].value != Self.empty { place = (place &+ 1) & mask }
    unsafe entries[place] = entry
  }

  /// Takes `value` out from under `hash`.
  package mutating func remove(_ hash: UInt32, _ value: UInt32) {
    var hole = Int(hash) & mask
    while true {
      let entry = unsafe entries[hole]
      if entry.value == Self.empty { return }
      if entry.hash == hash && entry.value == value { break }
      hole = (hole &+ 1) & mask
    }
    count -= 1
    // Close the gap: whoever stands behind it and could stand in it moves up, so that no tombstones gather.
    var next = (hole &+ 1) & mask
    while unsafe entries[next].value != Self.empty {
      let home = unsafe Int(entries[next].hash) & mask
      if (next &- home) & mask >= (next &- hole) & mask {
        unsafe entries[hole] = entries[next]
        hole = next
      }
      next = (next &+ 1) & mask
    }
    unsafe entries[hole].value = Self.empty
  }

  private mutating func grow() {
    let old = unsafe entries
    let oldCapacity = mask + 1
    unsafe entries = Self.allocate(oldCapacity * 2)
    mask = oldCapacity * 2 - 1
    for index in 0..<oldCapacity where unsafe old[index].value != Self.empty { unsafe place(old[index]) }
    unsafe old.deallocate()
  }
}
