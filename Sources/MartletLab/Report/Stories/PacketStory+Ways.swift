import MartletWire

// Why a packet goes where it goes: routes, neighbours and stations as they were then.

extension PacketStory {
  /// A node's table of a kind as it was at a time.
  func table(_ kind: Recording.Table.Kind, of node: Int, at time: Int64) -> Recording.Table? {
    recording.tables.last { $0.node == node && $0.kind == kind && $0.time <= time }
  }

  /// Which route the packet takes from the end it leaves by, how its next hop's station was found, and when that was asked
  /// for, if it was not known.
  func wayOut(
    of headers: FrameHeaders, _ frame: Recording.Frame, from end: Recording.Link.End, since: Int64
  ) -> (lines: [String], asked: Int64?) {
    guard let destination = headers.destination, !headers.ethernet.destination.isMulticast else { return ([], nil) }
    var hop = destination
    var lines: [String] = []
    if let (prefix, gateway, interface, others) = route(to: destination, of: end.node, at: frame.queued) {
      let why = prefix.prefixLength == 0 ? "the default route" : "in \(prefix)\(others ? ", its longest match" : "")"
      hop = gateway ?? destination
      lines.append("    \(destination): \(why), \(gateway.map { "next hop \($0)" } ?? "on the link") by \(interface)")
    }
    guard hop.isIPv4 else { return (lines, nil) }
    if let (question, answer, station) = asked(for: hop, by: end, since: since, until: frame.queued) {
      lines.append(
        "    where is \(hop)? It asks everybody (ARP) at \(StoryText.moment(question)), keeps the packet, and hears after "
          + "\(StoryText.span(answer - question)): at \(station)")
      return (lines, question)
    }
    lines.append("    where \(hop) is it knows: at \(headers.ethernet.destination)")
    return (lines, nil)
  }

  /// The route with the longest prefix; whether shorter ones match as well.
  private func route(
    to destination: IPAddress, of node: Int, at time: Int64
  ) -> (prefix: Subnet, gateway: IPAddress?, interface: String, others: Bool)? {
    guard let table = table(.routes, of: node, at: time) else { return nil }
    var best: (prefix: Subnet, gateway: IPAddress?, interface: String, others: Bool)?
    var count = 0
    for row in table.rows where row.count >= 3 {
      guard let prefix = Subnet(row[0]), prefix.contains(destination) else { continue }
      count += 1
      if let best, best.prefix.prefixLength >= prefix.prefixLength { continue }
      best = (prefix, IPAddress(row[1]), row[2], false)
    }
    best?.others = count > 1
    return best
  }

  /// When `end` asked for `address`, when the answer came that it waited for, and what it said.
  private func asked(
    for address: IPAddress, by end: Recording.Link.End, since: Int64, until: Int64
  ) -> (question: Int64, answer: Int64, station: MACAddress)? {
    var question: Int64?
    // An announcement that left before the question answers it as well.
    var answers: [(arrival: Int64, station: MACAddress)] = []
    for frame in recording.frames {
      if frame.departure > until { break }
      guard frame.arrival >= since else { continue }
      let isMine = recording.sender(of: frame) == end
      let isForMe = !isMine && frame.arrival <= until && recording.receivers(of: frame).contains(end)
      guard isMine || isForMe, let arp = FrameHeaders(frame.bytes)?.arp else { continue }
      if isMine, frame.queued >= since, arp.operation == .request, IPAddress(arp.targetProtocolAddress) == address,
        arp.senderProtocolAddress != arp.targetProtocolAddress
      {
        question = question ?? frame.queued
      } else if isForMe, frame.fate == .delivered, IPAddress(arp.senderProtocolAddress) == address {
        answers.append((frame.arrival, arp.senderHardwareAddress))
      }
    }
    // What left later than the answer came did not wait for it.
    guard let question, let answer = answers.first(where: { $0.arrival >= question }),
      until - answer.arrival < 1_000_000
    else { return nil }
    return (question, answer.arrival, answer.station)
  }
}
