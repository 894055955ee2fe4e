import NIOHTTP1

/// The letters that field lines are made of (RFC 9110 sections 5.1, 5.5 and 5.6.2).
enum FieldSyntax {
  static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
      UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
      true
    default: false
    }
  }

  static func isValue(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7f || byte == 0x09 }

  /// Checks the field lines of `bytes`, which end with an empty line, and hands over where names and values lie.
  static func forEachLine(
    _ bytes: Span<UInt8>, from start: Int,
    _ body: (_ name: Range<Int>, _ value: Range<Int>) throws(RequestRejection) -> Void
  ) throws(RequestRejection) {
    var position = start
    while position < bytes.count, bytes[position] != 0x0d {
      let nameStart = position
      while position < bytes.count, isToken(bytes[position]) { position += 1 }
      if position == nameStart, bytes[position] == 0x20 || bytes[position] == 0x09 {
        throw RequestRejection(.badRequest, "a field line is folded")
      }
      // Section 5.1 of RFC 9112: blanks in front of the colon are refused too.
      guard position > nameStart, position < bytes.count, bytes[position] == UInt8(ascii: ":") else {
        throw RequestRejection(.badRequest, "a field name is malformed")
      }
      let name = nameStart..<position
      position += 1
      let valueStart = position
      while position < bytes.count, isValue(bytes[position]) { position += 1 }
      guard position + 1 < bytes.count, bytes[position] == 0x0d, bytes[position + 1] == 0x0a else {
        throw RequestRejection(.badRequest, "a field value has a control character")
      }
      var value = valueStart..<position
      while let first = value.first, bytes[first] == 0x20 || bytes[first] == 0x09 {
        value = (first + 1)..<value.upperBound
      }
      while let last = value.last, bytes[last] == 0x20 || bytes[last] == 0x09 { value = value.lowerBound..<last }
      try body(name, value)
      position += 2
    }
    guard position + 2 == bytes.count else { throw RequestRejection(.badRequest, "a field line is malformed") }
  }

  /// Whether these bytes are `word`, which is in lower case.
  static func equals(_ bytes: Span<UInt8>, _ range: Range<Int>, _ word: StaticString) -> Bool {
    guard range.count == word.utf8CodeUnitCount else { return false }
    // A static string lives as long as the program; the loop stays below its length.
    let start = unsafe word.utf8Start
    for index in 0..<range.count {
      let byte = bytes[range.lowerBound + index]
      let lower = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
      if unsafe lower != start[index] { return false }
    }
    return true
  }

  static func string(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    var result: [UInt8] = []
    result.reserveCapacity(range.count)
    for index in range { result.append(bytes[index]) }
    return String(decoding: result, as: UTF8.self)
  }

  /// `host [":" port]` of RFC 3986 section 3.2, without a user; empty is allowed (RFC 9110 section 7.2).
  static func isHost(_ text: String) -> Bool {
    var rest = Substring(text).utf8[...]
    if rest.first == UInt8(ascii: "[") {
      guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return false }
      let inside = rest[rest.startIndex..<end].dropFirst()
      guard !inside.isEmpty,
        inside.allSatisfy({ hexDigit($0) != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") })
      else { return false }
      rest = rest[end...].dropFirst()
    } else {
      let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
      var position = rest.startIndex
      while position < end {
        let byte = rest[position]
        position = rest.index(after: position)
        switch byte {
        case UInt8(ascii: "%"):
          for _ in 0..<2 {
            guard position < end, hexDigit(rest[position]) != nil else { return false }
            position = rest.index(after: position)
          }
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
          UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"),
          UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ";"),
          UInt8(ascii: "="):
          continue
        default: return false
        }
      }
      rest = rest[end...]
    }
    guard rest.first == UInt8(ascii: ":") else { return rest.isEmpty }
    let port = Substring(rest.dropFirst())
    return port.isEmpty || (decimal(port).map { $0 <= 65_535 } ?? false)
  }
}
