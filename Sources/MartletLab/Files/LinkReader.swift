import MartletWire

/// Reads what a link, or one direction of it, does to frames.
enum LinkReader {
  static func read(_ fields: inout YAMLFields, into way: inout LinkDirection) throws(WorldError) {
    if let value = fields["rate"] { way.rate = try value.rate() }
    if let value = fields["delay"] { way.delay = try value.duration() }
    if let value = fields["mtu"] { way.mtu = try value.count(68...65_535) }
    if let value = fields["rates"] {
      way.rateChanges = []
      for entry in try value.list() {
        let inner = try YAMLFields(entry.node, "a change of rate", file: entry.file)
        guard let at = inner["at"], let rate = inner["rate"] else {
          throw entry.mistake("A change of rate has a time and a rate", "Write `{at: 10 s, rate: 1 Mbit/s}`.")
        }
        way.rateChanges.append(LinkDirection.RateChange(at: try at.duration(), rate: try rate.rate()))
        try inner.finish()
      }
    }
    if let value = fields["queue"] { way.queue = try readQueue(value) }
    if let value = fields["jitter"] { way.jitter = try readJitter(value) }
    if let value = fields["loss"] { way.loss = try readLoss(value) }
    if let value = fields["duplication"] { way.duplication = try value.probability() }
    if let value = fields["corruption"] {
      if value.isScalar {
        way.corruption = LinkDirection.Corruption(try value.probability())
      } else {
        let inner = try YAMLFields(value.node, "corruption", file: value.file)
        let detected = try inner["detected"]?.bool() ?? true
        way.corruption = LinkDirection.Corruption(
          try inner["probability"]?.probability() ?? 0, isDetected: detected)
        try inner.finish()
      }
    }
    if let value = fields["truncation"] {
      let inner = try YAMLFields(value.node, "truncation", file: value.file)
      way.truncation = LinkDirection.Truncation(
        try inner["probability"]?.probability() ?? 1, to: try inner["to"]?.byteCount() ?? 64)
      try inner.finish()
    }
    if let value = fields["reordering"] {
      let inner = try YAMLFields(value.node, "reordering", file: value.file)
      way.reordering = LinkDirection.Reordering(
        try inner["probability"]?.probability() ?? 0, by: try inner["by"]?.duration() ?? .milliseconds(5))
      try inner.finish()
    }
    if let value = fields["script"] {
      way.script = []
      for entry in try value.list() { way.script.append(try readScript(entry)) }
    }
    if let value = fields["outages"] {
      way.outages = []
      for entry in try value.list() {
        let inner = try YAMLFields(entry.node, "an outage", file: entry.file)
        let end = try inner["to"].map { value throws(WorldError) in try value.duration() }
        way.outages.append(LinkDirection.Outage(from: try inner["from"]?.duration() ?? .zero, to: end))
        try inner.finish()
      }
    }
  }

  private static func readQueue(_ value: YAMLValue) throws(WorldError) -> LinkDirection.Queue {
    let fields = try YAMLFields(value.node, "a queue", file: value.file)
    var queue = LinkDirection.Queue()
    if let frames = fields["frames"] { queue.maximumFrames = try frames.count(0...1_000_000) }
    if let bytes = fields["bytes"] { queue.maximumBytes = try bytes.byteCount() }
    if let marks = fields["ecn"] { queue.marks = try marks.bool() }
    if let red = fields["red"] {
      let inner = try YAMLFields(red.node, "RED", file: red.file)
      guard let minimum = inner["minimum"], let maximum = inner["maximum"] else {
        throw red.mistake("RED has two thresholds", "Write `{minimum: 15 kB, maximum: 45 kB}`.")
      }
      queue.discipline = .red(
        minimum: try minimum.byteCount(), maximum: try maximum.byteCount(),
        probability: try inner["probability"]?.probability() ?? 0.1)
      try inner.finish()
    }
    if let coDel = fields["codel"] {
      if coDel.isScalar {
        if try coDel.bool() { queue.discipline = .coDel() }
      } else {
        let inner = try YAMLFields(coDel.node, "CoDel", file: coDel.file)
        queue.discipline = .coDel(
          target: try inner["target"]?.duration() ?? .milliseconds(5),
          interval: try inner["interval"]?.duration() ?? .milliseconds(100))
        try inner.finish()
      }
    }
    try fields.finish()
    return queue
  }

  private static func readJitter(_ value: YAMLValue) throws(WorldError) -> LinkDirection.Jitter {
    if value.isScalar { return LinkDirection.Jitter(try value.duration()) }
    let fields = try YAMLFields(value.node, "jitter", file: value.file)
    guard let spread = fields["spread"] else { throw value.mistake("The jitter has no spread", "Add `spread: 5 ms`.") }
    var jitter = LinkDirection.Jitter(try spread.duration())
    if let shape = fields["distribution"] {
      guard let known = LinkDirection.Jitter.Distribution(rawValue: try shape.text()) else {
        throw shape.mistake(
          "There is no such distribution",
          "Known are \(LinkDirection.Jitter.Distribution.allCases.map(\.rawValue).joined(separator: ", ")).")
      }
      jitter.distribution = known
    }
    if let order = fields["keeps order"] { jitter.keepsOrder = try order.bool() }
    try fields.finish()
    return jitter
  }

  private static func readLoss(_ value: YAMLValue) throws(WorldError) -> LinkDirection.Loss {
    if value.isScalar { return .random(try value.probability()) }
    let fields = try YAMLFields(value.node, "loss", file: value.file)
    if let every = fields["every"] {
      try fields.finish(allowing: ["every"])
      return .every(try every.count(1...1_000_000_000))
    }
    guard let toBad = fields["to bad"], let toGood = fields["to good"] else {
      throw value.mistake(
        "This says not what is lost", "Write `1 %`, `{every: 10}` or `{to bad: 1 %, to good: 30 %}`.")
    }
    let loss = LinkDirection.Loss.gilbertElliott(
      toBad: try toBad.probability(), toGood: try toGood.probability(),
      lossInGood: try fields["in good"]?.probability() ?? 0, lossInBad: try fields["in bad"]?.probability() ?? 1)
    try fields.finish()
    return loss
  }

  private static func readScript(_ value: YAMLValue) throws(WorldError) -> ScriptedFault {
    let fields = try YAMLFields(value.node, "a scripted fault", file: value.file)
    var numbers: [Int] = []
    var action: ScriptedFault.Action?
    for (key, known) in [("lose", ScriptedFault.Action.lose), ("duplicate", .duplicate), ("corrupt", .corrupt)] {
      guard let list = fields[key] else { continue }
      for number in try list.list() { numbers.append(try number.count(1...1_000_000_000)) }
      action = known
    }
    if let list = fields["delay"] {
      for number in try list.list() { numbers.append(try number.count(1...1_000_000_000)) }
      action = .delay(try fields["by"]?.duration() ?? .milliseconds(5))
    }
    guard let action else {
      throw value.mistake("Nothing happens here", "Write `{lose: 3, of: tcp-data, to port: 80}`.")
    }
    var pattern = FramePattern()
    if let kind = fields["of"] {
      guard let known = FramePattern.Kind(rawValue: try kind.text()) else {
        throw kind.mistake(
          "There are no such frames", "Known are \(FramePattern.Kind.allCases.map(\.rawValue).joined(separator: ", "))."
        )
      }
      pattern.kind = known
    }
    if let value = fields["from"] { pattern.source = try value.address() }
    if let value = fields["to"] { pattern.destination = try value.address() }
    if let value = fields["from port"] { pattern.sourcePort = try value.port() }
    if let value = fields["to port"] { pattern.destinationPort = try value.port() }
    try fields.finish()
    return ScriptedFault(action, numbers, of: pattern)
  }
}
