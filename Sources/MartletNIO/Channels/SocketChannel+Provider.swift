internal import NIOCore

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

private typealias SystemLinger = linger

// Options in the system's own types, for those who cast a channel to `SocketOptionProvider`.

extension SocketChannel: SocketOptionProvider {
  func unsafeSetSocketOption<Value: Sendable>(
    level: NIOCore.SocketOptionLevel, name: NIOCore.SocketOptionName, value: Value
  ) -> EventLoopFuture<Void> {
    unsafeSetSocketOption(
      level: NIOBSDSocket.OptionLevel(rawValue: CInt(clamping: level)),
      name: NIOBSDSocket.Option(rawValue: CInt(clamping: name)), value: value)
  }

  func unsafeGetSocketOption<Value: Sendable>(
    level: NIOCore.SocketOptionLevel, name: NIOCore.SocketOptionName
  ) -> EventLoopFuture<Value> {
    unsafeGetSocketOption(
      level: NIOBSDSocket.OptionLevel(rawValue: CInt(clamping: level)),
      name: NIOBSDSocket.Option(rawValue: CInt(clamping: name)))
  }

  func unsafeSetSocketOption<Value: Sendable>(
    level: NIOBSDSocket.OptionLevel, name: NIOBSDSocket.Option, value: Value
  ) -> EventLoopFuture<Void> {
    martletLoop.submit { [self] in
      guard isOpen else { throw ChannelError.ioOnClosedChannel }
      if level == .socket, name == .so_linger, let value = value as? SystemLinger {
        linger = value.l_onoff == 0 ? nil : CInt(value.l_linger)
      } else if let value = value as? CInt {
        try setSocketOption(KnownSocketOption(level: level, name: name), value)
      } else {
        throw ChannelError.operationUnsupported
      }
    }
  }

  func unsafeGetSocketOption<Value: Sendable>(
    level: NIOBSDSocket.OptionLevel, name: NIOBSDSocket.Option
  ) -> EventLoopFuture<Value> {
    martletLoop.submit { [self] in
      guard isOpen else { throw ChannelError.ioOnClosedChannel }
      let value: Any
      if level == .socket, name == .so_linger {
        value = SystemLinger(l_onoff: linger == nil ? 0 : 1, l_linger: linger ?? 0)
      } else {
        value = try socketOption(KnownSocketOption(level: level, name: name))
      }
      guard let value = value as? Value else { throw ChannelError.operationUnsupported }
      return value
    }
  }
}
