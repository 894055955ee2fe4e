package import MartletWire

/// What an ICMP message says about a connection (RFC 9293 section 3.9.2.2).
package enum TCPPathReport: Sendable {
  /// Port or protocol unreachable: the destination itself refuses.
  case hard(SocketError)
  /// Network or host unreachable, time exceeded, parameter problem: trouble on the way.
  case soft(SocketError)
  /// A packet of `packetByteCount` bytes was too big for its next hop, which takes `mtu`, both with the IP header.
  case packetTooBig(mtu: Int, packetByteCount: Int)
}

extension TCPConnection {
  /// Takes what an ICMP message that quotes the sequence number `quoted` says, and returns whether it was believed: only if
  /// it quotes what is in flight (RFC 5927 section 4.1).
  @discardableResult
  package mutating func receive(_ report: TCPPathReport, quoted: SequenceNumber, at now: Instant) -> Bool {
    isCalm = false
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
    case .packetTooBig(let mtu, let packetByteCount):
      return receiveTooBig(mtu: mtu, packetByteCount: packetByteCount, quoted: quoted, at: now)
    }
    return true
  }

  /// The last soft error (RFC 9293 section 3.9.1.8).
  package var softError: SocketError? {
    get { rarities.value?.softError }
    set {
      if newValue == nil, rarities.isEmpty { return }
      var rare = rarities.value ?? TCPRarities()
      rare.softError = newValue
      rarities.value = rare
    }
  }

  /// Whether the byte `quoted` was sent and not yet acknowledged.
  package func isInFlight(_ quoted: SequenceNumber) -> Bool {
    state != .closed && state != .timeWait && quoted >= sendUnacknowledged && quoted < sendMaximum
  }

  mutating func note(_ error: SocketError) {
    softError = error
    changes.insert(.softError)
  }
}
