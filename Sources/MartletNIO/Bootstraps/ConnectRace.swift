internal import Martlet
internal import MartletWire
internal import NIOCore

/// Connects to the first of several addresses that answers, giving each a head start over the next (RFC 8305 section 5).
/// On the loop's thread.
final class ConnectRace<Output: Sendable>: @unchecked Sendable {
  /// How long an address is tried before the next one joins (RFC 8305 section 8).
  static var headStart: TimeAmount { .milliseconds(250) }

  private let eventLoop: MartletEventLoop
  private let name: String
  private let attempt: (NIOCore.SocketAddress) -> (StreamChannel, EventLoopFuture<Output>)
  private let promise: EventLoopPromise<Output>
  private var waiting: ArraySlice<NIOCore.SocketAddress>
  private var running: [StreamChannel] = []
  private var failures: [MartletConnectionError.Failure] = []
  private var isOver = false
  private var next: Scheduled<Void>?

  init(
    to addresses: [NIOCore.SocketAddress], named name: String, on eventLoop: MartletEventLoop,
    _ attempt: @escaping (NIOCore.SocketAddress) -> (StreamChannel, EventLoopFuture<Output>)
  ) {
    self.eventLoop = eventLoop
    self.name = name
    self.attempt = attempt
    waiting = addresses[...]
    promise = eventLoop.makePromise()
  }

  func run() -> EventLoopFuture<Output> {
    tryNext()
    return promise.futureResult
  }

  private func tryNext() {
    next?.cancel()
    next = nil
    guard !isOver else { return }
    guard let address = waiting.popFirst() else {
      guard running.isEmpty else { return }
      isOver = true
      return promise.fail(MartletConnectionError(host: name, failures: failures))
    }
    let (channel, connected) = attempt(address)
    running.append(channel)
    connected.whenComplete { [self] result in
      running.removeAll { $0 === channel }
      guard !isOver else { return }
      switch result {
      case .success(let output):
        isOver = true
        next?.cancel()
        for other in running { other.close(promise: nil) }
        promise.succeed(output)
      case .failure(let error):
        failures.append(MartletConnectionError.Failure(address: address, error: error))
        tryNext()
      }
    }
    guard !isOver, !waiting.isEmpty, next == nil else { return }
    next = eventLoop.scheduleTask(in: Self.headStart) { [self] in tryNext() }
  }
}
