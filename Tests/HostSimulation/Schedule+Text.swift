// A schedule as lines that a person reads and a later run reads back.

extension Schedule: CustomStringConvertible {
  /// One line for each host, lane and event; what is as by default is left out.
  public var description: String {
    var lines = ["seed \(seed)"]
    for side in Side.allCases {
      lines.append((["host", side.name] + hosts[side.rawValue].words).joined(separator: " "))
      lines.append((["lane", side.laneName] + lanes[side.rawValue].words).joined(separator: " "))
    }
    return (lines + events.map(\.description)).joined(separator: "\n") + "\n"
  }

  /// What is wrong with a schedule's text.
  public struct TextError: Error, CustomStringConvertible {
    public var line: String
    public var description: String { "not a line of a schedule: \(line)" }
  }

  /// Reads what ``description`` wrote; empty lines and those that begin with # say nothing.
  public init(text: String) throws(TextError) {
    self.init(seed: 0)
    for line in text.split(separator: "\n") {
      var words = Words(line)
      guard !words.isEmpty, !line.hasPrefix("#") else { continue }
      guard read(&words) else { throw TextError(line: String(line)) }
    }
  }

  private mutating func read(_ words: inout Words) -> Bool {
    switch words.next() {
    case "seed":
      guard let word = words.next(), let value = UInt64(word) else { return false }
      seed = value
      return true
    case "host":
      guard let side = words.side() else { return false }
      return hosts[side.rawValue].read(&words)
    case "lane":
      guard let side = words.side() else { return false }
      return lanes[side.rawValue].read(&words)
    case let key?:
      guard let event = Event(key, &words) else { return false }
      events.append(event)
      return true
    case nil: return true
    }
  }
}

/// The words of a line, one after another.
struct Words {
  private var words: [Substring]
  private var place = 0

  init(_ line: Substring) { words = line.split(separator: " ") }

  var isEmpty: Bool { place == words.count }

  mutating func next() -> String? {
    guard place < words.count else { return nil }
    place += 1
    return String(words[place - 1])
  }

  mutating func int() -> Int? { next().flatMap { Int($0) } }

  mutating func bool() -> Bool? {
    switch next() {
    case "on": true
    case "off": false
    default: nil
    }
  }

  mutating func side() -> Schedule.Side? {
    let word = next()
    return Schedule.Side.allCases.first { $0.name == word || $0.laneName == word }
  }

  /// A span such as `250us`, `3ms` or `2s`, in microseconds.
  mutating func span() -> Int? {
    guard let word = next() else { return nil }
    for (unit, factor) in [("us", 1), ("ms", 1_000), ("s", 1_000_000)] where word.hasSuffix(unit) {
      if let count = Int(word.dropLast(unit.count)) { return count * factor }
    }
    return nil
  }

  /// Whether the next word is `word`; if not, it stays.
  mutating func take(_ word: String) -> Bool {
    guard place < words.count, words[place] == word else { return false }
    place += 1
    return true
  }

  static func span(_ microseconds: Int) -> String {
    if microseconds % 1_000_000 == 0 { return "\(microseconds / 1_000_000)s" }
    if microseconds % 1_000 == 0 { return "\(microseconds / 1_000)ms" }
    return "\(microseconds)us"
  }

  static func bool(_ value: Bool) -> String { value ? "on" : "off" }
}

// MARK: - Set-up

extension HostSetup {
  static let numbers: [(String, any WritableKeyPath<HostSetup, Int> & Sendable)] = [
    ("mtu", \.mtu), ("send-buffer", \.sendBuffer), ("receive-buffer", \.receiveBuffer),
    ("reassembly-pieces", \.reassemblyPieces), ("syn-queue", \.synQueue), ("backlog", \.backlog),
    ("accept-delay-us", \.acceptDelay), ("think-time-us", \.thinkTime), ("user-timeout-s", \.userTimeout),
    ("keep-alive-s", \.keepAlive), ("pool-blocks", \.poolBlocks),
  ]
  static let switches: [(String, any WritableKeyPath<HostSetup, Bool> & Sendable)] = [
    ("timestamps", \.timestamps), ("sack", \.selective), ("scaling", \.scaling), ("no-delay", \.noDelay),
  ]

  var words: [String] {
    let standard = HostSetup()
    var words: [String] = []
    for (name, path) in Self.numbers where self[keyPath: path] != standard[keyPath: path] {
      words += [name, "\(self[keyPath: path])"]
    }
    for (name, path) in Self.switches where self[keyPath: path] != standard[keyPath: path] {
      words += [name, Words.bool(self[keyPath: path])]
    }
    if offload != standard.offload { words += ["offload", offload.rawValue] }
    return words
  }

  mutating func read(_ words: inout Words) -> Bool {
    while let key = words.next() {
      if let path = Self.numbers.first(where: { $0.0 == key })?.1 {
        guard let value = words.int() else { return false }
        self[keyPath: path] = value
      } else if let path = Self.switches.first(where: { $0.0 == key })?.1 {
        guard let value = words.bool() else { return false }
        self[keyPath: path] = value
      } else if key == "offload", let value = words.next().flatMap(Offload.init(rawValue:)) {
        offload = value
      } else {
        return false
      }
    }
    return true
  }
}

extension LaneSetup {
  static let numbers: [(String, any WritableKeyPath<LaneSetup, Int> & Sendable)] = [
    ("delay-us", \.delay), ("jitter-us", \.jitter), ("rate", \.rate), ("queue", \.queue),
  ]

  var words: [String] {
    let standard = LaneSetup()
    return Self.numbers.flatMap { name, path in
      self[keyPath: path] == standard[keyPath: path] ? [] : [name, "\(self[keyPath: path])"]
    }
  }

  mutating func read(_ words: inout Words) -> Bool {
    while let key = words.next() {
      guard let path = Self.numbers.first(where: { $0.0 == key })?.1, let value = words.int() else { return false }
      self[keyPath: path] = value
    }
    return true
  }
}

// MARK: - Events

extension Schedule.Event: CustomStringConvertible {
  public var description: String {
    switch self {
    case .connection(let plan):
      "connection \(plan.id) from \(plan.opener.name) over \(plan.isIPv6 ? "ipv6" : "ipv4") at \(Words.span(plan.start))"
        + (plan.isSimultaneous ? " simultaneous" : "") + (plan.writesEarly ? " early" : "")
    case .action(let connection, let side, let action): "program \(connection) \(side.name) \(action)"
    case .fault(let side, let packet, let fault): "packet \(side.laneName) \(packet) \(fault)"
    case .outage(let side, let start, let span):
      "outage \(side?.laneName ?? "both") at \(Words.span(start)) for \(Words.span(span))"
    case .pathMTU(let mtu, let reported, let start, let span):
      "mtu \(mtu) \(reported ? "reported" : "silent") at \(Words.span(start)) for \(Words.span(span))"
    }
  }

  init?(_ key: String, _ words: inout Words) {
    switch key {
    case "connection":
      guard let id = words.int(), words.take("from"), let side = words.side(), words.take("over"),
        let version = words.next(), words.take("at"), let start = words.span()
      else { return nil }
      var plan = ConnectionPlan(id: id)
      plan.opener = side
      plan.isIPv6 = version == "ipv6"
      plan.start = start
      plan.isSimultaneous = words.take("simultaneous")
      plan.writesEarly = words.take("early")
      self = .connection(plan)
    case "program":
      guard let id = words.int(), let side = words.side(), let action = Action(&words) else { return nil }
      self = .action(connection: id, side, action)
    case "packet":
      guard let side = words.side(), let packet = words.int(), let fault = Fault(&words) else { return nil }
      self = .fault(side, packet: packet, fault)
    case "outage":
      let side = words.take("both") ? nil : words.side()
      guard words.take("at"), let start = words.span(), words.take("for"), let span = words.span() else { return nil }
      self = .outage(side, at: start, for: span)
    case "mtu":
      guard let mtu = words.int() else { return nil }
      let reported = words.take("reported")
      guard reported || words.take("silent"), words.take("at"), let start = words.span(), words.take("for"),
        let span = words.span()
      else { return nil }
      self = .pathMTU(mtu, reported: reported, at: start, for: span)
    default: return nil
    }
    guard words.isEmpty else { return nil }
  }
}

extension Action: CustomStringConvertible {
  public var description: String {
    switch self {
    case .write(let count, let bySlice): "write \(count)\(bySlice ? " by-slice" : "")"
    case .pauseWriting(let span): "pause-writing \(Words.span(span))"
    case .noDelay(let isOn): "no-delay \(Words.bool(isOn))"
    case .cork(let isOn): "cork \(Words.bool(isOn))"
    case .shutdown: "shutdown"
    case .letGo: "let-go"
    case .abort: "abort"
    case .read(let count, let size): "read \(count) by \(size)"
    case .pauseReading(let span): "pause-reading \(Words.span(span))"
    }
  }

  init?(_ words: inout Words) {
    switch words.next() {
    case "write":
      guard let count = words.int() else { return nil }
      self = .write(count, bySlice: words.take("by-slice"))
    case "pause-writing":
      guard let span = words.span() else { return nil }
      self = .pauseWriting(span)
    case "no-delay":
      guard let isOn = words.bool() else { return nil }
      self = .noDelay(isOn)
    case "cork":
      guard let isOn = words.bool() else { return nil }
      self = .cork(isOn)
    case "shutdown": self = .shutdown
    case "let-go": self = .letGo
    case "abort": self = .abort
    case "read":
      guard let count = words.int(), words.take("by"), let size = words.int(), size > 0 else { return nil }
      self = .read(count, by: size)
    case "pause-reading":
      guard let span = words.span() else { return nil }
      self = .pauseReading(span)
    default: return nil
    }
  }
}

extension Fault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .drop: "drop"
    case .burstDrop: "burst-drop"
    case .duplicate(let span): "duplicate \(Words.span(span))"
    case .late(let span): "late \(Words.span(span))"
    case .corrupt(let bit, let pattern): "corrupt \(bit) \(pattern)"
    case .clampWindow(let window): "clamp-window \(window)"
    }
  }

  init?(_ words: inout Words) {
    switch words.next() {
    case "drop": self = .drop
    case "burst-drop": self = .burstDrop
    case "duplicate":
      guard let span = words.span() else { return nil }
      self = .duplicate(after: span)
    case "late":
      guard let span = words.span() else { return nil }
      self = .late(span)
    case "corrupt":
      guard let bit = words.int(), bit >= 0, let pattern = words.int(), (1..<0x8000).contains(pattern) else {
        return nil
      }
      self = .corrupt(at: bit, pattern: UInt16(pattern))
    case "clamp-window":
      guard let window = words.int(), window >= 0 else { return nil }
      self = .clampWindow(window)
    default: return nil
    }
  }
}
