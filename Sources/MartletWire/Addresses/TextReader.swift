/// Walks over the text of an address, byte by byte; each `read…` moves on only if it found what it looks for.
struct TextReader {
  private let bytes: [UInt8]
  private(set) var index = 0

  init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

  var isAtEnd: Bool { index == bytes.count }

  private func peek() -> UInt8? { index < bytes.count ? bytes[index] : nil }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard let byte = peek(), UInt32(byte) == character.value else { return false }
    index += 1
    return true
  }

  /// A decimal number without sign and without leading zeros, which some programs take for octal.
  mutating func readDecimal<T: FixedWidthInteger>(as type: T.Type = T.self) -> T? {
    let start = index
    var value: T = 0
    while let byte = peek(), let digit = Self.digit(byte), digit < 10 {
      let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflowedAgain) = product.addingReportingOverflow(T(digit))
      let isAfterZero = index > start && value == 0
      guard !overflowed, !overflowedAgain, !isAfterZero else {
        index = start
        return nil
      }
      value = sum
      index += 1
    }
    return index > start ? value : nil
  }

  /// A hexadecimal number of `digits` digits.
  mutating func readHexadecimal(digits: ClosedRange<Int>) -> UInt32? {
    let start = index
    var value: UInt32 = 0
    while let byte = peek(), let digit = Self.digit(byte) {
      guard index - start < digits.upperBound else {
        index = start
        return nil
      }
      value = value << 4 | UInt32(digit)
      index += 1
    }
    guard index - start >= digits.lowerBound else {
      index = start
      return nil
    }
    return value
  }

  /// The dotted quad of RFC 6943 section 3.1.1's strict form: four decimal numbers.
  mutating func readIPv4() -> IPv4Address? {
    let start = index
    var value: UInt32 = 0
    for part in 0..<4 {
      guard part == 0 || skip("."), let byte = readDecimal(as: UInt8.self) else {
        index = start
        return nil
      }
      value = value << 8 | UInt32(byte)
    }
    return IPv4Address(value: value)
  }

  /// An IPv6 address in any form of RFC 4291 section 2.2.
  mutating func readIPv6() -> IPv6Address? {
    let start = index
    guard let address = readIPv6Groups() else {
      index = start
      return nil
    }
    return address
  }

  private mutating func readIPv6Groups() -> IPv6Address? {
    var front = GroupRun()
    var back: GroupRun?
    if skip(":") {
      guard skip(":") else { return nil }
      back = GroupRun()
    }
    while true {
      let count = front.count + (back?.count ?? 0)
      if count <= 6, let quad = readIPv4() {
        let pair = [UInt16(truncatingIfNeeded: quad.value >> 16), UInt16(truncatingIfNeeded: quad.value)]
        for group in pair {
          if back == nil { front.append(group) } else { back?.append(group) }
        }
        break
      }
      guard count < 8, let group = readHexadecimal(digits: 1...4) else {
        // Nothing has to follow "::"; everywhere else a group has to.
        guard let run = back, run.count == 0 else { return nil }
        break
      }
      if back == nil { front.append(UInt16(group)) } else { back?.append(UInt16(group)) }
      guard skip(":") else { break }
      if skip(":") {
        guard back == nil else { return nil }
        back = GroupRun()
      }
    }
    guard let back else { return front.count == 8 ? front.address(from: 0) : nil }
    // "::" stands for at least one group (RFC 4291 section 2.2).
    guard front.count + back.count < 8 else { return nil }
    let left = front.address(from: 0)
    let right = back.address(from: 8 - back.count)
    return IPv6Address(high: left.high | right.high, low: left.low | right.low)
  }

  /// An address of either version.
  mutating func readIP() -> IPAddress? {
    if let v4 = readIPv4() { return IPAddress(v4) }
    if let v6 = readIPv6() { return IPAddress(v6) }
    return nil
  }

  /// The bytes up to `end` (not included), or up to the end of the text.
  mutating func readText(upTo end: Unicode.Scalar? = nil) -> Substring {
    let start = index
    while let byte = peek(), end.map({ UInt32(byte) != $0.value }) ?? true { index += 1 }
    return Substring(decoding: bytes[start..<index], as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// Consecutive groups of an IPv6 address, on either side of "::".
  private struct GroupRun {
    private(set) var count = 0
    private var high: UInt64 = 0
    private var low: UInt64 = 0

    mutating func append(_ group: UInt16) {
      high = high << 16 | low >> 48
      low = low << 16 | UInt64(group)
      count += 1
    }

    /// The address in which the first group of this run stands at `position`, all others being zero.
    func address(from position: Int) -> IPv6Address {
      let shift = (8 - position - count) * 16
      if shift >= 64 { return IPv6Address(high: shift == 128 ? 0 : low << (shift - 64), low: 0) }
      return IPv6Address(high: high << shift | (shift == 0 ? 0 : low >> (64 - shift)), low: low << shift)
    }
  }
}
