internal import Martlet
internal import MartletCore
internal import MartletWire
internal import NIOCore

/// What channels share whose sockets send and receive messages. A message that cannot be sent fails its promise; the
/// channel goes on.
class MessageChannel: SocketChannel, @unchecked Sendable {
  /// A message on its way out; without an address it goes to the peer.
  struct Envelope: PendingMessage {
    var data: ByteBuffer
    var remote: MartletWire.SocketAddress?

    var readableBytes: Int { data.readableBytes }
    mutating func moveReaderIndex(forwardBy count: Int) { data.moveReaderIndex(forwardBy: count) }
  }

  /// A message that came in, and what is told of it.
  struct Received {
    var byteCount: Int
    var source: MartletWire.SocketAddress
    var metadata: AddressedEnvelope<ByteBuffer>.Metadata?
  }

  let writes = WriteQueue<Envelope>()
  private var writeSpinCount: UInt = 16

  init(host: VirtualHost) {
    super.init(host: host, parent: nil, socket: nil, recvAllocator: FixedSizeRecvByteBufferAllocator(capacity: 2_048))
  }

  override var isWritable: Bool { writes.isWritable }

  // MARK: What subclasses know

  /// What is to be sent for `data`.
  func message(_ data: NIOAny) throws -> Envelope { throw ChannelError.operationUnsupported }

  func send(_ bytes: RawSpan, to remote: MartletWire.SocketAddress?, by socket: SocketCore) throws(SocketError) {
    throw .invalidState
  }

  func receive(into buffer: inout MutableRawSpan, from socket: SocketCore) throws(SocketError) -> Received? { nil }

  // MARK: Writing

  override func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard isOpen else { promise?.fail(ChannelError.ioOnClosedChannel); return }
    do {
      if writes.append(try message(data), promise) { pipeline.syncOperations.fireChannelWritabilityChanged() }
    } catch {
      promise?.fail(error)
    }
  }

  override func flush0() {
    guard isOpen else { return }
    writes.flush()
    if life == .active { sendFlushed() }
  }

  override func didActivate() { sendFlushed() }

  private func sendFlushed() {
    while writes.flushedCount > 0, life == .active, let socket {
      let entry = writes.removeFirst()
      var failure: SocketError?
      unsafe entry.message.data.withUnsafeReadableBytes { bytes in
        let span = unsafe RawSpan(_unsafeBytes: bytes)
        do throws(SocketError) { try send(span, to: entry.message.remote, by: socket) } catch { failure = error }
      }
      switch failure {
      case nil: entry.promise?.succeed(())
      case .messageTooLong: entry.promise?.fail(ChannelError.writeMessageTooLarge)
      case .some(let error): entry.promise?.fail(IOError(error, in: "send"))
      }
    }
    if life == .active, writes.becameWritable() { pipeline.syncOperations.fireChannelWritabilityChanged() }
  }

  override func didClose(_ error: any Error) {
    for entry in writes.removeAll() { entry.promise?.fail(error) }
  }

  // MARK: Reading

  override func socketChanged(_ changes: SocketEvent.Changes) {
    if !changes.isDisjoint(with: [.readable, .softError]) { readNow() }
  }

  override func readFromSocket() -> Bool {
    guard let socket else { return false }
    var rounds: UInt = 0
    while rounds < maxMessagesPerRead, life == .active {
      rounds += 1
      var failure: SocketError?
      let (buffer, received) = buffers.buffer(allocator: allocator) { buffer in
        var received: Received?
        unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { bytes in
          var span = unsafe MutableRawSpan(_unsafeBytes: bytes)
          do throws(SocketError) { received = try receive(into: &span, from: socket) } catch { failure = error }
          return received?.byteCount ?? 0
        }
        return received
      }
      if let failure {
        readPending = false
        pipeline.syncOperations.fireErrorCaught(IOError(failure, in: "receive"))
        continue
      }
      guard let received else { break }
      buffers.record(actualReadBytes: received.byteCount)
      readPending = false
      pipeline.syncOperations.fireChannelRead(
        NIOAny(
          AddressedEnvelope(
            remoteAddress: NIOCore.SocketAddress(received.source), data: buffer, metadata: received.metadata)))
    }
    return true
  }

  // MARK: Options

  override func setOption0<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
    guard isOpen else { throw ChannelError.ioOnClosedChannel }
    switch (option, value) {
    case (_ as ChannelOptions.Types.WriteBufferWaterMarkOption, let value as ChannelOptions.Types.WriteBufferWaterMark):
      writes.waterMark = value
    case (_ as ChannelOptions.Types.WriteSpinOption, let value as UInt): writeSpinCount = value
    default: try super.setOption0(option, value: value)
    }
  }

  override func getOption0<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
    let value: Any? =
      switch option {
      case _ as ChannelOptions.Types.WriteBufferWaterMarkOption: writes.waterMark
      case _ as ChannelOptions.Types.WriteSpinOption: writeSpinCount
      case _ as ChannelOptions.Types.BufferedWritableBytesOption: writes.byteCount
      default: nil
      }
    if isOpen, let value = value as? Option.Value { return value }
    return try super.getOption0(option)
  }
}
