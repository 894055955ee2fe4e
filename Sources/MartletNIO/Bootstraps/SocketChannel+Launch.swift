internal import Martlet
internal import MartletWire
internal import NIOCore

extension SocketChannel {
  /// Sets a new channel up, registers it and does `body`; a channel that fails on the way is closed.
  ///
  /// - Returns: What `setUp` gave.
  func launch<Output: Sendable>(
    _ setUp: () -> EventLoopFuture<Output>, body: @escaping @Sendable () -> EventLoopFuture<Void>
  ) -> EventLoopFuture<Output> {
    setUp().flatMap { output in
      self.register().flatMap { body() }.map { output }
    }.flatMapErrorThrowing { error in
      self.close(promise: nil)
      throw error
    }
  }
}

extension ChannelOptions.Storage {
  /// Sets `channel`'s options, then does `initializer`.
  func setUp<Output: Sendable>(
    _ channel: any Channel, _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
  ) -> EventLoopFuture<Output> {
    applyAllChannelOptions(to: channel).flatMap { initializer(channel) }
  }
}

extension VirtualHost {
  /// The addresses of `name` on this host, the best first; never empty.
  func endpoints(named name: String, port: Int) -> EventLoopFuture<[NIOCore.SocketAddress]> {
    let eventLoop = loop.eventLoop
    guard let port = UInt16(exactly: port) else { return eventLoop.makeFailedFuture(SocketError.invalidAddress) }
    if let literal = MartletWire.SocketAddress(host: name, port: port) {
      return eventLoop.makeSucceededFuture([NIOCore.SocketAddress(literal)])
    }
    let promise = eventLoop.makePromise(of: [NIOCore.SocketAddress].self)
    loop.task { [self] in
      do {
        let answers = try await resolve(name, service: "\(port)", hints: AddressInfo.Hints(socketType: .stream))
        promise.succeed(answers.map { NIOCore.SocketAddress($0.address) })
      } catch {
        promise.fail(error)
      }
    }
    return promise.futureResult
  }
}
