internal import MartletWire

/// Destinations that a router said are reached in a better way (RFC 1122 section 3.3.1.2, RFC 4861 section 5.1).
struct RedirectTable: ~Copyable {
  struct Redirect: BitwiseCopyable {
    var destination: IPAddress
    /// Another router on the link, or the destination itself.
    var nextHop: IPAddress
    var interface: InterfaceID
  }

  private var entries: [Redirect] = []

  var count: Int { entries.count }

  /// What was said of the way to `destination`, by `interface` if that is given.
  @inline(__always)
  func find(_ destination: IPAddress, on interface: InterfaceID?) -> Redirect? {
    entries.isEmpty ? nil : search(destination, on: interface)
  }

  @inline(never)
  private func search(_ destination: IPAddress, on interface: InterfaceID?) -> Redirect? {
    for entry in entries where entry.destination == destination {
      if interface == nil || interface == entry.interface { return entry }
    }
    return nil
  }

  /// Takes in one more, in place of what was said of the same destination; the oldest makes room if there are `maximum`.
  mutating func insert(_ redirect: Redirect, maximum: Int) {
    entries.removeAll { $0.destination == redirect.destination }
    if entries.count >= maximum { entries.removeFirst() }
    entries.append(redirect)
  }

  /// Forgets all that lead to `nextHop`, and says whether there were any.
  mutating func remove(to nextHop: IPAddress, on interface: InterfaceID) -> Bool {
    let before = entries.count
    entries.removeAll { $0.nextHop == nextHop && $0.interface == interface }
    return entries.count < before
  }

  mutating func removeAll() { entries.removeAll() }
}
