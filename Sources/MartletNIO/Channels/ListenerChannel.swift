internal import Martlet
internal import MartletCore
internal import MartletWire
internal import NIOCore

/// A channel over a listener: it reads channels of accepted connections.
final class ListenerChannel: SocketChannel, @unchecked Sendable {
  var options = ListenerOptions()

  init(host: VirtualHost) {
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

  /// A child that came through the pipeline goes live.
  override func channelRead0(_ data: NIOAny) {
    let child = unwrapData(data, as: SocketChannel.self)
    child.registerAlreadyConfigured0(promise: nil)
  }
}
