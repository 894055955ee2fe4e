/// Names one interface of one host.
public struct InterfaceID: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// The interface's place in its host, 0 being the loopback interface. Also the zone of link-local addresses (RFC 4007).
  public let index: UInt16

  @inlinable public init(index: UInt16) { self.index = index }

  /// The interface by which a host talks to itself.
  @inlinable public static var loopback: InterfaceID { InterfaceID(index: 0) }

  @inlinable public static func < (left: InterfaceID, right: InterfaceID) -> Bool { left.index < right.index }
}
