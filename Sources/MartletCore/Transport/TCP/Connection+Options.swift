// What a program chose for a connection, and what it sees of it.

extension Connection {
  /// What was chosen.
  var options: TCPSocketOptions {
    var options = TCPSocketOptions()
    options.noDelay = tcp.noDelay
    options.keepAlive = tcp.flags.contains(.keepAlive)
    options.congestionControl = tcp.limits.congestionControl
    options.userTimeout = .milliseconds(Int64(tcp.limits.userTimeout))
    options.timeToLive = timeToLive == 0 ? nil : timeToLive
    options.trafficClass = trafficClass
    options.receiveBufferByteCount = Int(tcp.limits.receiveBuffer)
    options.sendBufferByteCount = Int(tcp.limits.sendBuffer)
    return options
  }

  /// Changes what may change while a connection lives; buffer sizes are those it began with.
  mutating func setOptions(_ options: TCPSocketOptions, at now: Instant) {
    tcp.noDelay = options.noDelay
    if options.keepAlive != tcp.flags.contains(.keepAlive) { tcp.setKeepAlive(options.keepAlive, at: now) }
    if let timeout = options.userTimeout { tcp.setUserTimeout(timeout) }
    timeToLive = options.timeToLive ?? 0
    trafficClass = options.trafficClass
  }
}

extension TCPConnection {
  /// What could be done now without waiting.
  var readiness: SocketEvent.Changes {
    var ready: SocketEvent.Changes = []
    if !receiveQueue.isEmpty || flags.contains(.finReceived) || error != nil || state == .closed {
      ready.insert(.readable)
    }
    if state.maySend, sendRoom > 0 { ready.insert(.writable) }
    if state.isSynchronized { ready.insert(.connected) }
    if state == .closed { ready.insert(.closed) }
    if flags.contains(.receivesUrgent) { ready.insert(.urgent) }
    return ready
  }

  /// Why the connection failed, or the last soft error, which is told once.
  mutating func takeError() -> SocketError? {
    if let error { return error }
    defer { softError = nil }
    return softError
  }
}
