public import Dispatch
public import Martlet
public import NIOCore
internal import Synchronization

/// The event loops of one or several loops, for libraries that ask for a group.
///
/// A host lives on one loop, and so do its channels: what a group spreads is other work.
public final class MartletEventLoopGroup: EventLoopGroup {
  private let eventLoops: [MartletEventLoop]
  private let turn = Atomic<Int>(0)

  /// A group over `loops`, at least one.
  public init(_ loops: [Loop]) {
    precondition(!loops.isEmpty, "a group needs a loop")
    eventLoops = loops.map(\.eventLoop)
  }

  /// A group over one loop.
  public convenience init(_ loop: Loop) { self.init([loop]) }

  /// The event loops in turn.
  public func next() -> any EventLoop {
    let turn = turn.wrappingAdd(1, ordering: .relaxed).oldValue
    return eventLoops[Int(UInt(bitPattern: turn) % UInt(eventLoops.count))]
  }

  /// The event loop of the calling thread, if it is one of the group's, else the next.
  public func any() -> any EventLoop { eventLoops.first { $0.inEventLoop } ?? next() }

  public func makeIterator() -> EventLoopIterator { EventLoopIterator(eventLoops) }

  /// Shuts all the loops down, with their hosts and sockets; open channels are closed first.
  public func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
    let eventLoops = eventLoops
    queue.async {
      for eventLoop in eventLoops { eventLoop.loop.shutdown() }
      callback(nil)
    }
  }
}
