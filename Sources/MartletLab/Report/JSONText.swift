/// JSON (RFC 8259) as it is written: the same values give the same bytes. A `<` never appears, so that the text may
/// stand in an element of HTML.
struct JSONText {
  private(set) var bytes: [UInt8] = []
  private var needsComma = false

  mutating func object(_ body: (inout JSONText) -> Void) { enclose(UInt8(ascii: "{"), UInt8(ascii: "}"), body) }

  mutating func array(_ body: (inout JSONText) -> Void) { enclose(UInt8(ascii: "["), UInt8(ascii: "]"), body) }

  mutating func array<C: Collection>(_ items: C, _ body: (inout JSONText, C.Element) -> Void) {
    array { text in for item in items { body(&text, item) } }
  }

  private mutating func enclose(_ opening: UInt8, _ closing: UInt8, _ body: (inout JSONText) -> Void) {
    separate()
    bytes.append(opening)
    needsComma = false
    body(&self)
    bytes.append(closing)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  /// The name of the member that follows.
  mutating func key(_ name: String) {
    string(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  mutating func number(_ value: some BinaryInteger) {
    separate()
    bytes.append(contentsOf: String(value).utf8)
  }

  mutating func null() {
    separate()
    bytes.append(contentsOf: "null".utf8)
  }

  mutating func string(_ value: String) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    for byte in value.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
      case 0..<0x20, UInt8(ascii: "<"):
        bytes.append(contentsOf: "\\u00".utf8)
        bytes += [Self.hexadecimal(byte >> 4), Self.hexadecimal(byte & 15)]
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Base 64 (RFC 4648 section 4), with padding.
  mutating func base64(_ value: ArraySlice<UInt8>) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    var index = value.startIndex
    while index < value.endIndex {
      let count = min(3, value.endIndex - index)
      var word: UInt32 = 0
      for offset in 0..<3 { word = word << 8 | (offset < count ? UInt32(value[index + offset]) : 0) }
      for digit in 0..<4 {
        bytes.append(digit <= count ? Self.digit(UInt8(word >> UInt32(18 - 6 * digit) & 63)) : UInt8(ascii: "="))
      }
      index += count
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func hexadecimal(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    switch value {
    case 0..<26: UInt8(ascii: "A") + value
    case 26..<52: UInt8(ascii: "a") + value - 26
    case 52..<62: UInt8(ascii: "0") + value - 52
    case 62: UInt8(ascii: "+")
    default: UInt8(ascii: "/")
    }
  }
}

extension JSONText {
  mutating func member(_ name: String, _ value: String) {
    key(name)
    string(value)
  }

  mutating func member(_ name: String, _ value: some BinaryInteger) {
    key(name)
    number(value)
  }

  /// Nothing if there is no value.
  mutating func member(_ name: String, ifPresent value: String?) {
    if let value { member(name, value) }
  }

  mutating func member(_ name: String, ifPresent value: Int?) {
    if let value { member(name, value) }
  }

  /// A member that is a list with one number for each item.
  mutating func column<C: Collection, N: BinaryInteger>(_ name: String, _ items: C, _ value: (C.Element) -> N) {
    key(name)
    array(items) { text, item in text.number(value(item)) }
  }

  mutating func column<C: Collection>(_ name: String, _ items: C, _ value: (C.Element) -> String) {
    key(name)
    array(items) { text, item in text.string(value(item)) }
  }
}
