import MartletCore
import MartletLinks
import MartletWire

/// A host's or router's end of a link.
final class LabEnd: Link {
  let outgoing: Lane
  let incoming: Lane
  let node: Int
  let partition: Partition
  /// Whether its adapter keeps from the host what bridges say to each other, as adapters do with groups nobody asked for.
  var ignoresBridges = false

  init(outgoing: Lane, incoming: Lane, node: Int, partition: Partition) {
    self.outgoing = outgoing
    self.incoming = incoming
    self.node = node
    self.partition = partition
  }

  var macAddressHint: UInt64? { nil }
  var mtu: Int { outgoing.mtu }
  var offloads: LinkOffloads { [] }
  var descriptor: CInt? { nil }
  var wantsIdleTurns: Bool { false }
  var nextDeadline: Instant? { incoming.nextArrival }

  func attach(wake: @escaping () -> Void) { incoming.wake = wake }

  func send(_ packet: consuming Packet, at now: Instant) { outgoing.send(packet, at: now) }

  func flush(at now: Instant) {}

  func receive(at now: Instant, limit: Int, into body: (consuming Packet) -> Void) -> Int {
    var count = 0
    while count < limit, let packet = incoming.popArrived(at: now) {
      count += 1
      take(packet, at: now, body)
    }
    incoming.settle()
    return count
  }

  private func take(_ packet: consuming Packet, at now: Instant, _ body: (consuming Packet) -> Void) {
    if partition.isPresent, partition.blocks(packet, to: node) {
      return incoming.refuse(packet, "partition", at: now)
    }
    incoming.recorder?.received(packet.metadata.tag, at: now.nanoseconds)
    if ignoresBridges, packet.linearCount >= 6, MACAddress(reading: packet.bytes, at: 0) == BPDU.group { return }
    body(packet)
  }
}

/// Who is kept from whom.
final class Partition {
  private struct Pair: Hashable {
    var source: Int
    var destination: Int
  }
  /// How many keep the one from the other. Looked up, never iterated.
  private var pairs: [Pair: Int] = [:] {
    didSet { isPresent = !pairs.isEmpty }
  }
  @safe @exclusivity(unchecked) private(set) var isPresent = false
  /// Whose addresses they are. Looked up, never iterated.
  private let owners: [IPAddress: Int]

  init(owners: [IPAddress: Int]) { self.owners = owners }

  func block(from source: Int, to destination: Int) {
    pairs[Pair(source: source, destination: destination), default: 0] += 1
  }

  /// Takes back one ``block(from:to:)``.
  func allow(from source: Int, to destination: Int) {
    let pair = Pair(source: source, destination: destination)
    guard let count = pairs[pair] else { return }
    pairs[pair] = count > 1 ? count - 1 : nil
  }

  func allowAll() { pairs.removeAll() }

  func blocks(_ packet: borrowing Packet, to node: Int) -> Bool {
    guard let source = FrameView(packet.bytes).source, let owner = owners[source] else { return false }
    return pairs[Pair(source: owner, destination: node)] != nil
  }
}
