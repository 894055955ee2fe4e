public import MartletWire

/// Somebody else on the link claims an address of this host (RFC 5227 section 2.4).
public struct AddressConflict: Equatable, Sendable, BitwiseCopyable {
  public var address: IPAddress
  public var interface: InterfaceID
  /// Who claims it.
  public var mac: MACAddress
  /// When it was noticed.
  public var time: Instant
  /// Whether the host answers with an announcement of its own.
  public var isDefended: Bool
}

/// Notes conflicts and says when to defend an address.
package struct ConflictDetector: Sendable {
  /// DEFEND_INTERVAL (RFC 5227 section 1.1): an address is defended at most once in this time, so that two stubborn hosts
  /// do not shout at each other for ever.
  package static let defendInterval: Nanoseconds = .seconds(10)

  /// The last conflict of each of the last addresses, oldest first; at most sixteen.
  private var last: [AddressConflict] = []
  /// Conflicts noted since the beginning.
  package private(set) var count = 0

  package init() {}

  /// Notes that `mac` claims `address`, one of this host's own on `interface`.
  package mutating func note(
    _ address: IPAddress, claimedBy mac: MACAddress, on interface: InterfaceID, at now: Instant
  ) -> AddressConflict {
    count += 1
    var conflict = AddressConflict(address: address, interface: interface, mac: mac, time: now, isDefended: true)
    if let place = last.firstIndex(where: { $0.address == address && $0.interface == interface }) {
      conflict.isDefended = now - last[place].time >= Self.defendInterval
      if conflict.isDefended { last[place] = conflict }
      return conflict
    }
    if last.count == 16 { last.removeFirst() }
    last.append(conflict)
    return conflict
  }
}
