import MartletCore
import MartletWire

/// Asks after each step whether what two hosts believe makes sense, by itself, against what they believed before, and against
/// what the other believes.
struct Auditor {
  struct Complaint {
    var rule: SimulationFailure.Rule
    var detail: String
  }

  /// What was last seen of a connection.
  private struct Track {
    var last: TCPObservation
    /// Whether it was seen in this step.
    var isSeen = true
  }

  private var tracks: [[Track]] = [[], []]
  private var observations: [[TCPObservation]] = [[], []]
  private var timeWaits: Set<Int> = []
  private var hasProgress = false
  private let blockBounds: [Int]
  private(set) var mostBlocks = 0

  init(_ schedule: Schedule) {
    blockBounds = schedule.hosts.map { min($0.poolBlocks, 16_384) }
  }

  /// Whether a connection with this number was seen in TIME-WAIT.
  func sawTimeWait(_ id: Int) -> Bool { timeWaits.contains(id) }

  /// Whether sequence numbers moved since the last call.
  mutating func takeProgress() -> Bool {
    defer { hasProgress = false }
    return hasProgress
  }

  mutating func audit(_ stations: [Station], at now: Instant) -> Complaint? {
    for station in stations {
      let side = station.side.rawValue
      observations[side].removeAll(keepingCapacity: true)
      var seen: [TCPObservation] = []
      swap(&seen, &observations[side])
      station.host.observeConnections { seen.append($0) }
      swap(&seen, &observations[side])
      if let complaint = audit(station, at: now) { return complaint }
      let blocks = station.pool.statistics.blocksInUse
      mostBlocks = max(mostBlocks, blocks)
      if blocks >= blockBounds[side] {
        return Complaint(rule: .memory, detail: "\(station.side.name) holds \(blocks) blocks")
      }
    }
    return compareEnds()
  }

  private mutating func audit(_ station: Station, at now: Instant) -> Complaint? {
    let side = station.side.rawValue
    let name = station.side.name
    let hostDeadline = station.host.nextDeadline ?? .distantFuture
    for index in tracks[side].indices { tracks[side][index].isSeen = false }
    for connection in observations[side] {
      func complain(_ rule: SimulationFailure.Rule, _ text: String) -> Complaint {
        Complaint(rule: rule, detail: "\(name): \(text): \(Self.describe(connection))")
      }
      if let text = Self.nonsense(in: connection) { return complain(.sequence, text) }
      if let text = Self.missingTimer(of: connection) { return complain(.timer, text) }
      if let deadline = connection.deadline, hostDeadline > deadline {
        return complain(.timer, "its host sleeps past its deadline")
      }
      if connection.wantsTransmit, hostDeadline > now { return complain(.timer, "it wants to send and nobody asks it") }
      if connection.state == .timeWait { timeWaits.insert(Self.number(of: connection)) }
      guard let place = tracks[side].firstIndex(where: { $0.last.socket == connection.socket }) else {
        tracks[side].append(Track(last: connection))
        hasProgress = true
        continue
      }
      let last = tracks[side][place].last
      if let text = Self.retreat(from: last, to: connection) { return complain(.sequence, text) }
      if last.state != connection.state || last.sendUnacknowledged != connection.sendUnacknowledged
        || last.receiveNext != connection.receiveNext
      {
        hasProgress = true
      }
      tracks[side][place] = Track(last: connection)
    }
    tracks[side].removeAll { !$0.isSeen }
    return nil
  }

  /// The connection's number in the schedule.
  private static func number(of connection: TCPObservation) -> Int {
    let port = [connection.localPort, connection.remotePort].first { (40_000..<41_000).contains($0) }
    return Int(port ?? 0) - Station.firstPort
  }

  // MARK: One end by itself

  private static func nonsense(in connection: TCPObservation) -> String? {
    guard connection.state != .closed else { return nil }
    if connection.sendUnacknowledged > connection.sendNext { return "SND.UNA is past SND.NXT" }
    if connection.sendNext > connection.sendMaximum { return "SND.NXT is past all that was sent" }
    if connection.receiveQueueByteCount > 2 * connection.receiveBufferByteCount + 65_536 {
      return "more waits to be read than the buffer holds"
    }
    guard connection.state.isSynchronized else { return nil }
    // A FIN takes a number and no room.
    if connection.receiveNext > connection.receiveEdge + 1 { return "RCV.NXT is past the window" }
    return nil
  }

  private static func missingTimer(of connection: TCPObservation) -> String? {
    switch connection.state {
    case .closed: return nil
    case .timeWait: return connection.deadline == nil ? "TIME-WAIT does not end" : nil
    default: break
    }
    if connection.wantsTransmit { return nil }
    let isArmed = connection.retransmission != .distantFuture
    if connection.sendNext != connection.sendUnacknowledged, !isArmed { return "something is in flight" }
    if connection.sendQueueByteCount > 0, !connection.isCorked || connection.finQueued, !isArmed {
      return "data waits for the window"
    }
    let waitsForFIN = connection.state == .finWait1 || connection.state == .closing || connection.state == .lastAck
    if waitsForFIN, !isArmed { return "a FIN is not acknowledged" }
    if connection.owesAcknowledgment, connection.delayedAcknowledgment == .distantFuture {
      return "an acknowledgement is owed"
    }
    return nil
  }

  // MARK: Against what it was

  private static func retreat(from last: TCPObservation, to connection: TCPObservation) -> String? {
    guard connection.state != .closed else { return nil }
    if connection.sendUnacknowledged < last.sendUnacknowledged { return "SND.UNA went back" }
    if connection.sendMaximum < last.sendMaximum { return "what was sent was forgotten" }
    guard last.state.isSynchronized else { return nil }
    if connection.receiveNext < last.receiveNext { return "RCV.NXT went back" }
    // The right edge never moves left (RFC 9293 SHLD-14).
    if connection.receiveEdge < last.receiveEdge { return "the window's edge went back" }
    return nil
  }

  // MARK: Against the other end

  private func compareEnds() -> Complaint? {
    for one in observations[0] {
      for other in observations[1]
      where one.localPort == other.remotePort && one.remotePort == other.localPort && one.local == other.remote {
        guard one.state.isSynchronized, other.state.isSynchronized, one.state != .timeWait, other.state != .timeWait,
          one.initialReceive == other.initialSend, other.initialReceive == one.initialSend
        else { continue }
        for (sender, receiver, name) in [(one, other, "a"), (other, one, "b")] {
          func complain(_ text: String) -> Complaint {
            Complaint(
              rule: .sequence,
              detail: "\(name): \(text): \(Self.describe(sender)); its peer: \(Self.describe(receiver))")
          }
          if sender.sendUnacknowledged > receiver.receiveNext {
            return complain("the peer acknowledged what it has not")
          }
          if receiver.receiveNext > sender.sendMaximum { return complain("the peer has what was never sent") }
          // A probe of a closed window is one byte past it.
          if sender.sendNext > receiver.receiveEdge + 1 { return complain("more was sent than the peer ever offered") }
        }
      }
    }
    return nil
  }

  // MARK: Words

  func describe(_ station: Station) -> [String] {
    observations[station.side.rawValue].map { "\(station.side.name) \(Self.number(of: $0)) \(Self.describe($0))" }
  }

  private static func describe(_ connection: TCPObservation) -> String {
    let base = connection.initialSend
    func timer(_ time: Instant) -> String { time == .distantFuture ? "off" : Words.span(Int(time.nanoseconds / 1_000)) }
    return """
      \(connection.state.name) SND.UNA \(connection.sendUnacknowledged - base) SND.NXT \(connection.sendNext - base) \
      sent \(connection.sendMaximum - base) queued \(connection.sendQueueByteCount) \
      RCV.NXT \(connection.receiveNext - connection.initialReceive) \
      edge \(connection.receiveEdge - connection.initialReceive) unread \(connection.receiveQueueByteCount) \
      out of order \(connection.outOfOrderByteCount) retransmission \(timer(connection.retransmission)) \
      deadline \(timer(connection.deadline ?? .distantFuture))
      """
  }
}
