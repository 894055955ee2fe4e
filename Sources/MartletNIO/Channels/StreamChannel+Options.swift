internal import Martlet
internal import MartletCore
internal import NIOCore

extension StreamChannel {
  /// Sets an option that only streams have; false if it is none.
  func setStreamOption<Option: ChannelOption>(_ option: Option, _ value: Option.Value) -> Bool {
    switch (option, value) {
    case (_ as ChannelOptions.Types.AllowRemoteHalfClosureOption, let value as Bool): allowsRemoteHalfClosure = value
    case (_ as ChannelOptions.Types.ConnectTimeoutOption, let value as TimeAmount?): connectTimeout = value
    case (_ as ChannelOptions.Types.WriteBufferWaterMarkOption, let value as ChannelOptions.Types.WriteBufferWaterMark):
      writes.waterMark = value
    case (_ as ChannelOptions.Types.WriteSpinOption, let value as UInt): writeSpinCount = value
    default: return false
    }
    return true
  }

  /// What an option that only streams have is set to; nil if it is none.
  func streamOption(_ option: some ChannelOption) -> Any? {
    switch option {
    case _ as ChannelOptions.Types.AllowRemoteHalfClosureOption: allowsRemoteHalfClosure
    case _ as ChannelOptions.Types.ConnectTimeoutOption: connectTimeout as TimeAmount?
    case _ as ChannelOptions.Types.WriteBufferWaterMarkOption: writes.waterMark
    case _ as ChannelOptions.Types.WriteSpinOption: writeSpinCount
    case _ as ChannelOptions.Types.BufferedWritableBytesOption: writes.byteCount
    case _ as ChannelOptions.Types.FileTransferStatisticsOption: fileTransferStatistics
    default: nil
    }
  }

  func changeSocketOption(_ name: KnownSocketOption, _ value: CInt) throws {
    switch name {
    case .error: throw ChannelError.operationUnsupported
    // A port is taken from nobody, whatever is said here.
    case .reuseAddress, .reusePort: return
    default: break
    }
    do throws(SocketError) {
      if let socket { options = try socket.streamOptions() }
      guard options.set(name, to: value) else { throw .invalidState }
      try socket?.setStreamOptions(options)
    } catch {
      throw error == .invalidState ? ChannelError.operationUnsupported : IOError(error, in: "setsockopt") as any Error
    }
  }

  func readSocketOption(_ name: KnownSocketOption) throws -> CInt {
    if case .error = name { return socket?.takeError().map { IOError($0, in: "getsockopt").errnoCode } ?? 0 }
    if case .reuseAddress = name { return 0 }
    let options = socket.flatMap { try? $0.streamOptions() } ?? options
    guard let value = options.value(of: name) else { throw ChannelError.operationUnsupported }
    return value
  }
}

extension TCPSocketOptions {
  /// Sets what `name` stands for; false if that is nothing a connection has.
  mutating func set(_ name: KnownSocketOption, to value: CInt) -> Bool {
    switch name {
    case .noDelay: noDelay = value != 0
    case .keepAlive: keepAlive = value != 0
    case .keepIdle: keepAliveIdle = .seconds(Int64(value))
    case .keepInterval: keepAliveInterval = .seconds(Int64(value))
    case .keepCount: keepAliveProbes = Int(value)
    case .userTimeout: userTimeout = .milliseconds(Int64(value))
    case .sendBuffer: sendBufferByteCount = Int(value)
    case .receiveBuffer: receiveBufferByteCount = Int(value)
    case .timeToLive: timeToLive = UInt8(clamping: value)
    case .trafficClass: trafficClass = UInt8(clamping: value)
    case .ipv6Only: ipv6Only = value != 0
    default: return false
    }
    return true
  }

  /// What `name` stands for, 0 for a default that the host chooses; nil if it is nothing a connection has.
  func value(of name: KnownSocketOption) -> CInt? {
    switch name {
    case .noDelay: noDelay ? 1 : 0
    case .keepAlive: keepAlive ? 1 : 0
    case .keepIdle: CInt(clamping: keepAliveIdle?.components.seconds ?? 0)
    case .keepInterval: CInt(clamping: keepAliveInterval?.components.seconds ?? 0)
    case .keepCount: CInt(clamping: keepAliveProbes ?? 0)
    case .userTimeout: CInt(clamping: (userTimeout?.inNanoseconds ?? 0) / 1_000_000)
    case .sendBuffer: CInt(clamping: sendBufferByteCount ?? 0)
    case .receiveBuffer: CInt(clamping: receiveBufferByteCount ?? 0)
    case .timeToLive: CInt(timeToLive ?? 0)
    case .trafficClass: CInt(trafficClass)
    case .ipv6Only: ipv6Only ? 1 : 0
    default: nil
    }
  }
}
