/// Finds places in somebody else's table by hash: open addressing, grown by doubling, deletion without tombstones.
///
/// It holds no keys; the owner of the table says whether a place has the key that is looked for.
@safe
package struct HashIndex: ~Copyable {
  @unsafe private struct Bucket {
    var hash: UInt32
    /// The place in the table, plus one; 0 in an empty bucket.
    var place: UInt32
  }

  private var buckets: UnsafeMutablePointer<Bucket>
  private var mask: Int
  /// How many places are indexed.
  package private(set) var count = 0

  package init() {
    mask = 15
    unsafe buckets = Self.emptyBuckets(16)
  }

  deinit { unsafe buckets.deallocate() }

  @unsafe private static func emptyBuckets(_ count: Int) -> UnsafeMutablePointer<Bucket> {
    let buckets = UnsafeMutablePointer<Bucket>.allocate(capacity: count)
    unsafe buckets.initialize(repeating: Bucket(hash: 0, place: 0), count: count)
    return unsafe buckets
  }

  /// The place indexed under `hash` for which `matches` holds.
  @inline(__always)
  package func find(_ hash: UInt64, where matches: (UInt32) -> Bool) -> UInt32? {
    let hash = UInt32(truncatingIfNeeded: hash)
    var position = Int(hash) & mask
    while true {
      let bucket = unsafe buckets[position]
      if unsafe bucket.place == 0 { return nil }
      if unsafe bucket.hash == hash, unsafe matches(bucket.place &- 1) { return unsafe bucket.place &- 1 }
      position = (position &+ 1) & mask
    }
  }

  /// Calls `body` with every place indexed under `hash`.
  @inline(__always)
  package func forEach(_ hash: UInt64, _ body: (UInt32) -> Void) {
    _ = find(hash) {
      body($0)
      return false
    }
  }

  /// Indexes `place` under `hash`. The same place must not be indexed twice.
  package mutating func insert(_ hash: UInt64, place: UInt32) {
    if (count + 1) * 4 > (mask + 1) * 3 { grow() }
    count += 1
    unsafe put(Bucket(hash: UInt32(truncatingIfNeeded: hash), place: place + 1))
  }

  /// Forgets `place`, indexed under `hash`; returns whether it was there.
  @discardableResult
  package mutating func remove(_ hash: UInt64, place: UInt32) -> Bool {
    var hole = Int(UInt32(truncatingIfNeeded: hash)) & mask
    while unsafe buckets[hole].place != place + 1 {
      if unsafe buckets[hole].place == 0 { return false }
      hole = (hole + 1) & mask
    }
    // What follows moves up, if it may stand there: searches stop at an empty bucket.
    var next = (hole + 1) & mask
    while unsafe buckets[next].place != 0 {
      let home = Int(unsafe buckets[next].hash) & mask
      if (next &- home) & mask >= (next &- hole) & mask {
        unsafe buckets[hole] = buckets[next]
        hole = next
      }
      next = (next + 1) & mask
    }
    unsafe buckets[hole] = Bucket(hash: 0, place: 0)
    count -= 1
    return true
  }

  private mutating func put(_ bucket: Bucket) {
    var position = Int(unsafe bucket.hash) & mask
    while unsafe buckets[position].place != 0 { position = (position + 1) & mask }
    unsafe buckets[position] = bucket
  }

  private mutating func grow() {
    let old = unsafe buckets
    let oldCount = mask + 1
    unsafe buckets = Self.emptyBuckets(oldCount * 2)
    mask = oldCount * 2 - 1
    for position in 0..<oldCount where unsafe old[position].place != 0 { unsafe put(old[position]) }
    unsafe old.deallocate()
  }
}
