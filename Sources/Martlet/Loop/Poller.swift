internal import CMartletLinux
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The descriptors a loop watches, and the bell other threads ring.
final class Poller: Sendable {
  static let bellTag: UInt64 = 0
  private let poll: CInt
  private let bell: CInt

  init() {
    poll = martlet_poll_create()
    bell = martlet_bell_create()
    precondition(poll >= 0 && bell >= 0, "the system has no descriptors left for a loop (errno \(errno))")
    _ = martlet_poll_control(poll, bell, 0, UInt32(MARTLET_POLL_READ), Self.bellTag)
  }

  deinit {
    close(poll)
    close(bell)
  }

  func ring() { martlet_bell_ring(bell) }

  /// Waits at most `nanoseconds` (negative: until something happens) and tells what became ready; false if nothing did.
  @discardableResult
  func wait(_ nanoseconds: Int64, _ body: (UInt64, DescriptorWatcher.Interest) -> Void) -> Bool {
    unsafe withUnsafeTemporaryAllocation(of: martlet_poll_event.self, capacity: 64) { events in
      let count = unsafe martlet_poll_wait(poll, events.baseAddress, 64, nanoseconds)
      guard count > 0 else { return false }
      for index in 0..<Int(count) {
        let event = unsafe events[index]
        if event.tag == Self.bellTag {
          martlet_bell_silence(bell)
        } else {
          body(event.tag, DescriptorWatcher.Interest(rawValue: event.flags))
        }
      }
      return true
    }
  }

  func add(_ descriptor: CInt, _ interest: DescriptorWatcher.Interest, tag: UInt64) -> Bool {
    martlet_poll_control(poll, descriptor, 0, interest.rawValue, tag) == 0
  }

  func change(_ descriptor: CInt, _ interest: DescriptorWatcher.Interest, tag: UInt64) {
    _ = martlet_poll_control(poll, descriptor, 1, interest.rawValue, tag)
  }

  func remove(_ descriptor: CInt) {
    _ = martlet_poll_control(poll, descriptor, 2, 0, 0)
  }
}

/// One descriptor of the operating system that a loop watches.
final class DescriptorWatcher {
  struct Interest: OptionSet, Sendable {
    let rawValue: UInt32
    static let read = Interest(rawValue: 1)
    static let write = Interest(rawValue: 2)
    static let hangup = Interest(rawValue: 4)
  }

  let descriptor: CInt
  let tag: UInt64
  let ready: (Interest) -> Void

  init(descriptor: CInt, tag: UInt64, ready: @escaping (Interest) -> Void) {
    self.descriptor = descriptor
    self.tag = tag
    self.ready = ready
  }
}

extension LoopCore {
  /// Watches `descriptor`, and calls `ready` on the loop's thread; nil if the system refuses.
  func watch(
    _ descriptor: CInt, for interest: DescriptorWatcher.Interest,
    _ ready: @escaping (DescriptorWatcher.Interest) -> Void
  ) -> DescriptorWatcher? {
    watcherTag += 1
    let watcher = DescriptorWatcher(descriptor: descriptor, tag: watcherTag, ready: ready)
    guard poller.add(descriptor, interest, tag: watcher.tag) else { return nil }
    watchers[watcher.tag] = watcher
    return watcher
  }

  func rewatch(_ watcher: DescriptorWatcher, for interest: DescriptorWatcher.Interest) {
    poller.change(watcher.descriptor, interest, tag: watcher.tag)
  }

  func unwatch(_ watcher: DescriptorWatcher) {
    guard watchers.removeValue(forKey: watcher.tag) != nil else { return }
    poller.remove(watcher.descriptor)
  }
}
