package import MartletWire

/// What one frame says, in words.
package struct PacketDescription: Equatable {
  /// Who sent the frame, by name if it has one.
  package var source: String
  /// Whom it is for.
  package var destination: String
  /// The uppermost protocol that was understood.
  package var layer: String
  /// What it says.
  package var text: String
  /// The frame's size, in bytes.
  package var byteCount: Int
}

/// Puts frames into words. It remembers each stream's first sequence number, so that TCP's numbers count from 0.
package struct PacketDescriber: Sendable {
  /// What stations are called, by Ethernet address.
  package var names: [MACAddress: String] = [:]

  private struct Stream: Hashable {
    var source: SocketAddress
    var destination: SocketAddress

    var reversed: Stream { Stream(source: destination, destination: source) }
  }
  private var firstSequence: [Stream: SequenceNumber] = [:]

  package init(names: [MACAddress: String] = [:]) { self.names = names }

  /// Describes the frame `bytes` begins with; `byteCount` is its whole size if `bytes` is only its beginning.
  package mutating func describe(_ bytes: RawSpan, byteCount: Int? = nil) -> PacketDescription {
    let size = byteCount ?? bytes.byteCount
    guard let header = try? EthernetHeader(parsing: bytes) else {
      return PacketDescription(
        source: "?", destination: "?", layer: "?", text: "not an Ethernet frame", byteCount: size)
    }
    let payload = bytes.extracting(header.byteCount..<bytes.byteCount)
    let (layer, text) = describePayload(of: header.type, payload)
    return PacketDescription(
      source: name(of: header.source), destination: name(of: header.destination), layer: layer, text: text,
      byteCount: size)
  }

  private func name(of address: MACAddress) -> String {
    if let name = names[address] { return name }
    if address.isBroadcast { return "everyone" }
    if address.isMulticast { return "a group" }
    return address.description
  }

  private mutating func describePayload(of type: EtherType, _ bytes: RawSpan) -> (String, String) {
    switch type {
    case .arp:
      guard let packet = try? ARPPacket(parsing: bytes) else { return ("ARP", "malformed") }
      return ("ARP", Self.words(for: packet))
    case .ipv4:
      guard let header = try? IPv4Header(parsing: bytes) else { return ("IPv4", "malformed header") }
      return describe(header, bytes)
    case .ipv6:
      guard let header = try? IPv6Header(parsing: bytes) else { return ("IPv6", "malformed header") }
      return describe(header, bytes)
    default:
      if type.isLength, let unit = try? BPDU(parsing: bytes) { return ("STP", Self.words(for: unit)) }
      return ("Ethernet", "type 0x\(String(type.value, radix: 16))")
    }
  }

  private static func words(for unit: BPDU) -> String {
    guard case .configuration(let message) = unit else { return "topology change" }
    let isRoot = message.root == message.bridge
    return
      (isRoot ? "\(message.bridge) is the root" : "\(message.bridge), root \(message.root) at \(message.rootPathCost)")
      + ", port \(message.port & 0xff)" + (message.isTopologyChange ? ", topology change" : "")
      + (message.acknowledgesTopologyChange ? ", acknowledged" : "")
  }

  private static func words(for packet: ARPPacket) -> String {
    let sender = packet.senderProtocolAddress
    let target = packet.targetProtocolAddress
    if sender == target { return "\(sender) is mine, says \(packet.senderHardwareAddress)" }
    if sender.isUnspecified { return "does anyone have \(target)?" }
    return switch packet.operation {
    case .request: "who has \(target)? tell \(sender)"
    case .reply: "\(sender) is at \(packet.senderHardwareAddress)"
    }
  }

  // MARK: Internet

  private mutating func describe(_ header: IPv4Header, _ bytes: RawSpan) -> (String, String) {
    let end = max(Int(header.headerByteCount), min(bytes.byteCount, Int(header.totalLength)))
    let body = bytes.extracting(Int(header.headerByteCount)..<end)
    let whole = header.payloadByteCount
    let source = IPAddress(header.source)
    let destination = IPAddress(header.destination)
    if header.isFragment {
      let offset = Int(header.fragmentOffset) * 8
      return ("IPv4", "\(source) → \(destination)  fragment: bytes \(offset) to \(offset + whole)")
    }
    return describeTransport(header.protocol, body, whole, source, destination)
  }

  private mutating func describe(_ header: IPv6Header, _ bytes: RawSpan) -> (String, String) {
    let end = max(IPv6Header.byteCount, min(bytes.byteCount, IPv6Header.byteCount + Int(header.payloadLength)))
    let packet = bytes.extracting(0..<end)
    let source = IPAddress(header.source)
    let destination = IPAddress(header.destination)
    guard let chain = try? IPv6ExtensionHeaders(of: header, in: packet), chain.problem == nil,
      chain.upperOffset <= packet.byteCount
    else { return ("IPv6", "\(source) → \(destination)  malformed extension headers") }
    let whole = IPv6Header.byteCount + Int(header.payloadLength) - chain.upperOffset
    if let fragment = chain.fragment, !fragment.isAtomic {
      let offset = Int(fragment.fragmentOffset) * 8
      return ("IPv6", "\(source) → \(destination)  fragment: bytes \(offset) to \(offset + whole)")
    }
    let body = packet.extracting(chain.upperOffset..<packet.byteCount)
    return describeTransport(chain.upperProtocol, body, whole, source, destination)
  }

  /// `byteCount` is the size of the whole payload, of which `bytes` may be the beginning.
  private mutating func describeTransport(
    _ number: IPProtocol, _ bytes: RawSpan, _ byteCount: Int, _ source: IPAddress, _ destination: IPAddress
  ) -> (String, String) {
    switch number {
    case .icmpv4:
      guard let message = try? ICMPv4Message(parsing: bytes) else { return ("ICMP", "malformed") }
      return (
        "ICMP", Self.words(for: message, payload: byteCount - ICMPv4Message.minimumByteCount, source, destination)
      )
    case .icmpv6:
      if let message = try? NeighborDiscoveryMessage(parsing: bytes) {
        return ("NDP", Self.words(for: message, bytes, source))
      }
      guard let message = try? ICMPv6Message(parsing: bytes) else { return ("ICMPv6", "malformed") }
      return ("ICMPv6", Self.words(for: message, payload: byteCount - ICMPv6Message.byteCount, source, destination))
    case .udp:
      guard bytes.byteCount >= UDPHeader.byteCount else { return ("UDP", "malformed") }
      let ports: (UInt16, UInt16) = (bytes.bigEndian(at: 0), bytes.bigEndian(at: 2))
      let payload = bytes.extracting(UDPHeader.byteCount..<bytes.byteCount)
      return ("UDP", "\(ports.0) → \(ports.1)  " + Self.words(forPayload: payload, byteCount - UDPHeader.byteCount))
    case .tcp: return ("TCP", describeSegment(bytes, byteCount, source, destination))
    default: return (source.isIPv4 ? "IPv4" : "IPv6", "\(source) → \(destination)  protocol \(number.value)")
    }
  }

  // MARK: TCP

  private mutating func describeSegment(
    _ bytes: RawSpan, _ byteCount: Int, _ source: IPAddress, _ destination: IPAddress
  ) -> String {
    guard let header = try? TCPHeader(parsing: bytes) else { return "malformed" }
    let stream = Stream(
      source: SocketAddress(source, port: header.sourcePort),
      destination: SocketAddress(destination, port: header.destinationPort))
    if header.flags.contains(.syn) { firstSequence[stream] = header.sequenceNumber }
    let payloadCount = byteCount - Int(header.headerByteCount)
    let sequence = Self.relative(header.sequenceNumber, to: firstSequence[stream])
    var words = "\(header.sourcePort) → \(header.destinationPort)  \(Self.words(for: header.flags))  seq \(sequence)"
    if header.flags.contains(.ack) {
      words += "  ack \(Self.relative(header.acknowledgmentNumber, to: firstSequence[stream.reversed]))"
    }
    if header.flags.contains(.rst) { return words }
    words += "  window \(header.window)"
    if let options = try? TCPOptions(of: header, in: bytes) {
      if header.flags.contains(.syn) { words += "  [\(Self.words(for: options))]" }
      for index in 0..<options.sackBlocks.count {
        let block = options.sackBlocks[index]
        let first = firstSequence[stream.reversed]
        words += index == 0 ? "  has " : ", "
        words += "\(Self.relative(block.left, to: first))..<\(Self.relative(block.right, to: first))"
      }
    }
    if payloadCount > 0 {
      let payload = bytes.extracting(min(Int(header.headerByteCount), bytes.byteCount)..<bytes.byteCount)
      words += "  " + Self.words(forPayload: payload, payloadCount)
    }
    return words
  }

  private static func relative(_ number: SequenceNumber, to first: SequenceNumber?) -> UInt32 {
    number.value &- (first?.value ?? 0)
  }

  private static func words(for flags: TCPFlags) -> String {
    var words: [String] = []
    for (flag, word) in [
      (TCPFlags.syn, "SYN"), (.fin, "FIN"), (.rst, "RST"), (.psh, "PSH"), (.ack, "ACK"), (.urg, "URG"), (.ece, "ECE"),
      (.cwr, "CWR"),
    ] where flags.contains(flag) { words.append(word) }
    return words.isEmpty ? "no flags" : words.joined(separator: " ")
  }

  private static func words(for options: TCPOptions) -> String {
    var words: [String] = []
    if let size = options.maximumSegmentSize { words.append("MSS \(size)") }
    if let scale = options.windowScale { words.append("window × \(1 << Int(min(scale, 14)))") }
    if options.isSACKPermitted { words.append("SACK") }
    if options.timestamps != nil { words.append("timestamps") }
    return words.isEmpty ? "no options" : words.joined(separator: ", ")
  }

  // MARK: Words

  /// The payload as text if it is short and text, or its size.
  private static func words(forPayload payload: RawSpan, _ byteCount: Int) -> String {
    let size = byteCount == 1 ? "1 byte" : "\(byteCount) bytes"
    guard byteCount > 0, byteCount <= 40, payload.byteCount >= byteCount else { return size }
    var text = ""
    for index in 0..<byteCount {
      let byte = payload.bigEndian(at: index, as: UInt8.self)
      switch byte {
      case UInt8(ascii: "\n"): text += "\\n"
      case UInt8(ascii: "\r"): text += "\\r"
      case 0x20..<0x7f: text.unicodeScalars.append(Unicode.Scalar(byte))
      default: return size
      }
    }
    return "\(size): \"\(text)\""
  }

  private static func words(
    for message: ICMPv4Message, payload: Int, _ source: IPAddress, _ destination: IPAddress
  ) -> String {
    switch message {
    case .echoRequest(_, let number): "\(source) → \(destination)  echo request, number \(number), \(payload) bytes"
    case .echoReply(_, let number): "\(source) → \(destination)  echo reply, number \(number), \(payload) bytes"
    case .destinationUnreachable(.port, _): "\(source) → \(destination)  port unreachable: nobody listens there"
    case .destinationUnreachable(.fragmentationNeeded, let mtu): "\(source) → \(destination)  too big, MTU is \(mtu)"
    case .destinationUnreachable(let code, _): "\(source) → \(destination)  destination unreachable, code \(code.value)"
    case .timeExceeded: "\(source) → \(destination)  time exceeded"
    default: "\(source) → \(destination)  \(message)"
    }
  }

  private static func words(
    for message: ICMPv6Message, payload: Int, _ source: IPAddress, _ destination: IPAddress
  ) -> String {
    switch message {
    case .echoRequest(_, let number): "\(source) → \(destination)  echo request, number \(number), \(payload) bytes"
    case .echoReply(_, let number): "\(source) → \(destination)  echo reply, number \(number), \(payload) bytes"
    case .destinationUnreachable(.port): "\(source) → \(destination)  port unreachable: nobody listens there"
    case .destinationUnreachable(let code): "\(source) → \(destination)  destination unreachable, code \(code.value)"
    case .packetTooBig(let mtu): "\(source) → \(destination)  too big, MTU is \(mtu)"
    case .timeExceeded: "\(source) → \(destination)  time exceeded"
    case .parameterProblem, .other: "\(source) → \(destination)  \(message)"
    }
  }

  private static func words(for message: NeighborDiscoveryMessage, _ bytes: RawSpan, _ source: IPAddress) -> String {
    switch message {
    case .neighborSolicitation(let target):
      source.isUnspecified ? "does anyone have \(target)?" : "who has \(target)? tell \(source)"
    case .neighborAdvertisement(let answer):
      if let mac = targetAddress(in: bytes, after: message.byteCount) {
        "\(answer.target) is at \(mac)"
      } else {
        "\(answer.target) is here"
      }
    case .routerSolicitation: "is there a router?"
    case .routerAdvertisement: "\(source) is a router"
    case .redirect(let target, let destination): "for \(destination) use \(target)"
    }
  }

  private static func targetAddress(in bytes: RawSpan, after offset: Int) -> MACAddress? {
    guard offset <= bytes.byteCount else { return nil }
    var options = NDPOptions(parsing: bytes.extracting(offset..<bytes.byteCount))
    while let option = try? options.nextOption() {
      if case .targetLinkLayerAddress(let mac) = option { return mac }
    }
    return nil
  }
}
