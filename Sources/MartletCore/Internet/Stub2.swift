import MartletWire
struct Reassembler: ~Copyable { init(configuration: Host.Configuration.Internet) {}; var nextDeadline: Instant? { nil } }
extension Host { mutating func reassembleIPv4(_ p: consuming Packet, _ h: IPv4Header, on: InterfaceID) -> Packet? { nil }
 mutating func reassembleIPv6(_ p: consuming Packet, _ h: IPv6Header, _ c: IPv6ExtensionHeaders, on: InterfaceID) -> Packet? { nil }
 mutating func advanceReassembly() {} }
