internal import Martlet
internal import MartletCore
internal import MartletWire
internal import NIOCore

/// A channel over a UDP socket: `AddressedEnvelope<ByteBuffer>` in and out, or a bare `ByteBuffer` out when it has a peer.
final class DatagramChannel: MessageChannel, @unchecked Sendable {
  private var options = DatagramOptions()
  private var reportsCongestion = false
  private var reportsPacketInfo = false
  /// The peer, once there is one.
  private var peer: MartletWire.SocketAddress?

  override func bind0(to address: NIOCore.SocketAddress, promise: EventLoopPromise<Void>?) {
    guard isOpen else { promise?.fail(ChannelError.ioOnClosedChannel); return }
    guard life == .registered, socket == nil else { promise?.fail(ChannelError.inappropriateOperationForState); return }
    guard let local = MartletWire.SocketAddress(address) else {
      promise?.fail(SocketAddressError.unsupported)
      return
    }
    do throws(SocketError) { try open(local) } catch {
      promise?.fail(IOError(error, in: "bind"))
      return
    }
    becomeActive(promise)
  }

  private func open(_ local: MartletWire.SocketAddress) throws(SocketError) {
    let socket = try host.openDatagramSocket(on: local, options: options)
    self.socket = socket
    socket.observe(self)
    setAddresses(local: socket.localAddress, remote: nil)
  }

  override func connect0(to address: NIOCore.SocketAddress, promise: EventLoopPromise<Void>?) {
    guard isOpen else { promise?.fail(ChannelError.ioOnClosedChannel); return }
    guard life == .registered || life == .active else {
      promise?.fail(ChannelError.inappropriateOperationForState)
      return
    }
    guard let remote = MartletWire.SocketAddress(address) else {
      promise?.fail(SocketAddressError.unsupported)
      return
    }
    do throws(SocketError) {
      if socket == nil { try open(MartletWire.SocketAddress(.any(remote.version), port: 0)) }
      try socket?.connectDatagramNow(to: remote)
    } catch {
      let error = IOError(error, in: "connect")
      promise?.fail(error)
      return close0(error: error, mode: .all, promise: nil)
    }
    peer = remote
    setAddresses(local: socket?.localAddress, remote: remote)
    if life == .active { promise?.succeed(()) } else { becomeActive(promise) }
  }

  override func message(_ data: NIOAny) throws -> Envelope {
    if let envelope = tryUnwrapData(data, as: AddressedEnvelope<ByteBuffer>.self) {
      guard let remote = MartletWire.SocketAddress(envelope.remoteAddress) else {
        throw SocketAddressError.unsupported
      }
      guard peer == nil || peer == remote else { throw IOError(SocketError.invalidState, in: "send to another peer") }
      return Envelope(data: envelope.data, remote: peer == nil ? remote : nil)
    }
    guard peer != nil else { throw IOError(SocketError.notConnected, in: "send") }
    return Envelope(data: unwrapData(data, as: ByteBuffer.self), remote: nil)
  }

  override func send(_ bytes: RawSpan, to remote: MartletWire.SocketAddress?, by socket: SocketCore) throws(SocketError)
  {
    try socket.sendNow(bytes, to: remote)
  }

  override func receive(into buffer: inout MutableRawSpan, from socket: SocketCore) throws(SocketError) -> Received? {
    guard let datagram = try socket.receiveNow(into: &buffer) else { return nil }
    var metadata: AddressedEnvelope<ByteBuffer>.Metadata?
    if reportsCongestion || reportsPacketInfo {
      metadata = AddressedEnvelope.Metadata(
        ecnState: NIOExplicitCongestionNotificationState(datagram.trafficClass),
        packetInfo: reportsPacketInfo
          ? NIOPacketInfo(
            destinationAddress: NIOCore.SocketAddress(
              MartletWire.SocketAddress(datagram.destination.address, port: 0)),
            interfaceIndex: Int(datagram.interface.index)) : nil)
    }
    return Received(
      byteCount: min(datagram.byteCount, buffer.byteCount), source: datagram.source, metadata: metadata)
  }

  // MARK: Options

  override func setOption0<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
    guard isOpen else { throw ChannelError.ioOnClosedChannel }
    switch (option, value) {
    case (_ as ChannelOptions.Types.ExplicitCongestionNotificationsOption, let value as Bool): reportsCongestion = value
    case (_ as ChannelOptions.Types.ReceivePacketInfo, let value as Bool): reportsPacketInfo = value
    default: try super.setOption0(option, value: value)
    }
  }

  override func getOption0<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
    let value: Any? =
      switch option {
      case _ as ChannelOptions.Types.ExplicitCongestionNotificationsOption: reportsCongestion
      case _ as ChannelOptions.Types.ReceivePacketInfo: reportsPacketInfo
      default: nil
      }
    if isOpen, let value = value as? Option.Value { return value }
    return try super.getOption0(option)
  }

  override func setSocketOption(_ name: KnownSocketOption, _ value: CInt) throws {
    switch name {
    case .reuseAddress, .reusePort: options.reusesAddress = value != 0
    case .broadcast: options.allowsBroadcast = value != 0
    case .receiveBuffer: options.receiveBufferByteCount = Int(value)
    // What is sent goes out at once.
    case .sendBuffer: return
    case .timeToLive: options.timeToLive = UInt8(clamping: value)
    case .trafficClass: options.trafficClass = UInt8(clamping: value)
    case .ipv6Only: options.ipv6Only = value != 0
    default: throw ChannelError.operationUnsupported
    }
    guard socket == nil else { throw ChannelError.inappropriateOperationForState }
  }

  override func socketOption(_ name: KnownSocketOption) throws -> CInt {
    switch name {
    case .reuseAddress, .reusePort: options.reusesAddress ? 1 : 0
    case .broadcast: options.allowsBroadcast ? 1 : 0
    case .receiveBuffer: CInt(clamping: options.receiveBufferByteCount ?? 0)
    case .sendBuffer: 0
    case .timeToLive: CInt(options.timeToLive ?? 0)
    case .trafficClass: CInt(options.trafficClass)
    case .ipv6Only: options.ipv6Only ? 1 : 0
    case .error: socket?.takeError().map { IOError($0, in: "getsockopt").errnoCode } ?? 0
    default: throw ChannelError.operationUnsupported
    }
  }
}

extension NIOExplicitCongestionNotificationState {
  /// What the lower two bits of a traffic class say (RFC 3168 section 5).
  fileprivate init(_ trafficClass: UInt8) {
    switch trafficClass & 3 {
    case 1: self = .transportCapableFlag1
    case 2: self = .transportCapableFlag0
    case 3: self = .congestionExperienced
    default: self = .transportNotCapable
    }
  }
}
