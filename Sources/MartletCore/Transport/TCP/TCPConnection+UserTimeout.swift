import MartletWire

/// The user timeout option (RFC 5482): both ends say how long they are willing to wait, and go by the longer wish.
extension TCPConnection {
  /// L_LIMIT and U_LIMIT (RFC 5482 section 3.1), in milliseconds.
  private static var shortestTimeout: UInt32 { 100_000 }
  private static var longestTimeout: UInt32 { 3_600_000 }

  /// Whether the next bare acknowledgement tells the peer.
  @inline(__always)
  var owesUserTimeout: Bool { !rarities.isEmpty && rarities.value?.owesTimeout == true }

  /// ADV_UTO.
  var advertisedUserTimeout: TCPUserTimeout? { rarities.value?.advertisedTimeout }

  /// ENABLED, ADV_UTO and CHANGEABLE as `options` have them; the peer is told of a change.
  mutating func advertise(_ options: TCPSocketOptions) {
    var rare = rarities.value ?? TCPRarities()
    // A timeout of zero must not be sent (section 3.1).
    rare.advertisedTimeout = options.advertisedUserTimeout.map {
      TCPUserTimeout(seconds: max(1, Int(clamping: $0.inNanoseconds / 1_000_000_000)))
    }
    rare.owesTimeout = rare.advertisedTimeout != nil
    rare.adoptsTimeout = rare.owesTimeout && options.userTimeout == nil
    rarities.value = rare
    if rare.owesTimeout, state.isSynchronized { owed.insert(.acknowledgment) }
  }

  /// The program chose its timeout: the peer's changes it no more (section 3.1, CHANGEABLE).
  mutating func fixUserTimeout() {
    guard var rare = rarities.value else { return }
    rare.adoptsTimeout = false
    rarities.value = rare
  }

  /// The peer told its timeout: USER_TIMEOUT = min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)).
  mutating func receiveUserTimeout(_ received: TCPUserTimeout) {
    // Zero is to be ignored (section 3.1).
    guard received.seconds > 0, let rare = rarities.value, rare.adoptsTimeout, let own = rare.advertisedTimeout else {
      return
    }
    let wish = UInt32(clamping: max(received.seconds, own.seconds) * 1_000)
    limits.userTimeout = min(Self.longestTimeout, max(wish, Self.shortestTimeout))
  }

  mutating func noteUserTimeoutSent() {
    guard owesUserTimeout, var rare = rarities.value else { return }
    rare.owesTimeout = false
    rarities.value = rare
  }
}
