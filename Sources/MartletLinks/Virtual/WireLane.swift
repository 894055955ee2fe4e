import MartletCore

/// One direction of a ``VirtualWire``: a line behind a port, then the way to the other end.
struct WireLane: ~Copyable {
  let configuration: VirtualWire.Configuration
  private let port: OutputPort
  private let delay: Nanoseconds
  /// Frames that have been sent and not received, each with its arrival in ``Packet/Metadata-swift.struct/time``, which never falls.
  private var frames = PacketQueue()
  var counters = VirtualWire.Counters()

  /// A direction that begins at `port`, or at one of its own as `configuration` has it.
  init(_ configuration: VirtualWire.Configuration, port: OutputPort?) {
    self.configuration = configuration
    self.port =
      port
      ?? OutputPort(
        bitsPerSecond: configuration.bitsPerSecond, maximumBytes: configuration.queuedBytes,
        maximumFrames: configuration.queuedFrames)
    delay = max(0, configuration.delay.inNanoseconds)
  }

  /// When the next frame arrives.
  var nextArrival: Instant? { frames.firstMetadata?.time }

  /// Takes `packet`, and returns when it arrives if no earlier frame is under way.
  mutating func send(_ packet: consuming Packet, at now: Instant) -> Instant? {
    guard let lineBytes = lineBytes(of: packet) else {
      counters.sizeDrops += 1
      return nil
    }
    // A device reads a frame's bytes when it takes it; what is changed in a file later does not reach the other end.
    guard configuration.readsFilesInPlace || packet.detachFromFiles() else {
      counters.fileDrops += 1
      return nil
    }
    guard let departure = port.occupyLine(lineBytes, at: now) else {
      counters.queueDrops += 1
      return nil
    }
    counters.sentFrames += 1
    counters.sentBytes += UInt64(packet.count)
    packet.metadata.time = departure + delay
    // What the sender knows of the checksum the receiver learns only over a wire that vouches for it.
    switch packet.metadata.checksum {
    case .partial:
      assert(configuration.offloads.contains(.transmitChecksum), "an unfinished checksum on a wire without offloads")
    case .computed where configuration.offloads.contains(.transmitChecksum):
      packet.metadata.checksum = .verified
    default:
      packet.metadata.checksum = .unknown
    }
    let arrival = frames.isEmpty ? packet.metadata.time : nil
    frames.append(packet)
    return arrival
  }

  /// Hands over what has arrived by `now`.
  mutating func popArrived(at now: Instant) -> Packet? {
    guard let arrival = nextArrival, arrival <= now, let packet = frames.popFirst() else { return nil }
    counters.deliveredFrames += 1
    counters.deliveredBytes += UInt64(packet.count)
    return packet
  }

  /// What `packet` costs on the line, or nil if the wire does not carry it.
  private func lineBytes(of packet: borrowing Packet) -> Int? {
    let count = packet.count
    guard count >= EthernetFrame.headerByteCount else { return nil }
    let segmentSize = Int(packet.metadata.segmentSize)
    if segmentSize == 0 || !carriesSegments(packet) {
      let header = EthernetFrame.headerByteCount(of: packet.bytes)
      guard count - header <= configuration.mtu else { return nil }
      return configuration.framing.lineBytes(count)
    }
    guard let headers = EthernetFrame.byteCountToPayload(of: packet), headers <= count else { return nil }
    let payload = count - headers
    guard headers + min(payload, segmentSize) - EthernetFrame.headerByteCount <= configuration.mtu else { return nil }
    let whole = payload / segmentSize
    let rest = payload % segmentSize
    let forWhole = whole * configuration.framing.lineBytes(headers + segmentSize)
    return rest > 0 || whole == 0 ? forWhole + configuration.framing.lineBytes(headers + rest) : forWhole
  }

  private func carriesSegments(_ packet: borrowing Packet) -> Bool {
    switch EthernetFrame.version(of: packet.bytes) {
    case 4: configuration.offloads.contains(.segmentTCPv4)
    case 6: configuration.offloads.contains(.segmentTCPv6)
    default: false
    }
  }
}
