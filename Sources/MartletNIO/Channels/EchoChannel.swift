internal import Martlet
internal import MartletCore
internal import MartletWire
internal import NIOCore

/// A channel over an echo socket: ICMP messages in `AddressedEnvelope<ByteBuffer>`, header first, as Linux's ping sockets
/// have them. Out go echo requests, whose identifier and checksum the host writes; in come replies, and errors about requests
/// with the request's sequence number.
final class EchoChannel: MessageChannel, @unchecked Sendable {
  private let version: IPVersion

  /// The size of an ICMP header, in bytes.
  private static let headerByteCount = 8
  private var request: UInt8 { version == .v4 ? 8 : 128 }

  init(host: VirtualHost, version: IPVersion) {
    self.version = version
    super.init(host: host)
  }

  override func bind0(to address: NIOCore.SocketAddress, promise: EventLoopPromise<Void>?) {
    guard isOpen else { promise?.fail(ChannelError.ioOnClosedChannel); return }
    guard life == .registered, socket == nil else { promise?.fail(ChannelError.inappropriateOperationForState); return }
    do throws(SocketError) {
      let socket = try host.openEchoSocket(version)
      self.socket = socket
      socket.observe(self)
      setAddresses(local: MartletWire.SocketAddress(.any(version), port: 0), remote: nil)
    } catch {
      promise?.fail(IOError(error, in: "bind"))
      return
    }
    becomeActive(promise)
  }

  override func message(_ data: NIOAny) throws -> Envelope {
    let envelope = unwrapData(data, as: AddressedEnvelope<ByteBuffer>.self)
    guard let remote = MartletWire.SocketAddress(envelope.remoteAddress), remote.version == version,
      envelope.data.readableBytes >= Self.headerByteCount,
      envelope.data.getInteger(at: envelope.data.readerIndex, as: UInt16.self) == UInt16(request) << 8
    else { throw IOError(SocketError.invalidAddress, in: "send of what is no echo request") }
    return Envelope(data: envelope.data, remote: remote)
  }

  override func send(_ bytes: RawSpan, to remote: MartletWire.SocketAddress?, by socket: SocketCore) throws(SocketError)
  {
    guard let remote else { throw .notConnected }
    let sequence: UInt16 = bytes.bigEndian(at: 6)
    try socket.sendEchoNow(bytes.extracting(Self.headerByteCount...), sequence: sequence, to: remote)
  }

  override func receive(into buffer: inout MutableRawSpan, from socket: SocketCore) throws(SocketError) -> Received? {
    guard buffer.byteCount >= Self.headerByteCount else { throw .noResources }
    var payload = buffer._mutatingExtracting(Self.headerByteCount...)
    let room = payload.byteCount
    guard let echo = try socket.receiveEchoNow(into: &payload) else { return nil }
    let (type, code, word) = header(of: echo.kind)
    buffer.store(bigEndian: UInt16(type) << 8 | UInt16(code), at: 0)
    buffer.store(bigEndian: UInt16(0), at: 2)
    buffer.store(bigEndian: word, at: 4)
    buffer.store(bigEndian: echo.sequence, at: 6)
    return Received(byteCount: Self.headerByteCount + min(echo.byteCount, room), source: echo.source, metadata: nil)
  }

  /// Type, code, and what stands where a request has its identifier (a packet too big: the MTU, else 0).
  private func header(of kind: ReceivedEcho.Kind) -> (UInt8, UInt8, UInt16) {
    switch (kind, version) {
    case (.reply, .v4): (0, 0, 0)
    case (.reply, .v6): (129, 0, 0)
    case (.unreachable(let code), .v4): (3, code, 0)
    case (.unreachable(let code), .v6): (1, code, 0)
    case (.timeExceeded, .v4): (11, 0, 0)
    case (.timeExceeded, .v6): (3, 0, 0)
    case (.packetTooBig(let mtu), .v4): (3, 4, UInt16(clamping: mtu))
    case (.packetTooBig(let mtu), .v6): (2, 0, UInt16(clamping: mtu))
    }
  }
}
