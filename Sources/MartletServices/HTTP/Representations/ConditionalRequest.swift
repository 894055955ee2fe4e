/// The conditions that a request sets on the representation it is about (RFC 9110 section 13).
struct ConditionalRequest: Equatable, Sendable {
  /// The fields as they came; nil is absent.
  var ifMatch: String?
  var ifNoneMatch: String?
  var ifModifiedSince: String?
  var ifUnmodifiedSince: String?
  var ifRange: String?

  /// What the conditions come to.
  enum Outcome: Equatable, Sendable {
    case proceed
    /// 304: the client has it.
    case notModified
    /// 412: it is not what the client took it for.
    case preconditionFailed
  }

  /// Goes through the conditions in the order of section 13.2.2; of those a cache does not evaluate none is left out.
  func evaluate(tag: EntityTag, lastModified: HTTPDate, now: HTTPDate) -> Outcome {
    if let ifMatch {
      // A list that cannot be read matches nothing.
      guard EntityTagCondition(ifMatch)?.matches(tag, strongly: true) == true else { return .preconditionFailed }
    } else if let date = ifUnmodifiedSince.flatMap({ HTTPDate($0, now: now) }), lastModified > date {
      return .preconditionFailed
    }
    if let ifNoneMatch {
      // GET and HEAD only are served: 304, not 412.
      if EntityTagCondition(ifNoneMatch)?.matches(tag, strongly: false) == true { return .notModified }
    } else if let date = ifModifiedSince.flatMap({ HTTPDate($0, now: now) }), lastModified <= date {
      return .notModified
    }
    return .proceed
  }

  /// Whether a Range field counts (section 13.1.5): the validator has to be the current one, and a strong one.
  func allowsRange(tag: EntityTag, lastModified: HTTPDate, now: HTTPDate) -> Bool {
    guard let ifRange else { return true }
    if let asked = EntityTag(ifRange) { return asked.matchesStrongly(tag) }
    guard let date = HTTPDate(ifRange, now: now) else { return false }
    // Section 8.8.2.2: a date is a strong validator once it lies a second behind.
    return date == lastModified && lastModified < now
  }
}
