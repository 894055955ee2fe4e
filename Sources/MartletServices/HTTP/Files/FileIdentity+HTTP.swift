internal import Martlet

extension FileIdentity {
  /// A strong validator: inode, size and time of the last change, the last in nanoseconds (RFC 9110, 8.8.3).
  var entityTag: EntityTag {
    EntityTag(
      opaque:
        "\(String(inode, radix: 16))-\(String(byteCount, radix: 16))-\(String(UInt64(bitPattern: modified), radix: 16))"
    )
  }

  var lastModified: HTTPDate {
    // Rounded down, before 1970 too.
    let seconds = modified / 1_000_000_000
    return HTTPDate(secondsSinceEpoch: modified % 1_000_000_000 < 0 ? seconds - 1 : seconds)
  }
}
