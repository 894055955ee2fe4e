import MartletCore

/// What the stations of a segment share: only one at a time is understood.
public enum Medium: Sendable, Equatable {
  /// A cable on which everybody hears everybody, later the farther away, and notices when somebody else speaks as well.
  case bus(EthernetBus)
  /// The air, in which not everybody hears everybody, and nobody notices while speaking.
  case wireless(WirelessCell)

  /// Bits per second.
  public var rate: UInt64 {
    switch self {
    case .bus(let bus): bus.rate
    case .wireless(let cell): cell.rate
    }
  }
}

/// What a station of a segment has done.
public struct MediumCounters: Sendable, Equatable {
  /// The station's name.
  public var station = ""
  /// How often a frame was begun.
  public var attempts: UInt64 = 0
  /// Frames that are through: on a bus sent whole, in the air acknowledged or for a group.
  public var sent: UInt64 = 0
  /// Their bytes, Ethernet headers included.
  public var sentBytes: UInt64 = 0
  /// Attempts that met others' signals.
  public var collisions: UInt64 = 0
  /// Those of them on a bus that came after the first 512 bits.
  public var lateCollisions: UInt64 = 0
  /// Frames that had to wait because somebody else was heard.
  public var deferrals: UInt64 = 0
  /// Slots that were drawn, all in all.
  public var backoffSlots: UInt64 = 0
  /// Frames given up, those that found the queue full included.
  public var drops: UInt64 = 0
  /// Requests to send (RTS), and those of them that met others' signals.
  public var requests: UInt64 = 0
  public var requestCollisions: UInt64 = 0
  /// How long the station's signals were on the medium, those that collided included.
  public var airtime = Duration.zero

  public init() {}
}

/// Something that happens on a medium.
struct MediumEvent: Equatable {
  enum Kind: Equatable {
    /// A station has something to send, and hears somebody.
    case deferred(station: Int)
    /// The first bit of a station's frame; attempts count from 1.
    case began(station: Int, signal: Int, attempt: Int)
    /// The last bit of it.
    case left(station: Int, signal: Int)
    /// The attempt has failed: on a bus at once, in the air when nobody answers. Nothing was sent but a request to send if
    /// there is no signal.
    case failed(station: Int, signal: Int?, reason: String)
    /// A station waits for so many slots.
    case backedOff(station: Int, slots: Int)
    /// The frame is through: the next may be offered.
    case sent(station: Int)
    /// It is given up: the next may be offered.
    case dropped(station: Int, reason: String)
    /// The last bit of a whole frame arrives at a station, the first bit having been there at `start`.
    case heard(station: Int, signal: Int, start: Int64)
    /// The same, but it met others on the way.
    case garbled(station: Int, signal: Int, start: Int64)
    /// Nobody hears the signal any more.
    case ended(signal: Int)
    /// A station says something of its own: "RTS", "CTS", "ACK".
    case control(station: Int, to: Int, word: String)
  }
  var time: Int64
  var kind: Kind
}

/// How a medium behaves: a value without a clock, that takes frames' sizes and times and tells what happens.
protocol MediumModel {
  var counters: [MediumCounters] { get set }
  /// When something happens next.
  var nextDeadline: Int64? { get }
  /// What happens then.
  mutating func step() -> [MediumEvent]
  /// A station, which has nothing to send yet, gets a frame; `destination` is nil for a group.
  mutating func offer(_ byteCount: Int, by station: Int, to destination: Int?, at now: Int64) -> [MediumEvent]
  /// A station forgets what it has to send; what is under way stays so.
  mutating func withdraw(_ station: Int)
}

/// What is to happen, the earliest first; at one time by rank, and then in the order in which it was asked for.
struct MediumAgenda<Item> {
  private struct Entry {
    var time: Int64
    var rank: Int
    var item: Item
  }
  /// The next one is the last.
  private var entries: [Entry] = []

  var nextTime: Int64? { entries.last?.time }

  mutating func add(_ item: Item, at time: Int64, rank: Int) {
    var place = entries.count
    while place > 0, (entries[place - 1].time, entries[place - 1].rank) <= (time, rank) { place -= 1 }
    entries.insert(Entry(time: time, rank: rank, item: item), at: place)
  }

  /// The next item, if it is due at `time`.
  mutating func pop(at time: Int64) -> Item? {
    guard let last = entries.last, last.time <= time else { return nil }
    entries.removeLast()
    return last.item
  }
}
