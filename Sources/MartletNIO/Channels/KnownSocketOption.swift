internal import NIOCore

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A socket option that Martlet's sockets have, by the names that SwiftNIO's users know.
enum KnownSocketOption: Hashable {
  case reuseAddress, reusePort, keepAlive, noDelay, sendBuffer, receiveBuffer, broadcast, error, userTimeout
  case keepIdle, keepInterval, keepCount, timeToLive, trafficClass, ipv6Only
  case other

  init(_ option: ChannelOptions.Types.SocketOption) {
    self.init(level: option.optionLevel, name: option.optionName)
  }

  init(level: NIOBSDSocket.OptionLevel, name: NIOBSDSocket.Option) {
    switch (level, name) {
    case (.socket, .so_reuseaddr): self = .reuseAddress
    case (.socket, NIOBSDSocket.Option(rawValue: SO_REUSEPORT)): self = .reusePort
    case (.socket, .so_keepalive): self = .keepAlive
    case (.socket, .so_sndbuf): self = .sendBuffer
    case (.socket, .so_rcvbuf): self = .receiveBuffer
    case (.socket, .so_broadcast): self = .broadcast
    case (.socket, .so_error): self = .error
    case (.tcp, .tcp_nodelay): self = .noDelay
    #if os(Linux)
      case (.tcp, NIOBSDSocket.Option(rawValue: TCP_KEEPIDLE)): self = .keepIdle
      case (.tcp, NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT)): self = .userTimeout
    #endif
    case (.tcp, NIOBSDSocket.Option(rawValue: TCP_KEEPINTVL)): self = .keepInterval
    case (.tcp, NIOBSDSocket.Option(rawValue: TCP_KEEPCNT)): self = .keepCount
    case (.ip, NIOBSDSocket.Option(rawValue: IP_TTL)): self = .timeToLive
    case (.ip, NIOBSDSocket.Option(rawValue: IP_TOS)): self = .trafficClass
    case (.ipv6, NIOBSDSocket.Option(rawValue: IPV6_UNICAST_HOPS)): self = .timeToLive
    case (.ipv6, .ipv6_v6only): self = .ipv6Only
    default: self = .other
    }
  }
}
