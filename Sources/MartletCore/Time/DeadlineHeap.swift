internal import BasicContainers

/// When each of many numbered things wants to be woken: a heap that knows where each thing stands.
///
/// Setting, moving and removing a deadline is O(log n); the earliest is at hand. Things with the same deadline come out
/// in the order of their numbers, so that a run repeats itself.
package struct DeadlineHeap: ~Copyable {
  struct Entry: BitwiseCopyable {
    var deadline: Instant
    var id: UInt32
  }

  // Nobody shares them: an `Array` would ask at every change.
  private var heap = UniqueArray<Entry>()
  /// Where each id stands in `heap`; -1 if nowhere.
  private var positions = UniqueArray<Int32>()

  /// The earliest deadline, or `.max`: asked for at each turn of a host, whose heaps are cold by then.
  private var earliest = Int64.max

  package init() {}

  /// The earliest deadline.
  @inline(__always)
  package var first: Instant? { earliest == .max ? nil : Instant(nanoseconds: earliest) }

  /// How many things wait.
  package var count: Int { heap.count }

  /// The deadline of `id`, if it has one.
  package func deadline(of id: UInt32) -> Instant? {
    guard Int(id) < positions.count, positions[Int(id)] >= 0 else { return nil }
    return heap[Int(positions[Int(id)])].deadline
  }

  /// Sets, moves or (with nil) removes the deadline of `id`.
  package mutating func set(_ deadline: Instant?, for id: UInt32) {
    change(deadline, for: id)
    noteEarliest()
  }

  @inline(__always)
  private mutating func noteEarliest() { earliest = heap.isEmpty ? .max : heap[0].deadline.nanoseconds }

  @inline(__always)
  private mutating func change(_ deadline: Instant?, for id: UInt32) {
    let index = Int(id)
    guard let deadline else {
      if index < positions.count, positions[index] >= 0 { remove(at: Int(positions[index])) }
      return
    }
    while positions.count <= index { positions.append(-1) }
    if positions[index] >= 0 {
      let place = Int(positions[index])
      let old = heap[place].deadline
      guard old != deadline else { return }
      heap[place].deadline = deadline
      if deadline < old { siftUp(place) } else { siftDown(place) }
    } else {
      heap.append(Entry(deadline: deadline, id: id))
      positions[index] = Int32(heap.count - 1)
      siftUp(heap.count - 1)
    }
  }

  /// Takes out the first thing whose deadline is `now` or earlier.
  package mutating func popDue(at now: Instant) -> UInt32? {
    guard earliest <= now.nanoseconds, !heap.isEmpty else { return nil }
    let id = heap[0].id
    remove(at: 0)
    noteEarliest()
    return id
  }

  private static func before(_ left: Entry, _ right: Entry) -> Bool {
    left.deadline == right.deadline ? left.id < right.id : left.deadline < right.deadline
  }

  private mutating func remove(at place: Int) {
    positions[Int(heap[place].id)] = -1
    let last = heap.removeLast()
    guard place < heap.count else { return }
    heap[place] = last
    positions[Int(last.id)] = Int32(place)
    siftDown(place)
    siftUp(Int(positions[Int(last.id)]))
  }

  private mutating func siftUp(_ start: Int) {
    var place = start
    let entry = heap[place]
    while place > 0 {
      let parent = (place - 1) / 4
      guard Self.before(entry, heap[parent]) else { break }
      heap[place] = heap[parent]
      positions[Int(heap[place].id)] = Int32(place)
      place = parent
    }
    heap[place] = entry
    positions[Int(entry.id)] = Int32(place)
  }

  private mutating func siftDown(_ start: Int) {
    var place = start
    let entry = heap[place]
    while true {
      var child = place * 4 + 1
      guard child < heap.count else { break }
      for other in (child + 1)..<max(child + 1, min(child + 4, heap.count)) where Self.before(heap[other], heap[child])
      {
        child = other
      }
      guard Self.before(heap[child], entry) else { break }
      heap[place] = heap[child]
      positions[Int(heap[place].id)] = Int32(place)
      place = child
    }
    heap[place] = entry
    positions[Int(entry.id)] = Int32(place)
  }
}
