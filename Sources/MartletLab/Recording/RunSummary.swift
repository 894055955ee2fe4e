import MartletWire

/// What a run comes to, in a few figures for each link and each flow.
public struct RunSummary: Sendable, Equatable {
  /// In the order of the recording's links.
  public private(set) var links: [Link] = []
  /// In the order of the recording's flows.
  public private(set) var flows: [Flow] = []

  /// What a link carried, both ways together.
  public struct Link: Sendable, Equatable {
    public var name: String
    /// Frames that were put on it, the lost ones included.
    public var frames = 0
    /// Their bytes, with Ethernet headers.
    public var bytes = 0
    public var lost = 0
    /// From each of its ends, which part of the run it was sending, 0 to 1; empty if sending takes no time on it.
    public var busy: [Double] = []
    /// The most frames that waited before one of its directions.
    public var mostWaiting = 0
  }

  /// What a flow carried from one end to the other.
  public struct Flow: Sendable, Equatable {
    public var name: String
    /// Packets that either end sent, each counted once however many links it crossed.
    public var packets = 0
    /// Packets that died on their way.
    public var lost = 0
    /// Packets that carried again what had been sent before.
    public var retransmissions = 0
    /// Bytes of payload that came to the server, none of them twice.
    public var toServer = 0
    /// Likewise to the client.
    public var toClient = 0
    /// From the first departure to the last arrival, in nanoseconds.
    public var duration: Int64 = 0

    /// Bits of payload that arrived a second, both ways together; 0 if the flow took no time.
    public var goodput: Double { duration > 0 ? Double(toServer + toClient) * 8e9 / Double(duration) : 0 }
  }

  /// Adds up what `recording` has.
  public init(_ recording: Recording) {
    links = recording.links.map { Link(name: $0.name) }
    flows = recording.flows.map { Flow(name: $0.name) }
    var sending = recording.links.map { $0.ends.map { _ in 0.0 } }
    var first = recording.flows.map { _ in Int64.max }
    var last = recording.flows.map { _ in Int64.min }
    var received = recording.flows.map { _ in [ByteRanges(), ByteRanges()] }
    let owners = recording.owners
    for frame in recording.frames where recording.link(frame.link) != nil {
      let isLost = frame.isGone
      links[frame.link].frames += 1
      links[frame.link].bytes += frame.bytes.count
      links[frame.link].lost += isLost ? 1 : 0
      if let rate = recording.links[frame.link].rate, rate > 0, sending[frame.link].indices.contains(frame.end) {
        sending[frame.link][frame.end] += Double(frame.bytes.count) * 8e9 / Double(rate)
      }
      guard let index = frame.flow, let flow = recording.flow(index) else { continue }
      if frame.origin == nil {
        flows[index].packets += 1
        if frame.comment.contains("retransmission") { flows[index].retransmissions += 1 }
      }
      flows[index].lost += isLost ? 1 : 0
      first[index] = min(first[index], frame.departure)
      last[index] = max(last[index], frame.arrival)
      guard frame.fate == .delivered else { continue }
      let view = unsafe FrameView(frame.bytes.span.bytes)
      for end in recording.receivers(of: frame) where end.node == flow.client || end.node == flow.server {
        // A frame that only passes a host is none of its business, and one end may be both.
        guard let destination = view.destination, owners[destination] == end.node else { continue }
        let side = end.node == flow.server ? 0 : 1
        if view.protocol == .tcp {
          received[index][side].insert(at: view.sequenceNumber, count: view.payloadByteCount)
        } else {
          received[index][side].count += view.payloadByteCount
        }
      }
    }
    for sample in recording.queues where links.indices.contains(sample.link) {
      links[sample.link].mostWaiting = max(links[sample.link].mostWaiting, sample.frames)
    }
    for index in links.indices where recording.links[index].rate != nil && recording.duration > 0 {
      links[index].busy = sending[index].map { min(1, $0 / Double(recording.duration)) }
    }
    for index in flows.indices where first[index] <= last[index] {
      flows[index].toServer = received[index][0].count
      flows[index].toClient = received[index][1].count
      flows[index].duration = last[index] - first[index]
    }
  }
}

extension RunSummary {
  /// Which bytes of a stream have come; those that come twice count once.
  private struct ByteRanges {
    var count = 0
    private var start: UInt32?
    /// Disjoint, in order; offsets from the first byte that came.
    private var ranges: [Range<Int64>] = []

    mutating func insert(at number: UInt32, count bytes: Int) {
      guard bytes > 0 else { return }
      if start == nil { start = number }
      let next = ranges.last?.upperBound ?? 0
      // Sequence numbers begin again after 4 GiB: the nearest to the stream's end is meant.
      let expected = UInt32(truncatingIfNeeded: Int64(start ?? 0) &+ next)
      let lower = next + Int64(Int32(bitPattern: number &- expected))
      var new = lower..<lower + Int64(bytes)
      var place = ranges.count
      while place > 0, ranges[place - 1].lowerBound > new.upperBound { place -= 1 }
      var begin = place
      while begin > 0, ranges[begin - 1].upperBound >= new.lowerBound { begin -= 1 }
      for range in ranges[begin..<place] {
        new = min(new.lowerBound, range.lowerBound)..<max(new.upperBound, range.upperBound)
        count -= range.count
      }
      ranges.replaceSubrange(begin..<place, with: [new])
      count += new.count
    }
  }
}

extension Recording {
  /// Which node has which address; to be looked up, not iterated.
  var owners: [IPAddress: Int] {
    var owners: [IPAddress: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for interface in node.interfaces {
        for text in interface.addresses {
          if let address = AddressInSubnet(text)?.address { owners[address] = index }
        }
      }
    }
    return owners
  }
}
