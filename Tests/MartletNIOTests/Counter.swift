import NIOCore
import Synchronization

/// Counts the bytes that handlers it makes are given.
final class Counter: Sendable {
  private let bytes = Atomic<Int>(0)

  var count: Int { bytes.load(ordering: .relaxed) }
  func add(_ count: Int) { bytes.wrappingAdd(count, ordering: .relaxed) }

  func handler() -> some ChannelInboundHandler { Handler(counter: self) }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    let counter: Counter

    init(counter: Counter) { self.counter = counter }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      counter.add(unwrapInboundIn(data).readableBytes)
    }
  }
}
