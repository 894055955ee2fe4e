internal import Martlet
internal import MartletCore
internal import MartletWire
internal import NIOCore
internal import Synchronization

/// What all channels over Martlet's sockets share: life, events in their order, options. Subclasses know one kind of socket.
///
/// Everything but what says otherwise happens on the loop's thread.
class SocketChannel: Channel, ChannelCore, SocketObserver, @unchecked Sendable {
  /// Where in its life a channel is; it never goes back.
  enum Life: Int, Comparable {
    case fresh, registered
    /// Active, but nobody was told yet.
    case activating
    case active
    case closed

    static func < (left: Life, right: Life) -> Bool { left.rawValue < right.rawValue }
  }

  let host: VirtualHost
  let martletLoop: MartletEventLoop
  let parent: (any Channel)?
  private let closePromise: EventLoopPromise<Void>
  private var _pipeline: ChannelPipeline!
  private let activity = Atomic<Bool>(false)
  fileprivate let shared = Mutex(Shared())

  struct Shared {
    var local: NIOCore.SocketAddress?
    var remote: NIOCore.SocketAddress?
    var allocator = ByteBufferAllocator()
  }

  var socket: SocketCore?
  private(set) var life = Life.fresh
  /// Where the channel stands among the open ones of its loop.
  var place = -1
  var autoRead = true
  var maxMessagesPerRead: UInt = 4
  var buffers: NIOPooledRecvBufferAllocator
  /// Somebody asked to read and was not given anything yet.
  var readPending = false
  private var isReading = false
  private var isReadScheduled = false

  init(host: VirtualHost, parent: (any Channel)?, socket: SocketCore?, recvAllocator: any RecvByteBufferAllocator) {
    self.host = host
    self.parent = parent
    self.socket = socket
    martletLoop = host.loop.eventLoop
    closePromise = martletLoop.makePromise()
    buffers = NIOPooledRecvBufferAllocator(capacity: 4, recvAllocator: recvAllocator)
    _pipeline = ChannelPipeline(channel: self)
  }

  // MARK: What may be asked from anywhere

  final var eventLoop: any EventLoop { martletLoop }
  final var closeFuture: EventLoopFuture<Void> { closePromise.futureResult }
  final var pipeline: ChannelPipeline { _pipeline }
  final var _channelCore: any ChannelCore { self }
  final var isActive: Bool { activity.load(ordering: .relaxed) }
  final var localAddress: NIOCore.SocketAddress? { shared.withLock { $0.local } }
  final var remoteAddress: NIOCore.SocketAddress? { shared.withLock { $0.remote } }
  final var allocator: ByteBufferAllocator { shared.withLock { $0.allocator } }
  var isWritable: Bool { true }

  // MARK: Life

  final var isOpen: Bool { life != .closed }
  final var isRegistered: Bool { life > .fresh && life < .closed }

  final func setAddresses(local: MartletWire.SocketAddress?, remote: MartletWire.SocketAddress?) {
    let (local, remote) = (local.map(NIOCore.SocketAddress.init), remote.map(NIOCore.SocketAddress.init))
    shared.withLock {
      $0.local = local
      $0.remote = remote
    }
  }

  final func localAddress0() throws -> NIOCore.SocketAddress {
    guard isOpen else { throw ChannelError.ioOnClosedChannel }
    guard let localAddress else { throw ChannelError.unknownLocalAddress }
    return localAddress
  }

  final func remoteAddress0() throws -> NIOCore.SocketAddress {
    guard isOpen else { throw ChannelError.ioOnClosedChannel }
    guard let remoteAddress else { throw ChannelError.operationUnsupported }
    return remoteAddress
  }

  final func register0(promise: EventLoopPromise<Void>?) {
    guard isOpen else { promise?.fail(ChannelError.ioOnClosedChannel); return }
    guard life == .fresh else { promise?.fail(ChannelError.inappropriateOperationForState); return }
    guard !host.loop.isStopping else { promise?.fail(EventLoopError.shutdown); return }
    life = .registered
    martletLoop.channels.insert(self, on: host.loop)
    promise?.succeed(())
    pipeline.syncOperations.fireChannelRegistered()
  }

  final func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) {
    guard socket != nil else {
      promise?.fail(ChannelError.inappropriateOperationForState)
      return
    }
    register0(promise: nil)
    guard life == .registered else { promise?.fail(ChannelError.ioOnClosedChannel); return }
    becomeActive(promise)
  }

  /// Tells `promise`, then the pipeline, and begins to read if that happens by itself.
  final func becomeActive(_ promise: EventLoopPromise<Void>?) {
    guard life == .registered else { promise?.fail(ChannelError.inappropriateOperationForState); return }
    life = .activating
    activity.store(true, ordering: .relaxed)
    promise?.succeed(())
    // Whoever was told may have closed it.
    guard life == .activating else { return }
    life = .active
    pipeline.syncOperations.fireChannelActive()
    guard life == .active else { return }
    didActivate()
    readIfNeeded()
  }

  /// Whether closing ends a connection by a reset (SO_LINGER with no time).
  var closesByReset: Bool { linger == 0 }
  /// How long closing lingers, in seconds; nil is not at all.
  final var linger: CInt?

  /// Hook: the channel is active and was told so.
  func didActivate() {}

  /// Hook: ends what waits (writes, a connect) with `error`. The channel is closed already.
  func didClose(_ error: any Error) {}

  func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard isOpen else { promise?.fail(ChannelError.alreadyClosed); return }
    guard mode == .all else { promise?.fail(ChannelError.operationUnsupported); return }
    let before = life
    life = .closed
    activity.store(false, ordering: .relaxed)
    readPending = false
    if closesByReset { socket?.abortNow() } else { socket?.closeNow() }
    didClose(error)
    promise?.succeed(())
    if before == .active { pipeline.syncOperations.fireChannelInactive() }
    if before > .fresh { pipeline.syncOperations.fireChannelUnregistered() }
    martletLoop.channels.remove(self)
    // Later, for the caller may still be on its way through the pipeline.
    martletLoop.execute { [self] in
      removeHandlers(pipeline: pipeline)
      closePromise.succeed(())
      setAddresses(local: nil, remote: nil)
      socket = nil
    }
  }

  // MARK: Reading

  final func readIfNeeded() {
    guard isActive, autoRead, mayRead else { return }
    pipeline.syncOperations.read()
  }

  /// Whether a read can still give something.
  var mayRead: Bool { true }

  func read0() {
    guard isOpen, mayRead, !readPending else { return }
    readPending = true
    if life == .active, !isReading { scheduleRead() }
  }

  /// Reads soon, if something is there.
  private func scheduleRead() {
    guard !isReadScheduled, hasInput else { return }
    isReadScheduled = true
    martletLoop.execute { [self] in
      isReadScheduled = false
      readNow()
    }
  }

  /// Whether there is something to read, an end or an error included.
  var hasInput: Bool { socket?.readiness.isDisjoint(with: [.readable, .acceptable]) == false }

  /// Reads what is there if it was asked for, and tells the pipeline.
  final func readNow() {
    guard life == .active, readPending, !isReading, hasInput else { return }
    isReading = true
    let goesOn = readFromSocket()
    if goesOn, life == .active {
      pipeline.syncOperations.fireChannelReadComplete()
      readIfNeeded()
    }
    isReading = false
    if readPending, life == .active { scheduleRead() }
  }

  /// Hook: hands what is there to the pipeline and clears ``readPending``; false when the channel has told the rest itself.
  func readFromSocket() -> Bool { false }

  // MARK: What subclasses know

  func socketChanged(_ changes: SocketEvent.Changes) {}

  final func socketLost() {
    if isOpen { close0(error: IOError(.cancelled, in: "host"), mode: .all, promise: nil) }
  }

  func bind0(to: NIOCore.SocketAddress, promise: EventLoopPromise<Void>?) {
    promise?.fail(ChannelError.operationUnsupported)
  }
  func connect0(to: NIOCore.SocketAddress, promise: EventLoopPromise<Void>?) {
    promise?.fail(ChannelError.operationUnsupported)
  }
  func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
  func flush0() {}
  func channelRead0(_ data: NIOAny) {}
  final func errorCaught0(error: any Error) {}
  func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
    promise?.fail(ChannelError.operationUnsupported)
  }

  // MARK: Options

  final func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
    if martletLoop.inEventLoop { return martletLoop.makeCompletedFuture { try setOption0(option, value: value) } }
    return martletLoop.submit { try self.setOption0(option, value: value) }
  }

  final func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
    if martletLoop.inEventLoop { return martletLoop.makeCompletedFuture { try getOption0(option) } }
    return martletLoop.submit { try self.getOption0(option) }
  }

  final var syncOptions: (any NIOSynchronousChannelOptions)? { SynchronousOptions(channel: self) }

  func setOption0<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
    martletLoop.assertInEventLoop()
    guard isOpen else { throw ChannelError.ioOnClosedChannel }
    switch (option, value) {
    case (_ as ChannelOptions.Types.AutoReadOption, let value as Bool):
      let was = autoRead
      autoRead = value
      if value, !was, life > .fresh { read0() } else if !value { readPending = false }
    case (_ as ChannelOptions.Types.MaxMessagesPerReadOption, let value as UInt): maxMessagesPerRead = max(1, value)
    case (_ as ChannelOptions.Types.AllocatorOption, let value as ByteBufferAllocator):
      shared.withLock { $0.allocator = value }
    case (_ as ChannelOptions.Types.RecvAllocatorOption, let value as any RecvByteBufferAllocator):
      buffers = NIOPooledRecvBufferAllocator(capacity: 4, recvAllocator: value)
    case (let option as ChannelOptions.Types.SocketOption, let value as SocketOptionValue):
      try setSocketOption(KnownSocketOption(option), CInt(clamping: value))
    default: throw ChannelError.operationUnsupported
    }
  }

  func getOption0<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
    martletLoop.assertInEventLoop()
    guard isOpen else { throw ChannelError.ioOnClosedChannel }
    let value: Any
    switch option {
    case _ as ChannelOptions.Types.AutoReadOption: value = autoRead
    case _ as ChannelOptions.Types.MaxMessagesPerReadOption: value = maxMessagesPerRead
    case _ as ChannelOptions.Types.AllocatorOption: value = allocator
    case _ as ChannelOptions.Types.RecvAllocatorOption: value = buffers.recvAllocator
    case let option as ChannelOptions.Types.SocketOption:
      value = SocketOptionValue(try socketOption(KnownSocketOption(option)))
    default: throw ChannelError.operationUnsupported
    }
    guard let value = value as? Option.Value else { throw ChannelError.operationUnsupported }
    return value
  }

  /// Hook: sets one of the options that sockets have.
  func setSocketOption(_ name: KnownSocketOption, _ value: CInt) throws { throw ChannelError.operationUnsupported }

  /// Hook: what one of the options that sockets have is set to.
  func socketOption(_ name: KnownSocketOption) throws -> CInt { throw ChannelError.operationUnsupported }
}

/// Options without a future, on the loop's thread.
private struct SynchronousOptions: NIOSynchronousChannelOptions {
  let channel: SocketChannel

  func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
    try channel.setOption0(option, value: value)
  }

  func getOption<Option: ChannelOption>(_ option: Option) throws -> Option.Value { try channel.getOption0(option) }
}
