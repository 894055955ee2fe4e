/// What is told of one request that was answered.
package struct AccessRecord: Equatable, Sendable {
  /// The client's address, without its port.
  package var client: String
  /// Seconds since 1970 when the request had come in.
  package var time: Int64
  package var method: String
  /// The target as it came.
  package var target: String
  /// `HTTP/1.1`, `HTTP/2`.
  package var version: String
  /// The Host field as it came.
  package var host: String?
  /// The name of the site that answered; nil is the one of all other names, or none.
  package var site: String?
  package var status: Int
  /// Bytes of content that went out.
  package var contentByteCount: Int64
  /// Bytes of files that were copied out of the page cache; what goes by reference is not. Nil is unknown.
  package var copiedByteCount: Int64?
  package var referrer: String?
  package var userAgent: String?
  /// From the complete request to the last byte handed over, in microseconds.
  package var microseconds: Int64
  /// Whether the answer was cut off.
  package var isComplete: Bool

  package init(
    client: String, time: Int64, method: String, target: String, version: String, host: String? = nil,
    site: String? = nil,
    status: Int, contentByteCount: Int64 = 0, copiedByteCount: Int64? = nil, referrer: String? = nil,
    userAgent: String? = nil,
    microseconds: Int64 = 0, isComplete: Bool = true
  ) {
    self.client = client
    self.time = time
    self.method = method
    self.target = target
    self.version = version
    self.host = host
    self.site = site
    self.status = status
    self.contentByteCount = contentByteCount
    self.copiedByteCount = copiedByteCount
    self.referrer = referrer
    self.userAgent = userAgent
    self.microseconds = microseconds
    self.isComplete = isComplete
  }

  /// Bytes copied for each byte of content; nil if unknown or if there was no content.
  package var copiesPerByte: Double? {
    guard let copiedByteCount, contentByteCount > 0 else { return nil }
    return Double(copiedByteCount) / Double(contentByteCount)
  }
}

/// How a line of the access log looks.
public enum AccessLogFormat: String, CaseIterable, Sendable {
  /// The Combined Log Format that log analyzers read.
  case combined
  /// One JSON object a line.
  case json

  package func line(_ record: AccessRecord) -> String {
    switch self {
    case .combined: record.combined
    case .json: record.json
    }
  }
}

extension AccessRecord {
  fileprivate var combined: String {
    let (year, month, day, hour, minute, second, _) = HTTPDate(secondsSinceEpoch: time).components
    let stamp =
      "\(padded(day))/\(HTTPDate.months[month - 1])/\(padded(Int(year), to: 4)):"
      + "\(padded(hour)):\(padded(minute)):\(padded(second)) +0000"
    return "\(client) - - [\(stamp)] \"\(Self.quotable("\(method) \(target) \(version)"))\" \(status) "
      + "\(contentByteCount > 0 ? String(contentByteCount) : "-") \"\(Self.quotable(referrer ?? "-"))\" "
      + "\"\(Self.quotable(userAgent ?? "-"))\""
  }

  /// What a client sends must not end a field or a line.
  private static func quotable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\u{0}"..<"\u{20}", "\u{7f}"..<"\u{a0}":
        result += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  fileprivate var json: String {
    var members = [
      ("time", JSONText.quoted(DirectoryListing.timestamp(HTTPDate(secondsSinceEpoch: time)))),
      ("client", JSONText.quoted(client)), ("method", JSONText.quoted(method)), ("target", JSONText.quoted(target)),
      ("version", JSONText.quoted(version)), ("status", String(status)), ("bytes", String(contentByteCount)),
      ("microseconds", String(microseconds)), ("complete", isComplete ? "true" : "false"),
    ]
    if let copiedByteCount { members.append(("copied", String(copiedByteCount))) }
    if let copiesPerByte { members.append(("copiesPerByte", String((copiesPerByte * 1_000).rounded() / 1_000))) }
    if let host { members.append(("host", JSONText.quoted(host))) }
    if let site { members.append(("site", JSONText.quoted(site))) }
    if let referrer { members.append(("referrer", JSONText.quoted(referrer))) }
    if let userAgent { members.append(("userAgent", JSONText.quoted(userAgent))) }
    return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
  }
}
