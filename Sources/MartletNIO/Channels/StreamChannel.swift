internal import Martlet
internal import MartletCore
internal import MartletWire
internal import NIOCore

/// A channel over one TCP connection: `ByteBuffer` in, `IOData` out.
final class StreamChannel: SocketChannel, @unchecked Sendable {
  let writes = WriteQueue<IOData>()
  var isFlushing = false
  var allowsRemoteHalfClosure = false
  var isInputShut = false
  var isOutputShut = false
  /// The output is to be shut when everything written was taken.
  var outputClosing: OutputClosing?
  var connectTimeout: TimeAmount?
  private var pendingConnect: PendingConnect?
  private var boundAddress: MartletWire.SocketAddress?
  /// Kept for those who ask; a flush takes all that there is room for.
  var writeSpinCount: UInt = 16
  /// What is set before there is a connection to set it on.
  var options: TCPSocketOptions

  struct OutputClosing {
    var promise: EventLoopPromise<Void>?
  }

  private struct PendingConnect {
    var promise: EventLoopPromise<Void>?
    var timeout: Scheduled<Void>?
  }

  /// A channel that is to be connected.
  init(host: VirtualHost) {
    options = TCPSocketOptions()
    options.noDelay = true
    super.init(host: host, parent: nil, socket: nil, recvAllocator: AdaptiveRecvByteBufferAllocator())
  }

  /// A channel over a connection that was accepted.
  init(accepted socket: SocketCore, parent: any Channel) {
    options = (try? socket.streamOptions()) ?? TCPSocketOptions()
    super.init(
      host: socket.host, parent: parent, socket: socket, recvAllocator: AdaptiveRecvByteBufferAllocator())
    setAddresses(local: socket.localAddress, remote: socket.remoteAddress)
    socket.observe(self)
  }

  override var isWritable: Bool { writes.isWritable }

  // MARK: Connecting

  override func bind0(to address: NIOCore.SocketAddress, promise: EventLoopPromise<Void>?) {
    guard isOpen else { promise?.fail(ChannelError.ioOnClosedChannel); return }
    guard life == .registered, socket == nil else { promise?.fail(ChannelError.inappropriateOperationForState); return }
    guard let local = MartletWire.SocketAddress(address) else {
      promise?.fail(SocketAddressError.unsupported)
      return
    }
    boundAddress = local
    setAddresses(local: local, remote: nil)
    promise?.succeed(())
  }

  override func connect0(to address: NIOCore.SocketAddress, promise: EventLoopPromise<Void>?) {
    guard isOpen else { promise?.fail(ChannelError.ioOnClosedChannel); return }
    guard pendingConnect == nil else { promise?.fail(ChannelError.connectPending); return }
    guard life == .registered else { promise?.fail(ChannelError.inappropriateOperationForState); return }
    guard let remote = MartletWire.SocketAddress(address) else {
      promise?.fail(SocketAddressError.unsupported)
      return
    }
    do throws(SocketError) {
      let socket = try host.openConnection(to: remote, from: boundAddress, options: options)
      self.socket = socket
      socket.observe(self)
      setAddresses(local: socket.localAddress, remote: remote)
    } catch {
      let error = IOError(error, in: "connect")
      promise?.fail(error)
      close0(error: error, mode: .all, promise: nil)
      return
    }
    var pending = PendingConnect(promise: promise)
    if let connectTimeout {
      pending.timeout = martletLoop.scheduleTask(in: connectTimeout) { [self] in
        guard pendingConnect != nil else { return }
        close0(error: ChannelError.connectTimeout(connectTimeout), mode: .all, promise: nil)
      }
    }
    pendingConnect = pending
  }

  private func connectEnded() {
    guard let pending = pendingConnect else { return }
    pendingConnect = nil
    pending.timeout?.cancel()
    setAddresses(local: socket?.localAddress, remote: socket?.remoteAddress)
    becomeActive(pending.promise)
  }

  override func didActivate() { flushNow() }

  // MARK: Events

  override func socketChanged(_ changes: SocketEvent.Changes) {
    guard isOpen else { return }
    if pendingConnect != nil {
      if !changes.isDisjoint(with: [.connected, .writable]) {
        connectEnded()
      } else if changes.contains(.closed) {
        return fail(IOError(socket?.takeError() ?? .reset, in: "connect"))
      }
    }
    guard life == .active else { return }
    if !changes.isDisjoint(with: [.readable, .closed]) {
      if readPending { readNow() }
      // The peer's end is told even to those who do not read, and what came before it as well.
      while life == .active, !isInputShut, socket?.isInputAtEnd == true {
        readPending = true
        readNow()
      }
    }
    if changes.contains(.writable) { flushNow() }
    if changes.contains(.closed), life == .active {
      if let error = socket?.takeError() { fail(IOError(error, in: "read")) }
    }
  }

  /// Ends the channel because of `error`, telling the pipeline first if it is active.
  private func fail(_ error: any Error) {
    if life == .active { pipeline.syncOperations.fireErrorCaught(error) }
    close0(error: error, mode: .all, promise: nil)
  }

  // MARK: Reading

  override var mayRead: Bool { !isInputShut }

  override var hasInput: Bool {
    guard let socket else { return false }
    do throws(SocketError) { return try socket.readableNow() != .wouldBlock } catch { return true }
  }

  override func readFromSocket() -> Bool {
    guard let socket else { return false }
    var rounds: UInt = 0
    while rounds < maxMessagesPerRead, life == .active, !isInputShut {
      rounds += 1
      do throws(SocketError) {
        switch try socket.readableNow() {
        case .wouldBlock: return true
        case .endOfStream:
          readPending = false
          inputEnded()
          return false
        case .bytes: break
        }
        var failure: SocketError?
        let (buffer, count) = buffers.buffer(allocator: allocator) { buffer in
          Self.fill(&buffer, from: socket, &failure)
        }
        if let failure { throw failure }
        buffers.record(actualReadBytes: count)
        readPending = false
        pipeline.syncOperations.fireChannelRead(NIOAny(buffer))
      } catch {
        readPending = false
        fail(IOError(error, in: "read"))
        return false
      }
    }
    return true
  }

  private static func fill(_ buffer: inout ByteBuffer, from socket: SocketCore, _ failure: inout SocketError?) -> Int {
    unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { bytes in
      var span = unsafe MutableRawSpan(_unsafeBytes: bytes)
      do throws(SocketError) {
        if case .bytes(let count) = try socket.readNow(into: &span) { return count }
      } catch {
        failure = error
      }
      return 0
    }
  }

  private func inputEnded() {
    pipeline.syncOperations.fireChannelReadComplete()
    guard life == .active else { return }
    close0(error: ChannelError.eof, mode: allowsRemoteHalfClosure ? .input : .all, promise: nil)
  }

  // MARK: Writing

  override func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) { append(data, promise) }

  override func flush0() {
    guard isOpen else { return }
    writes.flush()
    if life == .active { flushNow() }
  }

  // MARK: Closing

  override func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard isOpen else { promise?.fail(ChannelError.alreadyClosed); return }
    switch mode {
    case .all: super.close0(error: error, mode: .all, promise: promise)
    case .output:
      guard !isOutputShut else { promise?.fail(ChannelError.outputClosed); return }
      guard !isInputShut || !writes.isEmpty else { return close0(error: error, mode: .all, promise: promise) }
      guard life == .active else { promise?.fail(ChannelError.inappropriateOperationForState); return }
      isOutputShut = true
      outputClosing = OutputClosing(promise: promise)
      if writes.isEmpty { shutOutput() }
    case .input:
      guard !isInputShut else { promise?.fail(ChannelError.inputClosed); return }
      guard !isOutputShut || outputClosing != nil else { return close0(error: error, mode: .all, promise: promise) }
      guard life == .active else { promise?.fail(ChannelError.inappropriateOperationForState); return }
      isInputShut = true
      readPending = false
      promise?.succeed(())
      pipeline.syncOperations.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }
  }

  /// Sends the end, behind everything that was written.
  func shutOutput() {
    guard let closing = outputClosing, let socket else { return }
    outputClosing = nil
    do throws(SocketError) {
      try socket.shutdownWriteNow()
      closing.promise?.succeed(())
    } catch {
      closing.promise?.fail(IOError(error, in: "shutdown"))
    }
    guard isOpen else { return }
    pipeline.syncOperations.fireUserInboundEventTriggered(ChannelEvent.outputClosed)
    // Nothing is left to do in either direction.
    if isInputShut, isOpen { close0(error: ChannelError.eof, mode: .all, promise: nil) }
  }

  // MARK: Options

  override func setOption0<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
    guard !isOpen || !setStreamOption(option, value) else { return }
    try super.setOption0(option, value: value)
  }

  override func getOption0<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
    if isOpen, let value = streamOption(option) as? Option.Value { return value }
    return try super.getOption0(option)
  }

  override func setSocketOption(_ name: KnownSocketOption, _ value: CInt) throws {
    try changeSocketOption(name, value)
  }

  override func socketOption(_ name: KnownSocketOption) throws -> CInt { try readSocketOption(name) }

  override func didClose(_ error: any Error) {
    let closing = outputClosing
    outputClosing = nil
    for entry in writes.removeAll() { entry.promise?.fail(error) }
    closing?.promise?.fail(error)
    if let pending = pendingConnect {
      pendingConnect = nil
      pending.timeout?.cancel()
      pending.promise?.fail(error)
    }
  }
}
