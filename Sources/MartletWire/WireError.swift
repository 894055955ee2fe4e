/// Why bytes are not what a format says they are.
public enum WireError: Error, Equatable, Sendable {
  /// The bytes end before the format does.
  case truncated
  /// A field has a value that the format forbids; `field` is the RFC's name for it.
  case malformed(field: StaticString)

  public static func == (left: Self, right: Self) -> Bool {
    switch (left, right) {
    case (.truncated, .truncated): true
    case (.malformed(let a), .malformed(let b)):
      a.utf8CodeUnitCount == b.utf8CodeUnitCount && a.description == b.description
    default: false
    }
  }
}
