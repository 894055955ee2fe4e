internal import MartletCore
internal import MartletWire
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A socket of the operating system, without blocking, on a loop. Touched by the loop's thread alone.
final class SystemSocket: @unchecked Sendable {
  let descriptor: CInt
  private let core: LoopCore
  private let waiters = WaiterList()
  private var watcher: DescriptorWatcher?
  private(set) var isClosed = false

  init(descriptor: CInt, core: LoopCore) {
    self.descriptor = descriptor
    self.core = core
    let flags = fcntl(descriptor, F_GETFL, 0)
    _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit { if !isClosed { _ = systemClose(descriptor) } }

  /// A socket bound to `address`, listening if it is a stream.
  static func bound(
    to address: SocketAddress, stream: Bool, core: LoopCore
  ) throws(PublishError) -> SystemSocket {
    let family = address.version == .v4 ? AF_INET : AF_INET6
    #if canImport(Glibc)
      let type = CInt((stream ? SOCK_STREAM : SOCK_DGRAM).rawValue)
    #else
      let type = stream ? SOCK_STREAM : SOCK_DGRAM
    #endif
    let descriptor = socket(family, type, 0)
    guard descriptor >= 0 else { throw .system("make a socket", errno) }
    let made = SystemSocket(descriptor: descriptor, core: core)
    if stream { made.setOption(SOL_SOCKET, SO_REUSEADDR, 1) }
    let result = unsafe SystemAddress(address).withPointer { unsafe bind(descriptor, $0, $1) }
    guard result == 0 else { throw .system("bind to \(address)", errno) }
    if stream, systemListen(descriptor, 512) != 0 { throw .system("listen at \(address)", errno) }
    return made
  }

  func setOption(_ level: CInt, _ name: CInt, _ value: CInt) {
    var value = value
    _ = unsafe setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<CInt>.size))
  }

  var localAddress: SocketAddress? {
    unsafe SystemAddress.reading { unsafe getsockname(descriptor, $0, $1) == 0 }
  }

  /// What a call without blocking gave.
  enum Outcome<Value> {
    case done(Value)
    case wouldBlock
    case failed(CInt)
  }

  private func outcome(_ count: Int) -> Outcome<Int> {
    if count >= 0 { return .done(count) }
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? .wouldBlock : .failed(errno)
  }

  func accept() -> Outcome<SystemSocket> {
    let made = systemAccept(descriptor)
    guard made >= 0 else {
      let error = errno
      return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ECONNABORTED
        ? .wouldBlock : .failed(error)
    }
    return .done(SystemSocket(descriptor: made, core: core))
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> Outcome<Int> {
    unsafe outcome(recv(descriptor, buffer.baseAddress, buffer.count, 0))
  }

  func write(_ bytes: RawSpan) -> Outcome<Int> {
    outcome(unsafe bytes.withUnsafeBytes { unsafe systemSend(descriptor, $0.baseAddress, $0.count) })
  }

  func receive(into buffer: UnsafeMutableRawBufferPointer, from source: inout SocketAddress?) -> Outcome<Int> {
    var count = -1
    source = unsafe SystemAddress.reading { address, size in
      count = unsafe recvfrom(descriptor, buffer.baseAddress, buffer.count, 0, address, size)
      return count >= 0
    }
    return outcome(count)
  }

  func send(_ bytes: [UInt8], to remote: SocketAddress) -> Outcome<Int> {
    let count = unsafe SystemAddress(remote).withPointer { address, size in
      unsafe bytes.withUnsafeBytes {
        unsafe sendto(descriptor, $0.baseAddress, $0.count, noSignal, address, size)
      }
    }
    return outcome(count)
  }

  func shutdownWrite() { _ = systemShutdown(descriptor) }

  /// Ends the connection with a reset.
  func abort() {
    guard !isClosed else { return }
    var value = linger(l_onoff: 1, l_linger: 0)
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    if let watcher { core.unwatch(watcher) }
    watcher = nil
    _ = systemClose(descriptor)
    waiters.endAll(.cancelled)
  }

  /// Waits on the loop's thread until the descriptor can be read or written; false if it is closed or the task
  /// cancelled.
  func wait(for changes: SocketEvent.Changes, _ purpose: StaticString) async -> Bool {
    guard !isClosed else { return false }
    watch(waiters.interest.union(changes))
    let outcome = await core.wait(for: changes, in: waiters, purpose: purpose)
    if !isClosed { watch(waiters.interest) }
    guard case .ready = outcome else { return false }
    return !isClosed
  }

  /// Has the poller look for `changes` alone: a descriptor that is ready and not waited for would keep the loop awake.
  private func watch(_ changes: SocketEvent.Changes) {
    var interest: DescriptorWatcher.Interest = []
    if changes.contains(.readable) { interest.insert(.read) }
    if changes.contains(.writable) { interest.insert(.write) }
    if let watcher {
      if interest.isEmpty {
        core.unwatch(watcher)
        self.watcher = nil
      } else {
        core.rewatch(watcher, for: interest)
      }
    } else if !interest.isEmpty {
      watcher = core.watch(descriptor, for: interest) { [weak self] flags in
        guard let self else { return }
        var changes: SocketEvent.Changes = []
        if flags.contains(.read) { changes.insert(.readable) }
        if flags.contains(.write) { changes.insert(.writable) }
        waiters.wake(changes)
        watch(waiters.interest)
      }
    }
  }
}

/// A write to a connection that is gone is an error, not a signal.
private var noSignal: CInt {
  #if canImport(Darwin)
    0
  #else
    CInt(MSG_NOSIGNAL)
  #endif
}

// The functions whose names a method hides.
private func systemClose(_ descriptor: CInt) -> CInt { close(descriptor) }
private func systemListen(_ descriptor: CInt, _ backlog: CInt) -> CInt { listen(descriptor, backlog) }
private func systemShutdown(_ descriptor: CInt) -> CInt { shutdown(descriptor, CInt(SHUT_WR)) }
private func systemAccept(_ descriptor: CInt) -> CInt { accept(descriptor, nil, nil) }
private func systemSend(_ descriptor: CInt, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  unsafe send(descriptor, bytes, count, noSignal)
}
