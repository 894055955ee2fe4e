import Martlet

// What is wrong with machines, and what reaches out of a world, as a file says it.

enum MachineReader {
  /// `{skew: -3 s, drift: 100 ppm}`
  static func clock(_ value: YAMLValue, _ file: String?) throws(WorldError) -> ClockFault {
    let fields = try YAMLFields(value.node, "a clock", file: file)
    var fault = ClockFault()
    if let skew = fields["skew"] { fault.skew = try skew.signedDuration() }
    if let drift = fields["drift"] { fault.drift = try drift.drift() }
    try fields.finish()
    return fault
  }

  /// `{frame: 20 us, byte: 8 ns}`
  static func cpu(_ value: YAMLValue, _ file: String?) throws(WorldError) -> WorldDescription.Processor {
    let fields = try YAMLFields(value.node, "a processor", file: file)
    var processor = WorldDescription.Processor()
    if let frame = fields["frame"] { processor.perFrame = try frame.duration() }
    if let byte = fields["byte"] { processor.perByte = try byte.fineDuration() }
    try fields.finish()
    return processor
  }

  /// `64`, or `unlimited`.
  static func ring(_ value: YAMLValue) throws(WorldError) -> Int? {
    try value.text() == "unlimited" ? nil : try value.count(1...1_000_000)
  }

  /// `{name: what}`
  static func entry(_ value: YAMLValue) throws(WorldError) -> (name: String, value: YAMLValue) {
    guard let (name, rest) = try value.entries().first, let rest else {
      throw value.mistake("Whose is it, and what?", "Write `{name: what}`.")
    }
    return (try name.text(), rest)
  }

  /// What of machines a schedule changes.
  static func fault(_ fields: YAMLFields, _ file: String?) throws(WorldError) -> WorldDescription.Fault? {
    if let value = fields["clock"] {
      let (name, value) = try entry(value)
      return .clock(name, try clock(value, file))
    }
    if let value = fields["cpu"] {
      let (name, value) = try entry(value)
      return .cpu(name, try cpu(value, file))
    }
    if let value = fields["ring"] {
      let (name, value) = try entry(value)
      return .ring(name, try ring(value))
    }
    return nil
  }

  static func pace(_ value: YAMLValue) throws(WorldError) -> WorldPace {
    guard let pace = WorldPace(try value.text()) else {
      throw value.mistake(
        "Time does not pass \"\(try value.text())\"",
        "Write `virtual`, `real`, or how many of its seconds pass in one of ours.")
    }
    return pace
  }

  static func published(_ value: YAMLValue) throws(WorldError) -> WorldDescription.PublishedPort {
    guard let port = WorldDescription.PublishedPort(try value.text()) else {
      throw value.mistake(
        "\"\(try value.text())\" publishes nothing", "Write `port:host:port`, as `8080:server:80`, and `/udp` if it is."
      )
    }
    return port
  }
}

extension WorldDescription {
  /// Adds the TAP devices that a node's `tap:` names.
  mutating func addTaps(_ value: YAMLValue, on node: String) throws(WorldError) {
    for (name, address) in try value.entries() {
      var end = End(node)
      for address in try address?.list() ?? [] { end.addresses.append(try address.addressInSubnet()) }
      tap(try name.text(), on: end)
    }
  }
}
