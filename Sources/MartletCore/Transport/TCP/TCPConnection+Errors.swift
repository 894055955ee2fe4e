package import MartletWire

/// What an ICMP message says about a connection (RFC 9293 section 3.9.2.2).
package enum TCPPathReport: Sendable {
  /// Port or protocol unreachable: the destination itself refuses.
  case hard(SocketError)
  /// Network or host unreachable, time exceeded, parameter problem: trouble on the way.
  case soft(SocketError)
  /// A packet was too big; the path takes `maximumSegmentSize` (its MTU less the IP header).
  case packetTooBig(maximumSegmentSize: Int)
}

extension TCPConnection {
  /// Takes what an ICMP message that quotes the sequence number `quoted` says, and returns whether it was believed: only if
  /// it quotes what is in flight (RFC 5927 section 4.1).
  @discardableResult
  package mutating func receive(_ report: TCPPathReport, quoted: SequenceNumber, at now: Instant) -> Bool {
    guard isInFlight(quoted) else { return false }
    switch report {
    case .hard(let error):
      if state == .synSent || (state == .synReceived && !flags.contains(.isPassive)) {
        fail(error)
      } else {
        // Synchronized connections outlive even these (RFC 5927 section 5.2).
        note(error)
      }
    case .soft(let error):
      note(error)
    case .packetTooBig(let size):
      guard size < Int(pathSegmentSize) else { return false }
      changePath(maximumSegmentSize: size, at: now)
    }
    return true
  }

  /// Whether the byte `quoted` was sent and not yet acknowledged.
  package func isInFlight(_ quoted: SequenceNumber) -> Bool {
    state != .closed && state != .timeWait && quoted >= sendUnacknowledged && quoted < sendMaximum
  }

  private mutating func note(_ error: SocketError) {
    softError = error
    changes.insert(.softError)
  }

  /// The path takes `maximumSegmentSize` from now on: its MTU less the IP header (RFC 9293 section 3.7.3, SHLD-6).
  package mutating func changePath(maximumSegmentSize: Int, at now: Instant) {
    let old = segmentSize
    pathSegmentSize = UInt16(clamping: max(maximumSegmentSize, 68))
    guard state.isSynchronized else { return }
    updateSegmentSize()
    if segmentSize < old, sendNext != sendUnacknowledged {
      // What was too big did not arrive; it goes out again, and cwnd stays (RFC 1191 section 6.5).
      if sender.isPresent {
        sender.value.losses.markLost(olderThan: 0, at: now)
        sender.value.recovery.owesSegment = true
      }
      flags.insert(.wantsOutput)
    }
  }
}
