/// What a request asks for: the path of its target, decoded and cleaned (RFC 9112 section 3.2, RFC 3986 section 6.2.2).
///
/// Only the origin form and the absolute form name a file. Dot segments are resolved before anything is looked up, in
/// whatever way they were escaped, and cannot leave the root; empty segments are dropped.
struct RequestTarget: Equatable, Sendable {
  /// Why a target names no file.
  enum Refusal: Error, Equatable {
    /// No form of RFC 9112 section 3.2, or one that only OPTIONS and CONNECT have.
    case form
    /// A byte that no URI has, or a fragment.
    case character
    /// A `%` without two hexadecimal digits, or one that stands for a byte that no file name has (NUL, `/`).
    case escape
    /// More `..` than there are segments in front of them.
    case outside
  }

  /// The path below the root: bytes of segments with `/` between, none in front, none behind. Empty is the root.
  var path: [UInt8]
  /// Whether the target ended with `/`, so that it means a directory.
  var isDirectory: Bool
  /// What followed `?`, as it came.
  var query: Substring?
  /// The authority of the absolute form, which has precedence over the Host field.
  var authority: Substring?

  init(_ target: String) throws(Refusal) {
    var rest = target[...]
    for byte in rest.utf8 where !Self.isAllowed(byte) { throw .character }
    if !rest.utf8.starts(with: "/".utf8) {
      guard let afterScheme = Self.afterScheme(rest) else { throw .form }
      let end = afterScheme.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
      let authority = afterScheme[..<(end ?? afterScheme.endIndex)]
      // RFC 9110 section 4.2.1: an http URI without a host is invalid; section 4.2.4: so is, here, one with a user.
      guard let first = authority.utf8.first, first != UInt8(ascii: ":"), FieldSyntax.isHost(String(authority)) else {
        throw .form
      }
      self.authority = authority
      rest = afterScheme[(end ?? afterScheme.endIndex)...]
    }
    if let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) {
      query = rest[rest.utf8.index(after: mark)...]
      rest = rest[..<mark]
    }
    (path, isDirectory) = try Self.resolve(rest)
  }

  /// The segments of ``path``.
  var segments: [ArraySlice<UInt8>] { path.split(separator: UInt8(ascii: "/")) }

  /// The path with everything but unreserved characters escaped, with a leading slash.
  var escapedPath: String { Self.escaped(path) + (isDirectory && !path.isEmpty ? "/" : "") }

  /// `path` as the path of a URI, with a leading slash.
  static func escaped(_ path: some Sequence<UInt8>) -> String {
    var result = "/"
    for byte in path { appendEscaped(byte, to: &result, keepsSlash: true) }
    return result
  }

  /// `name` as one segment of a URI.
  static func escapedSegment(_ name: some Sequence<UInt8>) -> String {
    var result = ""
    for byte in name { appendEscaped(byte, to: &result, keepsSlash: false) }
    return result
  }

  private static func appendEscaped(_ byte: UInt8, to result: inout String, keepsSlash: Bool) {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"):
      result.unicodeScalars.append(Unicode.Scalar(byte))
    case UInt8(ascii: "/") where keepsSlash: result += "/"
    default:
      result += byte < 16 ? "%0" : "%"
      result += String(byte, radix: 16, uppercase: true)
    }
  }

  /// URIs are visible ASCII; what RFC 3986 leaves out is refused but for the few that browsers send (`[]^|`).
  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "#"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"),
      UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "}"):
      false
    default: (0x21...0x7e).contains(byte)
    }
  }

  private static func afterScheme(_ target: Substring) -> Substring? {
    for scheme in ["http://", "https://"] where target.utf8.count >= scheme.utf8.count {
      if target.prefix(scheme.utf8.count).lowercased() == scheme { return target.dropFirst(scheme.utf8.count) }
    }
    return nil
  }

  private static func resolve(_ raw: Substring) throws(Refusal) -> (path: [UInt8], isDirectory: Bool) {
    var path: [UInt8] = []
    path.reserveCapacity(raw.utf8.count)
    var starts: [Int] = []
    var isDirectory = true
    for part in raw.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      let segment = try decode(part)
      isDirectory = true
      switch segment.count {
      case 0: continue
      case 1 where segment[0] == UInt8(ascii: "."): continue
      case 2 where segment[0] == UInt8(ascii: ".") && segment[1] == UInt8(ascii: "."):
        guard let start = starts.popLast() else { throw .outside }
        path.removeSubrange(start...)
      default:
        starts.append(path.count)
        if !path.isEmpty { path.append(UInt8(ascii: "/")) }
        path += segment
        isDirectory = false
      }
    }
    return (path, isDirectory)
  }

  private static func decode(_ part: Substring.UTF8View.SubSequence) throws(Refusal) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(part.count)
    var position = part.startIndex
    while position < part.endIndex {
      var byte = part[position]
      position = part.index(after: position)
      if byte == UInt8(ascii: "%") {
        guard position < part.endIndex, let high = hexDigit(part[position]) else { throw .escape }
        position = part.index(after: position)
        guard position < part.endIndex, let low = hexDigit(part[position]) else { throw .escape }
        position = part.index(after: position)
        byte = high << 4 | low
        // A slash inside a segment would be read as two segments; NUL ends a name in system calls.
        if byte == 0 || byte == UInt8(ascii: "/") { throw .escape }
      }
      bytes.append(byte)
    }
    return bytes
  }
}

/// The value of a hexadecimal digit.
func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte &- UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte &- UInt8(ascii: "a") &+ 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte &- UInt8(ascii: "A") &+ 10
  default: nil
  }
}
