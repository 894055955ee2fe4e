internal import Martlet
internal import MartletCore
internal import NIOCore

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

extension IOError {
  /// The error that SwiftNIO's own sockets report for the same mishap.
  init(_ error: SocketError, in call: StaticString) {
    let code: CInt =
      switch error {
      case .addressInUse: EADDRINUSE
      case .addressNotAvailable: EADDRNOTAVAIL
      case .invalidAddress: EINVAL
      case .noRoute: ENETUNREACH
      case .noResources: ENOBUFS
      case .notASocket: EBADF
      case .invalidState: EPIPE
      case .notConnected: ENOTCONN
      case .refused: ECONNREFUSED
      case .reset: ECONNRESET
      case .aborted: ECONNABORTED
      case .timedOut: ETIMEDOUT
      case .unreachable: EHOSTUNREACH
      case .messageTooLong: EMSGSIZE
      case .offersNoSockets: EOPNOTSUPP
      case .cancelled, .stalled: ECANCELED
      }
    self.init(errnoCode: code, reason: "\(call): \(error)")
  }
}
