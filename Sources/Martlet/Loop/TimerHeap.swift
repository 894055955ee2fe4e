internal import MartletCore

/// What a loop does at a time: a sleeper to wake, a time-out to deliver.
package final class LoopTimer {
  let deadline: Instant
  let sequence: UInt64
  fileprivate var position = -1
  let fire: () -> Void
  /// Called instead when the loop ends before.
  let onEnd: (() -> Void)?

  init(deadline: Instant, sequence: UInt64, fire: @escaping () -> Void, onEnd: (() -> Void)? = nil) {
    self.deadline = deadline
    self.sequence = sequence
    self.fire = fire
    self.onEnd = onEnd
  }

  fileprivate func isBefore(_ other: LoopTimer) -> Bool {
    deadline == other.deadline ? sequence < other.sequence : deadline < other.deadline
  }
}

/// A loop's timers, by time and then by the order in which they were set.
struct TimerHeap {
  private var heap: [LoopTimer] = []

  // Not `heap.first`, which allocates where nothing is optimized.
  var first: Instant? { heap.isEmpty ? nil : heap[0].deadline }
  var isEmpty: Bool { heap.isEmpty }

  mutating func insert(_ timer: LoopTimer) {
    timer.position = heap.count
    heap.append(timer)
    siftUp(heap.count - 1)
  }

  mutating func popDue(at now: Instant) -> LoopTimer? {
    guard !heap.isEmpty, heap[0].deadline <= now else { return nil }
    let timer = heap[0]
    remove(timer)
    return timer
  }

  mutating func popFirst() -> LoopTimer? {
    guard let timer = heap.first else { return nil }
    remove(timer)
    return timer
  }

  /// Takes out `timer`, if it is still there.
  mutating func remove(_ timer: LoopTimer) {
    let place = timer.position
    guard place >= 0 else { return }
    timer.position = -1
    let last = heap.removeLast()
    guard place < heap.count else { return }
    heap[place] = last
    last.position = place
    siftDown(place)
    siftUp(last.position)
  }

  private mutating func siftUp(_ start: Int) {
    var place = start
    let timer = heap[place]
    while place > 0 {
      let parent = (place - 1) / 2
      guard timer.isBefore(heap[parent]) else { break }
      heap[place] = heap[parent]
      heap[place].position = place
      place = parent
    }
    heap[place] = timer
    timer.position = place
  }

  private mutating func siftDown(_ start: Int) {
    var place = start
    let timer = heap[place]
    while true {
      var child = place * 2 + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
      guard heap[child].isBefore(timer) else { break }
      heap[place] = heap[child]
      heap[place].position = place
      place = child
    }
    heap[place] = timer
    timer.position = place
  }
}
