/// What an Ethernet frame carries (IEEE 802.3 section 3.2.6; registry: IANA "IEEE 802 Numbers").
public struct EtherType: Hashable, Sendable, BitwiseCopyable {
  /// The number on the wire. Below 0x0600 it is the length of an IEEE 802.3 frame, not a type.
  public var value: UInt16

  @inlinable public init(value: UInt16) { self.value = value }

  /// IPv4 (RFC 894).
  @inlinable public static var ipv4: EtherType { EtherType(value: 0x0800) }
  /// ARP (RFC 826).
  @inlinable public static var arp: EtherType { EtherType(value: 0x0806) }
  /// An IEEE 802.1Q tag follows.
  @inlinable public static var vlan: EtherType { EtherType(value: 0x8100) }
  /// IPv6 (RFC 2464).
  @inlinable public static var ipv6: EtherType { EtherType(value: 0x86dd) }
  /// An IEEE 802.1ad service tag follows.
  @inlinable public static var serviceVLAN: EtherType { EtherType(value: 0x88a8) }

  /// Whether the number is the length of an IEEE 802.3 frame (RFC 1122 section 2.3.3).
  @inlinable public var isLength: Bool { value < 0x0600 }
}
