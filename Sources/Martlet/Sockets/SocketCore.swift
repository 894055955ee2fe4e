internal import MartletCore
internal import MartletWire

/// What all kinds of sockets share: the host, the socket's name there, and the way to the loop's thread.
@safe
package final class SocketCore: Sendable {
  package let host: VirtualHost
  let state: SocketState

  init(host: VirtualHost, state: SocketState) {
    self.host = host
    self.state = state
  }

  deinit {
    // A socket that nobody has any more is closed, as a descriptor is when its process ends.
    let (core, state) = (host.loop.core, state)
    nonisolated(unsafe) let box = unsafe host.box
    core.execute { unsafe SocketCore.close(state, in: box, core) }
  }

  var id: SocketID { state.id }
  @inline(__always) var loop: LoopCore { host.loop.core }
  @inline(__always) var box: HostBox { unsafe host.box }
  /// The host's time. Only on the loop's thread.
  @inline(__always) var now: Instant { box.time(at: loop.now) }

  /// Only on the loop's thread.
  static func close(_ state: SocketState, in box: HostBox, _ core: LoopCore) {
    guard !state.isClosed else { return }
    state.isClosed = true
    state.observer = nil
    box.host.close(state.id, at: box.time(at: core.now))
    box.states[state.id] = nil
    core.touch(box)
    state.waiters.endAll(.cancelled)
  }

  /// Closes the socket; whoever waits for it is cancelled.
  func close() {
    loop.execute { [self] in SocketCore.close(state, in: box, loop) }
  }

  func abort() {
    loop.execute { [self] in
      guard !state.isClosed else { return }
      state.isClosed = true
      state.observer = nil
      box.host.abort(id, at: now)
      box.states[id] = nil
      loop.touch(box)
      state.waiters.endAll(.cancelled)
    }
  }

  /// Waits on the loop's thread for one of `changes`.
  func wait(for changes: SocketEvent.Changes, _ purpose: StaticString) async throws(SocketError) {
    switch await loop.wait(
      for: changes.union([.closed, .softError]), in: state.waiters, purpose: purpose)
    {
    case .ready: return
    case .cancelled: throw .cancelled
    case .stalled: throw .stalled
    }
  }

  /// Runs `body` with the host on the loop's thread, from anywhere.
  func withHost<T: Sendable>(
    _ body: @escaping @Sendable (inout Host, Instant) throws(SocketError) -> T
  ) throws(SocketError) -> T {
    try loop.sync { [self] () throws(SocketError) -> T in
      guard !state.isClosed else { throw .notASocket }
      defer { loop.touch(box) }
      return try body(&box.host, now)
    }
  }
}

extension VirtualHost {
  /// Notes a socket that the host has opened. Only on the loop's thread.
  func adopt(_ id: SocketID) -> SocketCore {
    let state = SocketState(id)
    unsafe box.states[id] = state
    return SocketCore(host: self, state: state)
  }

  func open(
    _ body: @escaping @Sendable (inout Host, Instant) throws(SocketError) -> SocketID
  ) throws(SocketError) -> SocketCore {
    try withBox { [self] (core, box) throws(SocketError) -> SocketCore in
      guard !core.isStopping else { throw .cancelled }
      return adopt(try body(&box.host, box.time(at: core.now)))
    }
  }
}

extension Array where Element == UInt8 {
  /// An array of at most `capacity` bytes that `body` fills; it returns how many.
  static func reading(
    upTo capacity: Int, _ body: (inout MutableRawSpan) throws(SocketError) -> Int
  ) throws(SocketError) -> [UInt8] {
    var failure: SocketError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      var span = unsafe MutableRawSpan(_unsafeBytes: UnsafeMutableRawBufferPointer(buffer))
      do throws(SocketError) { count = try body(&span) } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }
}
