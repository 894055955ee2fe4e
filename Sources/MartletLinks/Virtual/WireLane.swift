import MartletCore

/// One direction of a ``VirtualWire``: a line with a queue in front, then the way to the other end.
struct WireLane: ~Copyable {
  /// A frame that still waits for the line or is on it.
  private struct Departure: BitwiseCopyable {
    /// When its last bit is on the line, rounded up.
    var at: Int64
    var byteCount: Int
  }

  let configuration: VirtualWire.Configuration
  private let delay: Nanoseconds
  /// Frames that have been sent and not received, each with its arrival in ``Packet/Metadata-swift.struct/time``, which never falls.
  private var frames = PacketQueue()
  private var departures: [Departure] = []
  private var departed = 0
  private var queuedBytes = 0
  /// When the line is free again: whole nanoseconds, and a remainder in units of 1/rate ns, so that a long train of frames
  /// takes exactly as long as its bits.
  private var lineFree: Int64 = 0
  private var lineFreeRemainder: UInt64 = 0
  var counters = VirtualWire.Counters()

  init(_ configuration: VirtualWire.Configuration) {
    self.configuration = configuration
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
    guard let departure = occupyLine(lineBytes, at: now) else {
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

  /// Puts `byteCount` bytes on the line behind what waits, and returns when the last bit is on it; nil if the queue is full.
  private mutating func occupyLine(_ byteCount: Int, at now: Instant) -> Instant? {
    guard let rate = configuration.bitsPerSecond else { return now }
    while departed < departures.count, departures[departed].at <= now.nanoseconds {
      queuedBytes -= departures[departed].byteCount
      departed += 1
    }
    if departed == departures.count {
      departures.removeAll(keepingCapacity: true)
      departed = 0
    } else if departed >= 64, departed * 2 >= departures.count {
      departures.removeSubrange(..<departed)
      departed = 0
    }
    guard departures.count - departed < configuration.queuedFrames,
      byteCount <= configuration.queuedBytes, queuedBytes <= configuration.queuedBytes - byteCount
    else { return nil }
    if lineFree < now.nanoseconds {
      lineFree = now.nanoseconds
      lineFreeRemainder = 0
    }
    // The bits of one packet are below 2^24, so that this stays below 2^64 for every rate below 10^18.
    let (whole, rest) = (UInt64(byteCount) * 8_000_000_000 + lineFreeRemainder).quotientAndRemainder(dividingBy: rate)
    lineFree = (Instant(nanoseconds: lineFree) + Int64(clamping: whole)).nanoseconds
    lineFreeRemainder = rest
    let departure = Instant(nanoseconds: lineFree) + (rest > 0 ? 1 : 0)
    departures.append(Departure(at: departure.nanoseconds, byteCount: byteCount))
    queuedBytes += byteCount
    return departure
  }
}
