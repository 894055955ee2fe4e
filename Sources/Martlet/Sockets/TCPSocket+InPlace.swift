public import MartletCore

// Without a copy, for programs that live on the loop.

extension TCPSocket {
  /// Hands what is there to `body` where it lies, run by run, from one byte to `maximum`, and waits until there is something.
  /// The memory is the host's again when `body` returns.
  ///
  /// Only on the loop's thread: anywhere else it traps.
  /// - Returns: How many bytes; 0 when the peer sends no more (or `maximum` is 0).
  /// - Throws: As ``read(into:)``.
  public func readInPlace(
    upTo maximum: Int = .max, _ body: (RawSpan) -> Void
  ) async throws(SocketError) -> Int {
    precondition(core.loop.isCurrent, "bytes lie on the loop's thread")
    guard maximum > 0 else { return 0 }
    while true {
      let (state, loop, box) = (core.state, core.loop, core.box)
      guard !state.isClosed else { throw loop.isStopping ? .cancelled : .notASocket }
      if state.pushbackStart < state.pushback.count {
        return state.readPushback(upTo: maximum, body)
      }
      switch try box.host.read(from: state.id, upTo: maximum, at: box.time(at: loop.now), body) {
      case .bytes(let count):
        loop.touch(box)
        return count
      case .endOfStream: return 0
      case .wouldBlock: try await core.wait(for: .readable, "bytes to read")
      }
    }
  }

  /// Hands `slice` to the connection by reference, waiting while its send buffer is full. The bytes stay where they are,
  /// unchanged, until they are acknowledged and the region is given back.
  ///
  /// Only on the loop's thread: anywhere else it traps.
  /// - Throws: As ``write(_:)-([UInt8])``.
  public func write(_ slice: consuming Slice) async throws(SocketError) {
    precondition(core.loop.isCurrent, "a region belongs to the loop's thread")
    while true {
      let (loop, box) = (core.loop, core.box)
      guard !core.state.isClosed else { throw loop.isStopping ? .cancelled : .notASocket }
      let isTaken = try box.host.write(slice.share(), to: core.state.id, at: box.time(at: loop.now))
      loop.touch(box)
      if isTaken { return }
      try await core.wait(for: .writable, "room to write")
    }
  }
}

extension SocketState {
  fileprivate func readPushback(upTo maximum: Int, _ body: (RawSpan) -> Void) -> Int {
    let end = min(pushback.count, pushback.count - pushbackStart <= maximum ? .max : pushbackStart + maximum)
    unsafe body(pushback.span.bytes.extracting(pushbackStart..<end))
    let count = end - pushbackStart
    pushbackStart = end
    if pushbackStart == pushback.count {
      pushback = []
      pushbackStart = 0
    }
    return count
  }
}
