internal import BasicContainers
package import MartletWire

/// What servers told this host so that it may send data in a SYN (RFC 7413 section 4.1.3): bounded, the entry used longest
/// ago goes. It is looked at once for a connection that asks for Fast Open, so that it needs no index.
package struct FastOpenCache: ~Copyable {
  package struct Entry: BitwiseCopyable {
    package var server: IPAddress
    package var cookie: TCPFastOpenCookie
    /// What the server's segments hold.
    package var maximumSegmentSize: UInt16
  }

  private let capacity: Int
  /// The one used last stands last.
  private var entries = UniqueArray<Entry>()

  package init(capacity: Int) { self.capacity = max(0, capacity) }

  package var count: Int { entries.count }

  /// What is known of `server`.
  package mutating func find(_ server: IPAddress) -> Entry? {
    guard let entry = remove(server) else { return nil }
    entries.append(entry)
    return entry
  }

  package mutating func insert(_ entry: Entry) {
    guard capacity > 0 else { return }
    _ = remove(entry.server)
    if entries.count == capacity { _ = entries.remove(at: 0) }
    entries.append(entry)
  }

  /// Forgets `server` and says what was known.
  @discardableResult
  package mutating func remove(_ server: IPAddress) -> Entry? {
    for index in 0..<entries.count where entries[index].server == server { return entries.remove(at: index) }
    return nil
  }
}
