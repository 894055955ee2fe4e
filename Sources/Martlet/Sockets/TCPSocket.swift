public import MartletCore
public import MartletWire

/// One end of a TCP connection (RFC 9293).
///
/// Calls may come from anywhere and are fastest on the host's loop. Reading and writing may go on at the same time; a
/// call whose task is cancelled throws ``SocketError/cancelled`` and leaves the connection as it is. When nobody has
/// the socket any more it is closed.
public final class TCPSocket: Sendable {
  let core: SocketCore

  init(core: SocketCore) { self.core = core }

  /// The host at this end.
  public var host: VirtualHost { core.host }

  // MARK: Reading

  /// Reads what is there, at least one byte, into `buffer`, and waits until there is something.
  ///
  /// - Returns: How many bytes; 0 when the peer sends no more (or `buffer` is empty).
  /// - Throws: ``SocketError/reset``, ``SocketError/timedOut(after:)`` and others when the connection failed.
  public func read(into buffer: inout MutableRawSpan) async throws(SocketError) -> Int {
    guard buffer.byteCount > 0 else { return 0 }
    if core.loop.isCurrent {
      while true {
        if let count = try readNow(into: &buffer) { return count }
        try await core.wait(for: .readable, "bytes to read")
      }
    }
    let bytes = try await read(upTo: buffer.byteCount)
    for index in bytes.indices { buffer.storeBytes(of: bytes[index], toByteOffset: index, as: UInt8.self) }
    return bytes.count
  }

  /// Reads what is there, from one byte to `maximum`, and waits until there is something. Empty when the peer sends
  /// no more.
  public func read(upTo maximum: Int = 65_536) async throws(SocketError) -> [UInt8] {
    guard maximum > 0 else { return [] }
    guard core.loop.isCurrent else {
      return try await core.host.loop.perform { [self] () throws(SocketError) in try await read(upTo: maximum) }
    }
    while true {
      var isThere = true
      let bytes = try [UInt8].reading(upTo: maximum) { (buffer) throws(SocketError) -> Int in
        guard let count = try readNow(into: &buffer) else {
          isThere = false
          return 0
        }
        return count
      }
      if isThere { return bytes }
      try await core.wait(for: .readable, "bytes to read")
    }
  }

  /// Reads until the peer sends no more.
  ///
  /// - Throws: ``SocketError/noResources`` when it sends more than `maximum` bytes.
  public func readToEnd(maximum: Int = .max) async throws(SocketError) -> [UInt8] {
    guard core.loop.isCurrent else {
      return try await core.host.loop.perform { [self] () throws(SocketError) in try await readToEnd(maximum: maximum) }
    }
    var all: [UInt8] = []
    while true {
      let bytes = try await read(upTo: 65_536)
      if bytes.isEmpty { return all }
      guard bytes.count <= maximum - all.count else { throw .noResources }
      all += bytes
    }
  }

  /// Reads one line and takes its end, LF or CR LF, away; nil when the peer sends no more. Octets that are not UTF-8
  /// are repaired.
  ///
  /// - Throws: ``SocketError/noResources`` when a line has more than `maximum` bytes.
  public func readLine(maximum: Int = 65_536) async throws(SocketError) -> String? {
    guard core.loop.isCurrent else {
      return try await core.host.loop.perform { [self] () throws(SocketError) in try await readLine(maximum: maximum) }
    }
    let state = core.state
    var line: [UInt8] = []
    while true {
      var bytes = try await read(upTo: 4_096)
      if bytes.isEmpty { return line.isEmpty ? nil : String(decoding: line, as: UTF8.self) }
      guard let end = bytes.firstIndex(of: 0x0a) else {
        line += bytes
        guard line.count <= maximum else { throw .noResources }
        continue
      }
      // What is behind the line comes before anything that was left from an earlier read.
      var rest = Array(bytes[(end + 1)...])
      if !rest.isEmpty || state.pushbackStart < state.pushback.count {
        rest += state.pushback[state.pushbackStart...]
        state.pushback = rest
        state.pushbackStart = 0
      }
      bytes.removeSubrange(end...)
      line += bytes
      guard line.count <= maximum else { throw .noResources }
      if line.last == 0x0d { line.removeLast() }
      return String(decoding: line, as: UTF8.self)
    }
  }

  /// What can be read without waiting; nil if that is nothing. Only on the loop's thread.
  @inline(__always)
  func readNow(into buffer: inout MutableRawSpan) throws(SocketError) -> Int? {
    let (state, loop, box) = (core.state, core.loop, core.box)
    guard !state.isClosed else { throw loop.isStopping ? .cancelled : .notASocket }
    if state.pushbackStart < state.pushback.count { return state.readPushback(into: &buffer) }
    let result = try box.host.read(from: state.id, into: &buffer, at: box.time(at: loop.now))
    switch result {
    case .bytes(let count):
      loop.touch(box)
      box.copies.toPrograms &+= UInt64(truncatingIfNeeded: count)
      return count
    case .endOfStream: return 0
    case .wouldBlock: return nil
    }
  }

  // MARK: Writing

  /// Hands all of `bytes` to the connection, waiting while its send buffer is full.
  ///
  /// - Throws: ``SocketError/invalidState`` after ``shutdownWrite()``; ``SocketError/reset`` and others when the
  ///   connection failed. How much was sent before is not known then.
  public func write(_ bytes: [UInt8]) async throws(SocketError) {
    if core.loop.isCurrent {
      try await writeOnLoop(bytes)
    } else {
      try await core.host.loop.perform { [self] () throws(SocketError) in try await writeOnLoop(bytes) }
    }
  }

  /// Hands the UTF-8 of `text` to the connection.
  public func write(_ text: String) async throws(SocketError) { try await write(Array(text.utf8)) }

  /// Hands all of `bytes` to the connection, waiting while its send buffer is full.
  public func write(_ bytes: RawSpan) async throws(SocketError) {
    guard core.loop.isCurrent else {
      try await write([UInt8](copying: bytes))
      return
    }
    var sent = 0
    while sent < bytes.byteCount {
      let count = try writeNow(bytes.extracting(sent...))
      sent += count
      if sent < bytes.byteCount, count == 0 { try await core.wait(for: .writable, "room to write") }
    }
  }

  private func writeOnLoop(_ bytes: [UInt8]) async throws(SocketError) {
    var sent = 0
    while sent < bytes.count {
      let count = try unsafe writeNow(bytes.span.bytes.extracting(sent...))
      sent += count
      if sent < bytes.count, count == 0 { try await core.wait(for: .writable, "room to write") }
    }
  }

  /// Takes what there is room for and says how many bytes that was. Only on the loop's thread.
  @inline(__always)
  func writeNow(_ bytes: RawSpan) throws(SocketError) -> Int {
    let (loop, box) = (core.loop, core.box)
    guard !core.state.isClosed else { throw loop.isStopping ? .cancelled : .notASocket }
    let count = try box.host.write(bytes, to: core.state.id, at: box.time(at: loop.now))
    loop.touch(box)
    box.copies.fromPrograms &+= UInt64(truncatingIfNeeded: count)
    return count
  }

  // MARK: Urgent data and corking

  /// Writes all of `bytes` and makes them, with all that was written before, urgent: the peer's program is told to read up
  /// to their end (RFC 9293 section 3.8.5). They stay part of the stream (RFC 6093 section 4); new protocols do not use
  /// this (RFC 9293 SHLD-13).
  ///
  /// - Throws: As ``write(_:)-([UInt8])``.
  public func writeUrgent(_ bytes: [UInt8]) async throws(SocketError) {
    guard core.loop.isCurrent else {
      return try await core.host.loop.perform { [self] () throws(SocketError) in try await writeUrgent(bytes) }
    }
    var sent = 0
    while sent < bytes.count {
      let (loop, box) = (core.loop, core.box)
      guard !core.state.isClosed else { throw loop.isStopping ? .cancelled : .notASocket }
      let count = try unsafe box.host.writeUrgent(
        bytes.span.bytes.extracting(sent...), to: core.id, at: box.time(at: loop.now))
      loop.touch(box)
      sent += count
      if count == 0 { try await core.wait(for: .writable, "room to write") }
    }
  }

  /// How many bytes are still to be read until the peer's urgent data ends, 0 if there is none (RFC 9293 MUST-33). It is
  /// read in its place in the stream.
  public func urgentByteCount() throws(SocketError) -> Int {
    let id = core.id
    return try core.withHost { (host, _) throws(SocketError) in try host.urgentByteCount(of: id) }
  }

  /// Keeps segments that are not full back until it is called with false, or lets them go.
  public func setCorked(_ isCorked: Bool) throws(SocketError) {
    let id = core.id
    try core.withHost { (host, _) throws(SocketError) in try host.setCorked(isCorked, of: id) }
  }

  // MARK: Ending

  /// Says that nothing more will be written (FIN); reading goes on.
  public func shutdownWrite() throws(SocketError) {
    let id = core.id
    try core.withHost { (host, now) throws(SocketError) in try host.shutdownWrite(id, at: now) }
  }

  /// Closes the socket: what was written still goes out, and what is still to be read is lost.
  public func close() { core.close() }

  /// Ends the connection at once with a reset (RFC 9293 section 3.10.5).
  public func abort() { core.abort() }

  // MARK: Looking

  /// This end.
  public var localAddress: SocketAddress? {
    let core = core
    return core.loop.sync { core.box.host.localAddress(of: core.id) }
  }

  /// The other end.
  public var remoteAddress: SocketAddress? {
    let core = core
    return core.loop.sync { core.box.host.remoteAddress(of: core.id) }
  }

  /// What the program chose for the connection.
  public func options() throws(SocketError) -> TCPSocketOptions {
    let id = core.id
    return try core.withHost { (host, _) throws(SocketError) in try host.options(of: id) }
  }

  /// The connection's numbers now: windows, times, what is under way and what was sent again.
  public func info() throws(SocketError) -> TCPInfo {
    let id = core.id
    return try core.withHost { (host, _) throws(SocketError) in try host.info(of: id) }
  }

  /// Changes what the program chose for the connection.
  public func setOptions(_ options: TCPSocketOptions) throws(SocketError) {
    let id = core.id
    try core.withHost { (host, _) throws(SocketError) in try host.setOptions(options, of: id) }
  }
}

extension SocketState {
  func readPushback(into buffer: inout MutableRawSpan) -> Int {
    let count = min(buffer.byteCount, pushback.count - pushbackStart)
    for index in 0..<count {
      buffer.storeBytes(of: pushback[pushbackStart + index], toByteOffset: index, as: UInt8.self)
    }
    pushbackStart += count
    if pushbackStart == pushback.count {
      pushback = []
      pushbackStart = 0
    }
    return count
  }
}

extension Array where Element == UInt8 {
  init(copying bytes: RawSpan) { self = unsafe bytes.withUnsafeBytes { unsafe Array($0) } }
}

extension VirtualHost {
  /// Opens a TCP connection and waits until the peer has agreed.
  ///
  /// - Parameters:
  ///   - remote: The peer.
  ///   - local: This end; nil, or port 0, lets the host choose.
  ///   - options: What the program chooses for the connection.
  /// - Throws: ``SocketError/refused``, ``SocketError/timedOut(after:)``, ``SocketError/noRoute`` and others.
  public func connect(
    to remote: SocketAddress, from local: SocketAddress? = nil, options: TCPSocketOptions = TCPSocketOptions()
  ) async throws(SocketError) -> TCPSocket {
    if loop.core.isCurrent { return try await connectOnLoop(to: remote, from: local, options) }
    return try await loop.perform { [self] () throws(SocketError) -> TCPSocket in
      try await connectOnLoop(to: remote, from: local, options)
    }
  }

  private func connectOnLoop(
    to remote: SocketAddress, from local: SocketAddress?, _ options: TCPSocketOptions
  ) async throws(SocketError) -> TCPSocket {
    try await connected(
      try open { (host, now) throws(SocketError) in
        try host.connect(to: remote, from: local, options: options, at: now)
      })
  }

  /// Opens a TCP connection, sends `bytes` along with its first segment if the host has a Fast Open cookie from the peer
  /// (RFC 7413), or else as soon as the peer has agreed, and waits for that.
  ///
  /// The peer's program may, if the network duplicates the segment, see the bytes twice (RFC 7413 section 6.1): only for a
  /// protocol that bears it.
  ///
  /// - Parameters:
  ///   - remote: The peer.
  ///   - local: This end; nil, or port 0, lets the host choose.
  ///   - options: What the program chooses for the connection; ``TCPSocketOptions/fastOpen`` is taken for true.
  ///   - bytes: What is written first.
  /// - Throws: As ``connect(to:from:options:)``.
  public func connect(
    to remote: SocketAddress, from local: SocketAddress? = nil, options: TCPSocketOptions = TCPSocketOptions(),
    sending bytes: [UInt8]
  ) async throws(SocketError) -> TCPSocket {
    guard loop.core.isCurrent else {
      return try await loop.perform { [self] () throws(SocketError) -> TCPSocket in
        try await connect(to: remote, from: local, options: options, sending: bytes)
      }
    }
    let (core, sent) = try withBox { [self] (core, box) throws(SocketError) -> (SocketCore, Int) in
      guard !core.isStopping else { throw .cancelled }
      let opened = try unsafe box.host.connect(
        to: remote, from: local, options: options, sending: bytes.span.bytes, at: box.time(at: core.now))
      return (adopt(opened.socket), opened.byteCount)
    }
    let socket = try await connected(core)
    if sent < bytes.count { try await socket.write(Array(bytes[sent...])) }
    return socket
  }

  private func connected(_ core: SocketCore) async throws(SocketError) -> TCPSocket {
    let box = core.box
    do throws(SocketError) {
      while true {
        let readiness = box.host.readiness(of: core.id)
        if readiness.contains(.closed) { throw box.host.takeError(of: core.id) ?? .reset }
        if !readiness.isDisjoint(with: [.connected, .writable]) { return TCPSocket(core: core) }
        try await core.wait(for: [.connected, .writable], "a connection to be made")
      }
    } catch {
      core.abort()
      throw error
    }
  }

  /// As ``connect(to:from:options:)``, closing the connection when `body` ends.
  public func withTCP<T: Sendable>(
    to remote: SocketAddress, options: TCPSocketOptions = TCPSocketOptions(),
    _ body: (TCPSocket) async throws -> T
  ) async throws -> T {
    let socket = try await connect(to: remote, options: options)
    defer { socket.close() }
    return try await body(socket)
  }
}
