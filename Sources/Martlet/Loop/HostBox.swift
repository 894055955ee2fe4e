internal import MartletWire
package import MartletCore
internal import MartletLinks

/// A host in its loop: the one place where it is reached by reference.
final class HostBox {
  let id: UInt32
  /// Not checked for overlapping accesses, which cost more than a packet: no call of a host leads back to its loop.
  @safe @exclusivity(unchecked) var host: Host
  @safe @exclusivity(unchecked) var attachments: [Attachment] = [] {
    didSet {
      skipsIdleTurns = attachments.enumerated().allSatisfy { $1.skipsIdleTurns && Int($1.interface.index) == $0 + 1 }
    }
  }
  /// Whether none of its links needs a call when there is nothing to send, and they are in the order of its interfaces.
  @safe @exclusivity(unchecked) private(set) var skipsIdleTurns = true
  /// What is waited for, by socket. Looked up, never iterated.
  var states: [SocketID: SocketState] = [:]
  @safe @exclusivity(unchecked) var isDirty = false
  var names = HostsTable()
  var services = ServiceTable.standard
  /// The addresses it was given, in order, and where.
  var addresses: [InterfaceAddress] = []
  /// Stands still: nothing is received, sent or due.
  @safe @exclusivity(unchecked) var isPaused = false
  var copies = CopyCounters()
  /// How often it has lost its memory.
  var boots = 0
  /// How the host's clock runs; nil if it runs as the loop's.
  @safe @exclusivity(unchecked) var hostTime: HostTime?
  /// How far the host's calendar is ahead of its clock, in nanoseconds.
  var calendarOffset: Int64 = 0
  /// Told after each turn, when what it sent has gone out.
  @safe @exclusivity(unchecked) var turnObserver: ((inout Host, Instant) -> Void)?

  struct InterfaceAddress {
    var address: AddressInSubnet
    var interface: InterfaceID
  }

  init(id: UInt32, host: consuming Host) {
    self.id = id
    self.host = host
  }
}

/// Who sees to a socket itself, on the loop's thread, instead of tasks that wait.
package protocol SocketObserver: AnyObject {
  /// Tells what happened to the socket. Calls on it and on other sockets are allowed.
  func socketChanged(_ changes: SocketEvent.Changes)

  /// Tells that the socket is gone because its host lost its memory. Calls on it are not allowed any more.
  func socketLost()
}

/// What a loop knows of one socket.
final class SocketState: @unchecked Sendable {
  let id: SocketID
  let waiters = WaiterList()
  var isClosed = false
  /// Bytes that were read from the host and not yet given to the program (a line's rest).
  var pushback: [UInt8] = []
  var pushbackStart = 0
  /// Told of everything before waiters are woken; let go when the socket is closed.
  var observer: (any SocketObserver)?

  init(_ id: SocketID) { self.id = id }
}

/// A link with a host at its end.
final class Attachment {
  let id: UInt32
  let link: any Link
  let box: HostBox
  let interface: InterfaceID
  /// Whether the link need not be asked when there is nothing to send.
  let skipsIdleTurns: Bool

  init(id: UInt32, link: any Link, box: HostBox, interface: InterfaceID) {
    skipsIdleTurns = !link.wantsIdleTurns
    self.id = id
    self.link = link
    self.box = box
    self.interface = interface
  }

  /// The most frames of one batch.
  static let batch = 64

  /// Hands the host what came in.
  func receive(_ core: LoopCore) {
    guard !box.isPaused else { return }
    let now = core.now
    let hostNow = box.time(at: now)
    let interface = interface
    let link = link
    let count = box.withHost { host in
      link.receive(at: now, limit: Self.batch) { packet in host.receive(packet, on: interface, at: hostNow) }
    }
    if count > 0 { core.touch(box) }
    core.deadlines.set(link.nextDeadline, for: id)
  }
}

extension HostBox {
  /// The interface on whose link `address` is, by the addresses the host was given.
  func interface(reaching address: IPAddress) -> InterfaceID? {
    addresses.first { $0.address.subnet.contains(address) }?.interface
  }

  /// One exclusive access for a batch.
  @inline(__always)
  func withHost<R>(_ body: (inout Host) -> R) -> R { body(&host) }

  /// Hands links what the host has to send.
  @inline(__always)
  func transmit(at now: Instant) {
    guard skipsIdleTurns, var waiting = host.interfacesWithFrames(at: time(at: now)) else {
      return transmitByAll(at: now)
    }
    // Mostly one of a router's many.
    while waiting != 0 {
      let place = waiting.trailingZeroBitCount &- 1
      if place < attachments.count { transmit(on: attachments[place], at: now) }
      waiting &= waiting &- 1
    }
  }

  private func transmitByAll(at now: Instant) {
    for attachment in attachments {
      if attachment.skipsIdleTurns, !host.hasFrames(on: attachment.interface, at: time(at: now)) { continue }
      transmit(on: attachment, at: now)
    }
  }

  /// Hands `attachment` what is to be sent there.
  @inline(__always)
  private func transmit(on attachment: Attachment, at now: Instant) {
    if hostTime == nil {
      attachment.link.transmit(from: &host, interface: attachment.interface, at: now)
    } else {
      let link = attachment.link
      host.transmit(from: attachment.interface, at: time(at: now)) { packet in link.send(packet, at: now) }
    }
    attachment.link.flush(at: now)
  }
}
