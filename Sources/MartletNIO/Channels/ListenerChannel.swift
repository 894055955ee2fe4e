internal import Martlet
internal import MartletCore
internal import MartletWire
internal import NIOCore

/// A channel over a listener: it reads channels of accepted connections.
final class ListenerChannel: SocketChannel, @unchecked Sendable {
  var options = ListenerOptions()

  init(host: VirtualHost) {
    options.connection.noDelay = true
    super.init(host: host, parent: nil, socket: nil, recvAllocator: FixedSizeRecvByteBufferAllocator(capacity: 1))
  }

  override func bind0(to address: NIOCore.SocketAddress, promise: EventLoopPromise<Void>?) {
    guard isOpen else { promise?.fail(ChannelError.ioOnClosedChannel); return }
    guard life == .registered else { promise?.fail(ChannelError.inappropriateOperationForState); return }
    guard let local = MartletWire.SocketAddress(address) else {
      promise?.fail(SocketAddressError.unsupported)
      return
    }
    do throws(SocketError) {
      let socket = try host.openListener(on: local, options: options)
      self.socket = socket
      socket.observe(self)
      setAddresses(local: socket.localAddress, remote: nil)
    } catch {
      promise?.fail(IOError(error, in: "bind"))
      return
    }
    becomeActive(promise)
  }

  override func socketChanged(_ changes: SocketEvent.Changes) {
    if changes.contains(.acceptable) { readNow() }
  }

  override func readFromSocket() -> Bool {
    guard let socket else { return false }
    var rounds: UInt = 0
    while rounds < maxMessagesPerRead, life == .active {
      rounds += 1
      do throws(SocketError) {
        guard let accepted = try socket.acceptNow() else { break }
        readPending = false
        pipeline.syncOperations.fireChannelRead(NIOAny(StreamChannel(accepted: accepted, parent: self)))
      } catch {
        pipeline.syncOperations.fireErrorCaught(IOError(error, in: "accept"))
        break
      }
    }
    return true
  }

  override func setOption0<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
    if isOpen, option is ChannelOptions.Types.BacklogOption, let value = value as? Int32 {
      options.backlog = Int(value)
      return
    }
    try super.setOption0(option, value: value)
  }

  override func getOption0<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
    if isOpen, option is ChannelOptions.Types.BacklogOption,
      let value = Int32(clamping: options.backlog) as? Option.Value
    {
      return value
    }
    return try super.getOption0(option)
  }

  override func setSocketOption(_ name: KnownSocketOption, _ value: CInt) throws {
    switch name {
    case .reuseAddress: options.reusesAddress = value != 0
    // One listener has an address; there is nothing to share it with.
    case .reusePort: break
    case .ipv6Only: options.ipv6Only = value != 0
    default: guard options.connection.set(name, to: value) else { throw ChannelError.operationUnsupported }
    }
  }

  override func socketOption(_ name: KnownSocketOption) throws -> CInt {
    switch name {
    case .reuseAddress: return options.reusesAddress ? 1 : 0
    case .reusePort, .error: return 0
    case .ipv6Only: return options.ipv6Only ? 1 : 0
    default:
      guard let value = options.connection.value(of: name) else { throw ChannelError.operationUnsupported }
      return value
    }
  }

  /// A child that came through the pipeline goes live.
  override func channelRead0(_ data: NIOAny) {
    let child = unwrapData(data, as: SocketChannel.self)
    child.registerAlreadyConfigured0(promise: nil)
  }
}
