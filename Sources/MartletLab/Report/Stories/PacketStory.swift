import MartletWire

/// One packet's way from who sends it to where it ends, in plain words with the values of its headers: what each node on
/// the way reads, adds, takes off and changes, and why it goes where it goes.
public struct PacketStory: Sendable {
  /// One node's or one link's part.
  public struct Step: Sendable, Equatable {
    public enum Kind: String, Sendable { case sends, link, passes, forwards, receives, dies }
    public var kind: Kind
    /// When it begins, in nanoseconds.
    public var time: Int64
    /// The node's or the link's name.
    public var place: String
    public var frame: Int
    /// What happens, one thought a line. A line about one header begins with its letters (HL, HN, HT, M).
    public var lines: [String]
  }

  let recording: Recording
  private(set) public var steps: [Step] = []
  /// The frames that carried the packet, the first link's first.
  public let frames: [Int]

  /// - Parameter frame: Any frame that carried the packet. Of a packet that went several ways, the one to its
  ///   destination is told.
  public init(_ recording: Recording, frame: Int) {
    self.recording = recording
    guard recording.frames.indices.contains(frame) else {
      frames = []
      return
    }
    frames = Self.way(of: frame, in: recording)
    for (number, frame) in frames.enumerated() {
      let before = number > 0 ? frames[number - 1] : nil
      leave(frame, before)
      cross(frame)
    }
    if let last = frames.last, recording.frames[last].fate == .delivered { arrive(last) }
  }

  /// The packet's frames up to the one that came to the destination, or else to the last that there is.
  private static func way(of frame: Int, in recording: Recording) -> [Int] {
    let root = recording.root(of: frame)
    var isPart = [Bool](repeating: false, count: recording.frames.count)
    isPart[root] = true
    var last = root
    var isThere = false
    let owners = recording.owners
    for index in root..<recording.frames.count {
      let frame = recording.frames[index]
      if index > root {
        guard let origin = frame.origin, origin >= root, origin < index, isPart[origin] else { continue }
        isPart[index] = true
      }
      guard !isThere else { continue }
      last = index
      let view = unsafe FrameView(frame.bytes.span.bytes)
      guard frame.fate == .delivered, let destination = view.destination, let owner = owners[destination] else {
        continue
      }
      isThere = recording.receivers(of: frame).contains { $0.node == owner }
    }
    return recording.way(to: last)
  }

  // MARK: Steps

  private mutating func add(_ kind: Step.Kind, at time: Int64, _ place: String, frame: Int, _ lines: [String]) {
    steps.append(Step(kind: kind, time: time, place: place, frame: frame, lines: lines))
  }

  /// What the sender of a frame did before it left.
  private mutating func leave(_ index: Int, _ before: Int?) {
    let frame = recording.frames[index]
    guard let end = recording.sender(of: frame), let node = recording.node(end.node),
      let headers = FrameHeaders(frame.bytes)
    else { return }
    guard let before else { return send(index, frame, node, end, headers) }
    let old = recording.frames[before]
    let came = recording.receivers(of: old).first { $0.node == end.node }
    if node.kind == .switch || node.kind == .hub {
      add(.passes, at: frame.queued, node.name, frame: index, switching(frame, node, end, headers))
    } else if let was = FrameHeaders(old.bytes) {
      add(.forwards, at: old.arrival, node.name, frame: index, forwarding(was, headers, old, frame, end, came))
    }
  }

  private mutating func send(
    _ index: Int, _ frame: Recording.Frame, _ node: Recording.Node, _ end: Recording.Link.End, _ headers: FrameHeaders
  ) {
    var lines: [String] = []
    for part in frame.comment.split(separator: "; ") where !part.hasPrefix("lost: ") { lines.append(String(part)) }
    if let arp = headers.arp {
      lines.append(words(for: arp))
    } else {
      var describer = FrameDescriber()
      lines += Self.layers(headers, describer.describe(index, in: recording)?.text ?? "")
    }
    let way = wayOut(of: headers, frame, from: end, since: frame.queued - 3_000_000_000)
    lines += way.lines
    lines.append("HL  " + Self.link(headers, "\(EthernetHeader.untaggedByteCount) bytes of Ethernet in front: "))
    add(.sends, at: way.asked ?? frame.queued, node.name, frame: index, lines)
  }

  /// What TCP, UDP or ICMP and IP put in front.
  private static func layers(_ headers: FrameHeaders, _ words: String) -> [String] {
    var lines: [String] = []
    if !headers.payload.isEmpty {
      lines.append(
        "M   \(StoryText.bytes(headers.payload.count)) of the program's\(StoryText.quoted(headers.payload).map { ": \($0)" } ?? "")"
      )
    }
    if let transport = headers.transport {
      var sum = ""
      if let tcp = headers.tcp { sum = ", checksum \(StoryText.hexadecimal(tcp.checksum))" }
      if let udp = headers.udp { sum = ", checksum \(StoryText.hexadecimal(udp.checksum))" }
      let text = headers.payload.isEmpty ? words : words.split(separator: "  ").dropLast().joined(separator: "  ")
      lines.append("HT  \(transport.byteCount) bytes of \(transport.name) in front: \(text)\(sum)")
    }
    if let ip = headers.ipv4 {
      lines.append(
        """
        HN  \(ip.headerByteCount) bytes of IPv4 in front: \(ip.source) → \(ip.destination), \
        time to live \(ip.timeToLive), protocol \(ip.protocol.value), \(ip.totalLength) bytes in all, \
        checksum \(StoryText.hexadecimal(ip.checksum))
        """)
    } else if let ip = headers.ipv6 {
      lines.append(
        """
        HN  \(IPv6Header.byteCount) bytes of IPv6 in front: \(ip.source) → \(ip.destination), \
        hop limit \(ip.hopLimit), next header \(ip.nextHeader.value), payload \(ip.payloadLength) bytes
        """)
    }
    return lines
  }

  private static func link(_ headers: FrameHeaders, _ words: String) -> String {
    "\(words)from \(headers.ethernet.source) to \(headers.ethernet.destination), "
      + "type \(StoryText.hexadecimal(headers.ethernet.type.value))"
  }

  private func switching(
    _ frame: Recording.Frame, _ node: Recording.Node, _ end: Recording.Link.End, _ headers: FrameHeaders
  ) -> [String] {
    let port = recording.interfaceName(end.node, end.interface) ?? "a port"
    if node.kind == .hub { return ["repeats the bits to everybody else; it reads nothing"] }
    let destination = headers.ethernet.destination
    if destination.isMulticast {
      return ["HL  is for \(destination.isBroadcast ? "everybody" : "a group"): out of every other port"]
    }
    let isKnown =
      table(.stations, of: end.node, at: frame.queued)?.rows.contains { $0.first == "\(destination)" } ?? false
    return [
      isKnown
        ? "HL  read, not changed: \(destination) was heard on \(port), so out there, and nowhere else"
        : "HL  read, not changed: \(destination) was never heard, so out of every other port, \(port) among them"
    ]
  }

  private func forwarding(
    _ was: FrameHeaders, _ headers: FrameHeaders, _ old: Recording.Frame, _ frame: Recording.Frame,
    _ end: Recording.Link.End, _ came: Recording.Link.End?
  ) -> [String] {
    let name = came.flatMap { recording.interfaceName($0.node, $0.interface) } ?? "an interface"
    var lines = ["HL  off: it was for \(was.ethernet.destination), the router's own \(name)"]
    if let old = was.ipv4, let new = headers.ipv4 {
      var changes = ["time to live \(old.timeToLive) → \(new.timeToLive)"]
      if old.checksum != new.checksum {
        changes.append(
          "so the checksum \(StoryText.hexadecimal(old.checksum)) → \(StoryText.hexadecimal(new.checksum))")
      }
      if old.trafficClass != new.trafficClass { changes.append("marked: congestion experienced") }
      if old.totalLength != new.totalLength { changes.append("\(old.totalLength) → \(new.totalLength) bytes") }
      lines.append("HN  " + changes.joined(separator: ", "))
    } else if let old = was.ipv6, let new = headers.ipv6 {
      lines.append("HN  hop limit \(old.hopLimit) → \(new.hopLimit) (IPv6 has no checksum of its own)")
    }
    lines += wayOut(of: headers, frame, from: end, since: old.arrival).lines
    lines.append("HL  " + Self.link(headers, "a new one: "))
    if headers.transport != nil {
      lines.append(
        headers.payload.isEmpty
          ? "HT  is none of its business: not a bit of it changes"
          : "HT  and M are none of its business: not a bit of them changes")
    }
    return lines
  }

  /// The link's part: waiting, sending, travelling; or the end.
  private mutating func cross(_ index: Int) {
    let frame = recording.frames[index]
    guard let link = recording.link(frame.link) else { return }
    var parts: [String] = []
    if frame.departure > frame.queued { parts.append("waits \(StoryText.span(frame.departure - frame.queued))") }
    if let rate = link.rate, rate > 0 {
      let sending = Int64(Double(frame.bytes.count) * 8e9 / Double(rate))
      parts.append("\(frame.bytes.count) bytes at \(StoryText.rate(rate)) take \(StoryText.span(sending))")
    } else {
      parts.append(StoryText.bytes(frame.bytes.count))
    }
    if case .lost(let reason) = frame.fate {
      add(
        .dies, at: frame.departure, link.name, frame: index,
        [parts.joined(separator: ", "), "✗ dies at \(StoryText.moment(frame.arrival)): \(reason). Nobody is told."])
      return
    }
    if link.delay > 0 { parts.append("\(StoryText.span(link.delay)) to travel") }
    add(
      .link, at: frame.departure, link.name, frame: index,
      [parts.joined(separator: ", ") + ", there at \(StoryText.moment(frame.arrival))"])
  }

  /// What the last node does with it.
  private mutating func arrive(_ index: Int) {
    let frame = recording.frames[index]
    guard let headers = FrameHeaders(frame.bytes) else { return }
    let owners = recording.owners
    let ends = recording.receivers(of: frame)
    guard
      let end = ends.first(where: { end in headers.destination.map { owners[$0] == end.node } ?? false }) ?? ends.first,
      let node = recording.node(end.node)
    else { return }
    var lines: [String] = []
    if let arp = headers.arp {
      lines.append(words(for: arp))
    } else {
      lines.append(
        "HL  off: \(headers.ethernet.destination) is its own \(recording.interfaceName(end.node, end.interface) ?? "")")
      if let ip = headers.ipv4 {
        let verdict = ip.computedChecksum == ip.checksum ? "right" : "WRONG"
        lines.append(
          "HN  off: the checksum is \(verdict), \(ip.destination) is its own, protocol \(ip.protocol.value) is "
            + (headers.transport?.name ?? "another"))
      } else if let ip = headers.ipv6 {
        lines.append("HN  off: \(ip.destination) is its own, next header \(ip.nextHeader.value)")
      }
      lines += Self.transport(headers)
    }
    add(.receives, at: frame.arrival, node.name, frame: index, lines)
  }

  private static func transport(_ headers: FrameHeaders) -> [String] {
    var lines: [String] = []
    if let source = headers.source, let destination = headers.destination {
      if let tcp = headers.tcp {
        lines.append(
          "HT  off: the socket is that of \(SocketAddress(destination, port: tcp.destinationPort)) and "
            + "\(SocketAddress(source, port: tcp.sourcePort))")
      } else if let udp = headers.udp {
        lines.append("HT  off: the socket is that of port \(udp.destinationPort)")
      }
    }
    if !headers.payload.isEmpty {
      lines.append(
        "M   \(StoryText.bytes(headers.payload.count)) for the program\(StoryText.quoted(headers.payload).map { ": \($0)" } ?? "")"
      )
    }
    return lines
  }

  private func words(for arp: ARPPacket) -> String {
    arp.operation == .request
      ? "asks everybody: who has \(arp.targetProtocolAddress)? tell \(arp.senderProtocolAddress)"
      : "\(arp.senderProtocolAddress) is at \(arp.senderHardwareAddress)"
  }
}
