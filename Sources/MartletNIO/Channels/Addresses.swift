internal import Martlet
internal import MartletWire
internal import NIOCore

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Where the fields of the system's `sockaddr_in` and `sockaddr_in6` lie; a Darwin family shares its bytes with a length.
private enum Offset {
  static let port = 2
  static let v4 = 4
  static let v6 = 8
  static let scope = 24
}

extension NIOCore.SocketAddress {
  /// The same address in SwiftNIO's form.
  init(_ address: MartletWire.SocketAddress) {
    self = unsafe withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { raw in
      for index in raw.indices { unsafe raw[index] = 0 }
      let family = address.address.isIPv4 ? AF_INET : AF_INET6
      #if canImport(Darwin)
        unsafe raw[0] = address.address.isIPv4 ? 16 : 28
        unsafe raw[1] = UInt8(family)
      #else
        unsafe raw.storeBytes(of: UInt16(family), as: UInt16.self)
      #endif
      unsafe raw.storeBytes(of: address.port.bigEndian, toByteOffset: Offset.port, as: UInt16.self)
      if let v4 = address.address.v4 {
        unsafe raw.storeBytes(of: v4.value.bigEndian, toByteOffset: Offset.v4, as: UInt32.self)
        return unsafe Self(raw.load(as: sockaddr_in.self))
      }
      let v6 = address.address.v6
      unsafe raw.storeBytes(of: v6.high.bigEndian, toByteOffset: Offset.v6, as: UInt64.self)
      unsafe raw.storeBytes(of: v6.low.bigEndian, toByteOffset: Offset.v6 + 8, as: UInt64.self)
      unsafe raw.storeBytes(of: address.zone, toByteOffset: Offset.scope, as: UInt32.self)
      return unsafe Self(raw.load(as: sockaddr_in6.self))
    }
  }
}

extension MartletWire.SocketAddress {
  /// The same address in Martlet's form; nil for one that is not an Internet address.
  init?(_ address: NIOCore.SocketAddress) {
    switch address {
    case .v4(let v4):
      self = unsafe withUnsafeBytes(of: v4.address) { raw in
        let value = unsafe raw.loadUnaligned(fromByteOffset: Offset.v4, as: UInt32.self)
        let port = unsafe raw.loadUnaligned(fromByteOffset: Offset.port, as: UInt16.self)
        return Self(IPAddress(IPv4Address(value: UInt32(bigEndian: value))), port: UInt16(bigEndian: port))
      }
    case .v6(let v6):
      self = unsafe withUnsafeBytes(of: v6.address) { raw in
        let high = unsafe raw.loadUnaligned(fromByteOffset: Offset.v6, as: UInt64.self)
        let low = unsafe raw.loadUnaligned(fromByteOffset: Offset.v6 + 8, as: UInt64.self)
        let port = unsafe raw.loadUnaligned(fromByteOffset: Offset.port, as: UInt16.self)
        let scope = unsafe raw.loadUnaligned(fromByteOffset: Offset.scope, as: UInt32.self)
        return Self(
          IPAddress(IPv6Address(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))),
          port: UInt16(bigEndian: port), zone: scope)
      }
    case .unixDomainSocket: return nil
    }
  }
}
