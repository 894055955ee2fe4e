import MartletWire

/// The last events of a connection, in memory that was allocated beforehand: when it is full the oldest is overwritten.
@safe
struct TCPTraceRing: ~Copyable {
  private let memory: UnsafeMutablePointer<TCPTraceEvent>
  private let capacity: Int
  private var first = 0
  private(set) var count = 0
  /// How many were overwritten since the last ``removeAll()``.
  private(set) var overwrittenCount = 0
  /// When the last event that tells its time happened.
  var now: Instant
  /// The phase of growth that was told last.
  var phase: TCPCongestionPhase?
  /// A sequence number, and how far it is from the first.
  private var sequence: SequenceNumber
  private var offset: Int

  /// The most events that are kept, 64 MiB or so.
  static var largestCapacity: Int { 1 << 20 }

  init(capacity: Int, initialSend: SequenceNumber, unacknowledged: SequenceNumber, at now: Instant) {
    self.capacity = max(1, min(capacity, Self.largestCapacity))
    unsafe memory = .allocate(capacity: self.capacity)
    self.now = now
    sequence = unacknowledged
    offset = Int(unacknowledged.value &- initialSend.value)
  }

  deinit { unsafe memory.deallocate() }

  /// How far `number` is from the initial sequence number.
  mutating func place(of number: SequenceNumber) -> Int {
    let place = offset &+ (number - sequence)
    if place > offset {
      offset = place
      sequence = number
    }
    return place
  }

  mutating func append(_ event: TCPTraceEvent) {
    if count == capacity {
      first = first &+ 1 == capacity ? 0 : first &+ 1
      count &-= 1
      overwrittenCount &+= 1
    }
    unsafe (memory + slot(count)).initialize(to: event)
    count &+= 1
  }

  /// The last event.
  var last: TCPTraceEvent? {
    get { count == 0 ? nil : unsafe memory[slot(count &- 1)] }
    set {
      guard count > 0, let newValue else { return }
      unsafe memory[slot(count &- 1)] = newValue
    }
  }

  private func slot(_ index: Int) -> Int {
    let place = first &+ index
    return place >= capacity ? place &- capacity : place
  }

  /// What is there, which is forgotten.
  mutating func take() -> TCPTrace {
    var events: [TCPTraceEvent] = []
    events.reserveCapacity(count)
    for index in 0..<count { events.append(unsafe memory[slot(index)]) }
    let trace = TCPTrace(events: events, overwrittenCount: overwrittenCount)
    first = 0
    count = 0
    overwrittenCount = 0
    return trace
  }
}
