package import MartletCore
package import MartletWire

// Sockets without tasks, for a floor above that is called when something happens: everything here is done at once, and
// only on the loop's thread.

extension VirtualHost {
  package func openListener(
    on local: SocketAddress, options: ListenerOptions
  ) throws(SocketError) -> SocketCore {
    try open { (host, _) throws(SocketError) in try host.listen(on: local, options: options) }
  }

  package func openConnection(
    to remote: SocketAddress, from local: SocketAddress?, options: TCPSocketOptions
  ) throws(SocketError) -> SocketCore {
    try open { (host, now) throws(SocketError) in
      try host.connect(to: remote, from: local, options: options, at: now)
    }
  }

  package func openDatagramSocket(
    on local: SocketAddress, options: DatagramOptions
  ) throws(SocketError) -> SocketCore {
    try open { (host, _) throws(SocketError) in try host.openDatagram(on: local, options: options) }
  }

  package func openEchoSocket(_ version: IPVersion) throws(SocketError) -> SocketCore {
    try open { (host, _) throws(SocketError) in try host.openEcho(version: version) }
  }
}

extension SocketCore {
  /// Who is told what happens to the socket, until it is closed.
  package func observe(_ observer: any SocketObserver) { state.observer = observer }

  package var isClosed: Bool { state.isClosed }
  package var readiness: SocketEvent.Changes { box.host.readiness(of: id) }
  package func takeError() -> SocketError? { box.host.takeError(of: id) }
  package var localAddress: SocketAddress? { box.host.localAddress(of: id) }
  package var remoteAddress: SocketAddress? { box.host.remoteAddress(of: id) }

  /// Takes the next connection; nil if none waits.
  package func acceptNow() throws(SocketError) -> SocketCore? {
    guard let socket = try box.host.accept(from: id) else { return nil }
    loop.touch(box)
    return host.adopt(socket)
  }

  /// What ``readNow(into:)`` would give.
  package func readableNow() throws(SocketError) -> ReadResult { try box.host.readable(from: id) }

  /// Whether nothing more will arrive than what can be read now.
  package var isInputAtEnd: Bool { box.host.isInputAtEnd(of: id) }

  package func readNow(into buffer: inout MutableRawSpan) throws(SocketError) -> ReadResult {
    let result = try box.host.read(from: id, into: &buffer, at: now)
    if case .bytes(let count) = result {
      loop.touch(box)
      box.copies.toPrograms &+= UInt64(truncatingIfNeeded: count)
    }
    return result
  }

  /// How many bytes ``writeNow(_:)`` would take.
  package var sendRoom: Int { box.host.sendRoom(of: id) }

  /// How many bytes were written that the peer has not acknowledged yet.
  package var unacknowledgedByteCount: Int {
    do throws(SocketError) { return try box.host.sendBuffer(of: id, notifying: false).queued } catch { return 0 }
  }

  /// Takes as many bytes as there is room for and says how many.
  package func writeNow(_ bytes: RawSpan) throws(SocketError) -> Int {
    let count = try box.host.write(bytes, to: id, at: now)
    loop.touch(box)
    box.copies.fromPrograms &+= UInt64(truncatingIfNeeded: count)
    return count
  }

  /// Takes `slice` by reference if there is room, and says whether there was.
  package func writeNow(_ slice: consuming Slice) throws(SocketError) -> Bool {
    let isTaken = try box.host.write(slice, to: id, at: now)
    loop.touch(box)
    return isTaken
  }

  package func shutdownWriteNow() throws(SocketError) {
    try box.host.shutdownWrite(id, at: now)
    loop.touch(box)
  }

  package func streamOptions() throws(SocketError) -> TCPSocketOptions { try box.host.options(of: id) }

  package func setStreamOptions(_ options: TCPSocketOptions) throws(SocketError) {
    try box.host.setOptions(options, of: id)
    loop.touch(box)
  }

  package func sendNow(_ bytes: RawSpan, to remote: SocketAddress?) throws(SocketError) {
    try box.host.send(bytes, to: remote, from: id, at: now)
    loop.touch(box)
    box.copies.fromPrograms &+= UInt64(truncatingIfNeeded: bytes.byteCount)
  }

  package func receiveNow(into buffer: inout MutableRawSpan) throws(SocketError) -> ReceivedDatagram? {
    let datagram = try box.host.receiveDatagram(from: id, into: &buffer)
    if let datagram { box.copies.toPrograms &+= UInt64(truncatingIfNeeded: min(datagram.byteCount, buffer.byteCount)) }
    return datagram
  }

  package func connectDatagramNow(to remote: SocketAddress) throws(SocketError) {
    try box.host.connectDatagram(id, to: remote)
  }

  package func sendEchoNow(_ bytes: RawSpan, sequence: UInt16, to remote: SocketAddress) throws(SocketError) {
    try box.host.sendEcho(bytes, sequence: sequence, to: remote, from: id, at: now)
    loop.touch(box)
  }

  package func receiveEchoNow(into buffer: inout MutableRawSpan) throws(SocketError) -> ReceivedEcho? {
    try box.host.receiveEcho(from: id, into: &buffer)
  }

  /// Closes the socket at once.
  package func closeNow() { SocketCore.close(state, in: box, loop) }

  /// Ends the connection at once with a reset.
  package func abortNow() { abort() }
}
