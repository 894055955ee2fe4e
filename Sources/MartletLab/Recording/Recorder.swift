import MartletCore
import MartletLinks
import MartletWire

/// Watches a world and makes its ``Recording``. Used by its loop's thread alone.
///
/// What frames tell by themselves becomes events at the end (``finish(at:)``); only the rest is noted on the way.
final class Recorder {
  /// What led to something.
  enum Cause {
    case event(Int)
    case sent(Int)
    case received(Int)
  }

  struct LiveEvent {
    var time: Int64
    var node: Int
    var interface: Int?
    var flow: Int?
    var frame: Int?
    var kind: String
    var text: String
    var cause: Cause?
  }

  /// What the recorder keeps of a frame beside what is recorded of it.
  struct Trail {
    var view: FrameView
    var cause: Cause?
    /// When the receiving node looked at it.
    var looked: Int64 = -1
    var isTwin = false
    /// Whether a segment brought it, which is no node that does anything.
    var isHeard = false
    var route: String?
    /// Whether the receiving node dropped it before it looked at it.
    var diedInside = false
  }

  struct FlowKey: Hashable {
    var low: SocketAddress
    var high: SocketAddress
    var number: UInt8
  }

  struct FragmentKey: Hashable {
    var source: IPAddress
    var destination: IPAddress
    var identification: UInt16
  }

  /// Where a node was when it last had a turn.
  struct NodeMemory {
    /// Frames it sent since.
    var sent: [Int] = []
    var received: Int?
    var receivedAt: Int64 = -1
    var connections: [ConnectionMemory] = []
    var neighbors: [Neighbor] = []
    var sockets: [SocketStatus] = []
    var nodeDrops = 0
  }

  struct ConnectionMemory {
    var socket: SocketID
    var state: TCPState
    var flow: Int
    var isClient: Bool
    var initialSend: SequenceNumber
    var sample: Recording.Sample?
    /// The last event that says that something was lost.
    var loss: Int?
    var isSeen = true
  }

  var recording: Recording
  var frames: [Recording.Frame] = []
  var trails: [Trail] = []
  var events: [LiveEvent] = []
  var memories: [NodeMemory]
  var flows: [FlowKey: Int] = [:]
  var fragments: [FragmentKey: Int] = [:]
  /// What stations are called.
  var names: [MACAddress: String] = [:]
  /// Whose addresses they are. Looked up, never iterated.
  var owners: [IPAddress: Int] = [:]

  init(_ recording: Recording) {
    self.recording = recording
    memories = recording.nodes.map { _ in NodeMemory() }
    for (index, node) in recording.nodes.enumerated() {
      for interface in node.interfaces {
        if let mac = MACAddress(interface.mac) { names[mac] = node.name }
        for text in interface.addresses {
          if let address = AddressInSubnet(text) { owners[address.address] = index }
        }
      }
    }
  }

  // MARK: Frames

  func sender(of frame: Recording.Frame) -> Recording.Link.End { recording.links[frame.link].ends[frame.end] }
  func receiver(of frame: Recording.Frame) -> Recording.Link.End { recording.links[frame.link].ends[1 - frame.end] }

  func sent(_ packet: borrowing Packet, on lane: Lane, at time: Int64) -> UInt32 {
    sent(packet, link: lane.link, end: lane.end, at: time)
  }

  /// A node hands `packet` to a direction of a link; the result is what the packet is to be known by.
  func sent(_ packet: borrowing Packet, link: Int, end: Int, at time: Int64) -> UInt32 {
    let bytes = Self.bytes(of: packet)
    let view = unsafe FrameView(bytes.span.bytes)
    let node = recording.links[link].ends[end].node
    var frame = Recording.Frame(
      link: link, end: end, queued: time, departure: time, arrival: time, fate: .lost("still on its way"),
      bytes: bytes)
    var trail = Trail(view: view)
    if packet.metadata.tag > 0 {
      let before = Int(packet.metadata.tag) - 1
      // A host may answer in the memory of the question.
      if trails[before].view.source == view.source, trails[before].view.destination == view.destination,
        receiver(of: frames[before]).node == node
      {
        frame.origin = before
      }
    }
    frame.flow = flow(of: view, sender: node)
    if let origin = frame.origin {
      trail.cause = .received(origin)
    } else if memories[node].receivedAt == time {
      trail.cause = memories[node].received.map(Cause.received)
    }
    let number = frames.count
    frames.append(frame)
    trails.append(trail)
    memories[node].sent.append(number)
    return UInt32(number + 1)
  }

  static func bytes(of packet: borrowing Packet) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: packet.count)
    var elements = bytes.mutableSpan
    var span = unsafe elements.mutableBytes
    _ = packet.copyBytes(into: &span)
    return bytes
  }

  func duplicated(_ tag: UInt32) -> UInt32 {
    guard tag > 0 else { return 0 }
    var frame = frames[Int(tag) - 1]
    frame.comment = "a duplicate that the link made"
    var trail = trails[Int(tag) - 1]
    trail.isTwin = true
    frames.append(frame)
    trails.append(trail)
    return UInt32(frames.count)
  }

  func departed(_ tag: UInt32, at time: Int64) {
    if tag > 0 { frames[Int(tag) - 1].departure = time }
  }

  func arrives(_ tag: UInt32, at time: Int64) {
    guard tag > 0 else { return }
    frames[Int(tag) - 1].arrival = time
    frames[Int(tag) - 1].fate = .delivered
  }

  func lost(_ tag: UInt32, _ reason: String, at time: Int64) {
    guard tag > 0 else { return }
    frames[Int(tag) - 1].arrival = time
    frames[Int(tag) - 1].fate = .lost(reason)
  }

  /// The receiving node dropped the frame before it looked at it.
  func droppedInside(_ tag: UInt32, _ reason: String, at time: Int64) {
    guard tag > 0 else { return }
    lost(tag, reason, at: time)
    trails[Int(tag) - 1].diedInside = true
  }

  func comment(_ tag: UInt32, _ text: String) {
    guard tag > 0 else { return }
    let old = frames[Int(tag) - 1].comment
    frames[Int(tag) - 1].comment = old.isEmpty ? text : old + "; " + text
  }

  /// The node looks at a frame that has arrived.
  func received(_ tag: UInt32, at time: Int64) {
    guard tag > 0 else { return }
    let frame = Int(tag) - 1
    let node = receiver(of: frames[frame]).node
    trails[frame].looked = time
    memories[node].received = frame
    memories[node].receivedAt = time
  }

  func queue(of lane: Lane, frames: Int, bytes: Int, at time: Int64) {
    queue(link: lane.link, end: lane.end, frames: frames, bytes: bytes, at: time)
  }

  func queue(link: Int, end: Int, frames: Int, bytes: Int, at time: Int64) {
    recording.queues.append(
      Recording.QueueSample(time: time, link: link, end: end, frames: frames, bytes: bytes))
  }

  // MARK: Flows

  private func flow(of view: FrameView, sender: Int) -> Int? {
    guard let number = view.protocol, let source = view.source, let destination = view.destination else { return nil }
    if view.isFragment, view.fragmentOffset > 0 {
      return fragments[
        FragmentKey(source: source, destination: destination, identification: view.identification)]
    }
    let flow = flow(
      number, SocketAddress(source, port: view.sourcePort), SocketAddress(destination, port: view.destinationPort))
    if view.isFragment {
      fragments[FragmentKey(source: source, destination: destination, identification: view.identification)] = flow
    }
    return flow
  }

  /// The conversation of two sockets, of which the first that is heard of is the client.
  func flow(_ number: IPProtocol, _ source: SocketAddress, _ destination: SocketAddress) -> Int? {
    let isOrdered = (source.address, source.port) < (destination.address, destination.port)
    let key = FlowKey(
      low: isOrdered ? source : destination, high: isOrdered ? destination : source, number: number.value)
    if let known = flows[key] { return known }
    let transport: String
    switch number {
    case .tcp: transport = "TCP"
    case .udp: transport = "UDP"
    case .icmpv4, .icmpv6: transport = "ICMP"
    default: return nil
    }
    guard let client = owners[source.address], let server = owners[destination.address] else { return nil }
    let name =
      transport == "ICMP"
      ? "ICMP \(source.address) > \(destination.address)" : "\(transport) \(source) > \(destination)"
    recording.flows.append(Recording.Flow(name: name, transport: transport, client: client, server: server))
    flows[key] = recording.flows.count - 1
    return recording.flows.count - 1
  }

  // MARK: Events

  /// Notes that something happened, and returns its number for what it leads to.
  @discardableResult
  func note(
    _ kind: String, _ text: String, node: Int, flow: Int? = nil, frame: Int? = nil, cause: Cause? = nil, at time: Int64
  ) -> Int {
    events.append(
      LiveEvent(time: time, node: node, flow: flow, frame: frame, kind: kind, text: text, cause: cause))
    return events.count - 1
  }

  func table(_ kind: Recording.Table.Kind, of node: Int, columns: [String], rows: [[String]], at time: Int64) {
    // What changed twice at a time is shown as it was in the end.
    if let last = recording.tables.lastIndex(where: { $0.node == node && $0.kind == kind }),
      recording.tables[last].time == time
    {
      recording.tables[last].rows = rows
      return
    }
    recording.tables.append(Recording.Table(time: time, node: node, kind: kind, columns: columns, rows: rows))
  }
}

extension Recorder {
  /// The node has lost its memory.
  func forget(_ node: Int) { memories[node] = NodeMemory() }
}
