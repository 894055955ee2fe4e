import NIOCore
import Synchronization

/// The connections of a server, counted by address and told when the server stops.
final class ConnectionRegistry: Sendable {
  enum Admission: Equatable {
    case admitted
    case tooMany
    case tooManyFromAddress
  }

  private struct State {
    var nextKey: UInt64 = 0
    var channels: [UInt64: any Channel] = [:]
    var perAddress: [String: Int] = [:]
    var isStopping = false
  }

  private let limits: HTTPServerLimits
  private let state = Mutex(State())

  init(limits: HTTPServerLimits) { self.limits = limits }

  var count: Int { state.withLock { $0.channels.count } }

  /// Counts `channel` until it closes, if it may stay.
  func admit(_ channel: any Channel, from address: String) -> Admission {
    let limits = limits
    let (admission, key) = state.withLock { state -> (Admission, UInt64) in
      if state.channels.count >= limits.connections || state.isStopping { return (.tooMany, 0) }
      if state.perAddress[address, default: 0] >= limits.connectionsPerAddress { return (.tooManyFromAddress, 0) }
      state.perAddress[address, default: 0] += 1
      state.nextKey += 1
      state.channels[state.nextKey] = channel
      return (.admitted, state.nextKey)
    }
    if admission == .admitted { channel.closeFuture.whenComplete { _ in self.forget(key, from: address) } }
    return admission
  }

  private func forget(_ key: UInt64, from address: String) {
    state.withLock { state in
      state.channels[key] = nil
      let count = state.perAddress[address, default: 0] - 1
      state.perAddress[address] = count > 0 ? count : nil
    }
  }

  /// Lets no more in; the connections there are, in the order in which they came.
  func stop() -> [any Channel] {
    state.withLock { state in
      state.isStopping = true
      return state.channels.sorted { $0.key < $1.key }.map(\.value)
    }
  }
}
