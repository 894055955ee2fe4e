import MartletWire
import Yams

/// A value of a YAML file, and the units that worlds are written in.
struct YAMLValue {
  let node: Node
  let file: String?

  var line: Int? { node.mark?.line }

  func mistake(_ problem: String, _ remedy: String) -> WorldError {
    WorldError(problem, remedy: remedy, file: file, line: line)
  }

  var isScalar: Bool { node.scalar != nil }
  var isMapping: Bool { node.mapping != nil }
  /// Whether nothing stands there: `client:`
  var isEmpty: Bool { node.scalar.map { $0.string.isEmpty || $0.string == "~" || $0.string == "null" } ?? false }

  func text() throws(WorldError) -> String {
    guard let scalar = node.scalar else { throw mistake("A word is missing here", "Write a name or a value.") }
    return scalar.string
  }

  /// A sequence, or one value alone.
  func list() throws(WorldError) -> [YAMLValue] {
    if let sequence = node.sequence { return sequence.map { YAMLValue(node: $0, file: file) } }
    if isEmpty { return [] }
    return [self]
  }

  /// The entries of a mapping, or the names of a sequence, with nothing behind them.
  func entries() throws(WorldError) -> [(YAMLValue, YAMLValue?)] {
    if let mapping = node.mapping {
      return mapping.map { (YAMLValue(node: $0.key, file: file), YAMLValue(node: $0.value, file: file)) }
    }
    return try list().map { ($0, nil) }
  }

  // MARK: Numbers

  func count(_ range: ClosedRange<Int>) throws(WorldError) -> Int {
    guard let number = Int(try text().replacing("_", with: "")), range.contains(number) else {
      throw mistake("\"\(try text())\" is not a number from \(range.lowerBound) to \(range.upperBound)", "Write one.")
    }
    return number
  }

  func seed() throws(WorldError) -> UInt64 {
    guard let number = UInt64(try text()) else { throw mistake("\"\(try text())\" is no seed", "Write a number.") }
    return number
  }

  func port() throws(WorldError) -> UInt16 { UInt16(try count(1...65_535)) }

  func bool() throws(WorldError) -> Bool {
    switch try text() {
    case "true", "yes", "on": true
    case "false", "no", "off": false
    default: throw mistake("\"\(try text())\" is neither yes nor no", "Write `true` or `false`.")
    }
  }

  /// "1 %", "0.01".
  func probability() throws(WorldError) -> Double {
    let (number, unit) = try quantity()
    let value = unit == "%" ? number / 100 : number
    guard unit == "%" || unit.isEmpty, value >= 0, value <= 1 else {
      throw mistake("\"\(try text())\" is no probability", "Write `1 %`, or a number from 0 to 1.")
    }
    return value
  }

  /// "10 ms".
  func duration() throws(WorldError) -> Duration {
    let (number, unit) = try quantity()
    let scale: Double
    switch unit {
    case "ns": scale = 1
    case "us", "µs": scale = 1e3
    case "ms": scale = 1e6
    case "s": scale = 1e9
    case "min": scale = 60e9
    case "h": scale = 3_600e9
    default:
      guard number == 0, unit.isEmpty else {
        throw mistake("\"\(try text())\" is no time", "Write a number and ns, us, ms, s, min or h, as `10 ms`.")
      }
      return .zero
    }
    let nanoseconds = (number * scale).rounded()
    guard nanoseconds >= 0, nanoseconds < 9e18 else {
      throw mistake("\"\(try text())\" is too long or negative", "Write less than 292 years.")
    }
    return .nanoseconds(Int64(nanoseconds))
  }

  /// "-3 s".
  func signedDuration() throws(WorldError) -> Duration {
    guard try text().hasPrefix("-") else { return try duration() }
    return .zero - (try YAMLValue(node: Node(String(try text().dropFirst())), file: file).duration())
  }

  /// As ``duration()``, to the picosecond.
  func fineDuration() throws(WorldError) -> Duration {
    let (number, unit) = try quantity()
    if unit == "ns" || unit == "ps", number >= 0, number < 1e9 {
      return Duration(
        secondsComponent: 0, attosecondsComponent: Int64((number * (unit == "ns" ? 1_000 : 1)).rounded()) * 1_000_000)
    }
    return try duration()
  }

  /// "100 ppm".
  func drift() throws(WorldError) -> Double {
    let (number, unit) = try quantity()
    guard unit == "ppm" else {
      throw mistake("\"\(try text())\" is no drift", "Write a number and ppm, as `100 ppm` or `-20.5 ppm`.")
    }
    return number
  }

  /// "10 Mbit/s".
  func rate() throws(WorldError) -> UInt64 {
    let (number, unit) = try quantity()
    let scale: Double
    switch unit {
    case "bit/s": scale = 1
    case "kbit/s": scale = 1e3
    case "Mbit/s": scale = 1e6
    case "Gbit/s": scale = 1e9
    case "Tbit/s": scale = 1e12
    default:
      throw mistake(
        "\"\(try text())\" is no rate", "Write a number and bit/s, kbit/s, Mbit/s or Gbit/s, as `10 Mbit/s`.")
    }
    guard number >= 0, number * scale < 1e18 else {
      throw mistake("The rate is too high", "Write less than 10^18 bit/s.")
    }
    return UInt64((number * scale).rounded())
  }

  /// "64 kB", "4 MiB", "1500".
  func byteCount() throws(WorldError) -> Int {
    let (number, unit) = try quantity()
    let scale: Double
    switch unit {
    case "", "B": scale = 1
    case "kB": scale = 1e3
    case "KiB": scale = 1_024
    case "MB": scale = 1e6
    case "MiB": scale = 1_048_576
    default: throw mistake("\"\(try text())\" is no size", "Write a number and B, kB, KiB, MB or MiB, as `64 kB`.")
    }
    guard number >= 0, number * scale < 1e15 else { throw mistake("The size is too large", "Write less.") }
    return Int((number * scale).rounded())
  }

  /// "500 m", "2.5 km".
  func meters() throws(WorldError) -> Int {
    let (number, unit) = try quantity()
    let scale = unit == "m" ? 1.0 : unit == "km" ? 1e3 : 0
    guard scale > 0 || number == 0, number >= 0, number * scale <= 1e6 else {
      throw mistake("\"\(try text())\" is no place on a cable", "Write a number and m or km, as `500 m`.")
    }
    return Int((number * scale).rounded())
  }

  /// A number and what stands behind it.
  private func quantity() throws(WorldError) -> (Double, String) {
    let text = try text()
    let digits = text.prefix { $0.isNumber || $0 == "." || $0 == "-" || $0 == "_" }
    guard let number = Double(digits.replacing("_", with: "")) else {
      throw mistake("\"\(text)\" does not begin with a number", "Write one, and its unit.")
    }
    let rest = text.dropFirst(digits.count)
    return (number, String(rest.drop { $0 == " " }))
  }

  // MARK: Addresses

  func address() throws(WorldError) -> IPAddress {
    guard let address = IPAddress(try text()) else {
      throw mistake("\"\(try text())\" is no IP address", "Write one, as 192.0.2.1 or 2001:db8::1.")
    }
    return address
  }

  func subnet() throws(WorldError) -> Subnet {
    guard let subnet = Subnet(try text()) else {
      throw mistake("\"\(try text())\" is no block of addresses", "Write one, as 10.0.0.0/8.")
    }
    return subnet
  }

  func addressInSubnet() throws(WorldError) -> AddressInSubnet {
    guard let address = AddressInSubnet(try text()) else {
      throw mistake("\"\(try text())\" is no address with its prefix", "Write one, as 192.0.2.1/24.")
    }
    return address
  }

  func macAddress() throws(WorldError) -> MACAddress {
    guard let address = MACAddress(try text()) else {
      throw mistake("\"\(try text())\" is no Ethernet address", "Write one, as 02:00:00:00:00:01.")
    }
    return address
  }
}
