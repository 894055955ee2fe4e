internal import MartletWire
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A `sockaddr` of either version.
struct SystemAddress {
  private var storage: sockaddr_storage
  private var size: socklen_t

  init(_ address: SocketAddress) {
    storage = sockaddr_storage()
    if let v4 = address.address.v4 {
      var raw = sockaddr_in()
      raw.sin_family = sa_family_t(AF_INET)
      raw.sin_port = address.port.bigEndian
      raw.sin_addr.s_addr = v4.value.bigEndian
      size = socklen_t(MemoryLayout<sockaddr_in>.size)
      unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: raw, as: sockaddr_in.self) }
    } else {
      var raw = sockaddr_in6()
      raw.sin6_family = sa_family_t(AF_INET6)
      raw.sin6_port = address.port.bigEndian
      raw.sin6_scope_id = address.zone
      let v6 = address.address.v6
      unsafe withUnsafeMutableBytes(of: &raw.sin6_addr) {
        unsafe $0.storeBytes(of: v6.high.bigEndian, toByteOffset: 0, as: UInt64.self)
        unsafe $0.storeBytes(of: v6.low.bigEndian, toByteOffset: 8, as: UInt64.self)
      }
      size = socklen_t(MemoryLayout<sockaddr_in6>.size)
      unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: raw, as: sockaddr_in6.self) }
    }
  }

  func withPointer<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    unsafe withUnsafePointer(to: storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, size) }
    }
  }

  /// The address that `body` fills in; nil if it says that it did not.
  static func reading(
    _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Bool
  ) -> SocketAddress? {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let isFilled = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, &size) }
    }
    guard isFilled else { return nil }
    let family = CInt(storage.ss_family)
    return unsafe withUnsafeBytes(of: storage) { bytes in
      switch family {
      case AF_INET:
        let raw = unsafe bytes.loadUnaligned(as: sockaddr_in.self)
        return SocketAddress(
          IPAddress(IPv4Address(value: UInt32(bigEndian: raw.sin_addr.s_addr))), port: UInt16(bigEndian: raw.sin_port))
      case AF_INET6:
        let raw = unsafe bytes.loadUnaligned(as: sockaddr_in6.self)
        let (high, low) = unsafe withUnsafeBytes(of: raw.sin6_addr) { raw in
          unsafe (raw.loadUnaligned(as: UInt64.self), raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        return SocketAddress(
          IPAddress(IPv6Address(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))),
          port: UInt16(bigEndian: raw.sin6_port), zone: raw.sin6_scope_id)
      default: return nil
      }
    }
  }
}
