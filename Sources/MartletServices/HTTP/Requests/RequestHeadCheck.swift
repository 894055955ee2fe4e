import NIOHTTP1

/// What a request's head says of its framing, once it has been found right in every point (RFC 9112 sections 2 to 6).
struct RequestHeadCheck {
  /// How long the content is.
  enum Framing: Equatable {
    case none
    case length(Int64)
    case chunked
  }

  /// A byte that the decoder is to see instead.
  struct Patch: Equatable {
    var offset: Int
    var byte: UInt8
  }

  private(set) var framing = Framing.none
  private(set) var patches: [Patch] = []

  private var hostCount = 0
  private var lengthCount = 0
  private var length: Int64 = 0
  private var codings: [Substring] = []
  private var hasCodings = false

  /// Checks a whole head with the empty line at its end.
  init(_ bytes: Span<UInt8>, limits: RequestPreflight.Limits) throws(RequestRejection) {
    let (fields, isOld) = try checkRequestLine(bytes)
    try FieldSyntax.forEachLine(bytes, from: fields) { (name, value) throws(RequestRejection) in
      try take(bytes, name, value)
    }
    guard hostCount == 1 || (isOld && hostCount == 0) else {
      throw RequestRejection(
        .badRequest, hostCount == 0 ? "the Host field is missing" : "there are several Host fields")
    }
    guard hasCodings else {
      if lengthCount > 0 { framing = .length(length) }
      return
    }
    // Section 6.1: a message with both is an attempt to smuggle; HTTP/1.0 has no transfer codings.
    guard lengthCount == 0 else { throw RequestRejection(.badRequest, "both Content-Length and Transfer-Encoding") }
    guard !isOld else { throw RequestRejection(.badRequest, "a transfer coding in HTTP/1.0") }
    guard let last = codings.last else { throw RequestRejection(.badRequest, "an empty transfer coding") }
    guard last.lowercased() == "chunked" else {
      let known = codings.contains { $0.lowercased() == "chunked" }
      throw known
        ? RequestRejection(.badRequest, "chunked is not the last transfer coding")
        : RequestRejection(.notImplemented, "an unknown transfer coding")
    }
    guard codings.count == 1 else {
      let twice = codings.dropLast().contains { $0.lowercased() == "chunked" }
      throw twice
        ? RequestRejection(.badRequest, "chunked twice")
        : RequestRejection(.notImplemented, "an unknown transfer coding")
    }
    framing = .chunked
  }

  /// The request line; where the field lines begin and whether it is HTTP/1.0.
  private mutating func checkRequestLine(_ bytes: Span<UInt8>) throws(RequestRejection) -> (fields: Int, isOld: Bool) {
    var position = 0
    while position < bytes.count, FieldSyntax.isToken(bytes[position]) { position += 1 }
    guard position > 0, position < bytes.count, bytes[position] == 0x20 else {
      throw RequestRejection(.badRequest, "the request line has no method")
    }
    let method = 0..<position
    position += 1
    let target = position
    while position < bytes.count, (0x21...0x7e).contains(bytes[position]) { position += 1 }
    guard position > target, position < bytes.count, bytes[position] == 0x20 else {
      throw RequestRejection(.badRequest, "the request target is malformed")
    }
    let version = position + 1
    // HTTP/d.d and a line end.
    guard version + 10 <= bytes.count, Self.isVersion(bytes, version), bytes[version + 8] == 0x0d,
      bytes[version + 9] == 0x0a
    else { throw RequestRejection(.badRequest, "the request line has no version") }
    guard bytes[version + 5] == UInt8(ascii: "1") else {
      throw RequestRejection(.httpVersionNotSupported, "only HTTP/1.1 and HTTP/1.0 are spoken here")
    }
    let minor = bytes[version + 7]
    // A higher minor version is answered as the highest that is known (RFC 9110 section 2.5).
    if minor > UInt8(ascii: "1") { patches.append(Patch(offset: version + 7, byte: UInt8(ascii: "1"))) }
    try Self.checkMethod(FieldSyntax.string(bytes, method))
    return (version + 10, minor == UInt8(ascii: "0"))
  }

  private static func isVersion(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    return bytes[start] == UInt8(ascii: "H") && bytes[start + 1] == UInt8(ascii: "T")
      && bytes[start + 2] == UInt8(ascii: "T") && bytes[start + 3] == UInt8(ascii: "P")
      && bytes[start + 4] == UInt8(ascii: "/") && digits.contains(bytes[start + 5])
      && bytes[start + 6] == UInt8(ascii: ".") && digits.contains(bytes[start + 7])
  }

  /// Methods that are known but not allowed get their answer, with Allow, like any other request.
  private static func checkMethod(_ method: String) throws(RequestRejection) {
    switch method {
    case "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH": return
    case "CONNECT": throw RequestRejection(.methodNotAllowed, "this is not a proxy")
    default: throw RequestRejection(.notImplemented, "an unknown method")
    }
  }

  private mutating func take(_ bytes: Span<UInt8>, _ name: Range<Int>, _ value: Range<Int>) throws(RequestRejection) {
    if FieldSyntax.equals(bytes, name, "host") {
      hostCount += 1
      guard FieldSyntax.isHost(FieldSyntax.string(bytes, value)) else {
        throw RequestRejection(.badRequest, "the Host field is malformed")
      }
    } else if FieldSyntax.equals(bytes, name, "content-length") {
      lengthCount += 1
      // Section 6.3 lets a list of equal values pass; nobody sends one in good faith.
      guard lengthCount == 1, let number = decimal(FieldSyntax.string(bytes, value)) else {
        throw RequestRejection(.badRequest, "the Content-Length field is malformed")
      }
      length = number
    } else if FieldSyntax.equals(bytes, name, "transfer-encoding") {
      hasCodings = true
      for coding in FieldSyntax.string(bytes, value).split(separator: ",") {
        let coding = coding.trimmingBlanks
        if !coding.isEmpty { codings.append(coding) }
      }
    } else if FieldSyntax.equals(bytes, name, "upgrade") {
      // Nothing is upgraded to here, and the decoder would stop at the end of such a request.
      for (offset, byte) in "Ignored".utf8.enumerated() {
        patches.append(Patch(offset: name.lowerBound + offset, byte: byte))
      }
    }
  }
}
