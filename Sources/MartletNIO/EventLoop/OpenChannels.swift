internal import Martlet
internal import NIOCore

/// The channels of one event loop that are registered, so that they end with it. Touched on the loop's thread alone.
final class OpenChannels: @unchecked Sendable {
  private var channels: [SocketChannel] = []
  private var endsWithLoop = false

  func insert(_ channel: SocketChannel, on loop: Loop) {
    if !endsWithLoop {
      endsWithLoop = true
      loop.atEnd { [self] in closeAll() }
    }
    channel.place = channels.count
    channels.append(channel)
  }

  func remove(_ channel: SocketChannel) {
    let place = channel.place
    guard place >= 0 else { return }
    channel.place = -1
    let last = channels.removeLast()
    guard place < channels.count else { return }
    channels[place] = last
    last.place = place
  }

  private func closeAll() {
    while let channel = channels.last { channel.close0(error: EventLoopError.shutdown, mode: .all, promise: nil) }
  }
}
