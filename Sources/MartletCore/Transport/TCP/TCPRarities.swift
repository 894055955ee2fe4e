import MartletWire

/// What few connections need.
struct TCPRarities: BitwiseCopyable {
  /// What a Fast Open is about (RFC 7413), until the handshake is done.
  enum FastOpen: UInt8, BitwiseCopyable {
    case none
    /// The SYN asks for a cookie, or brings `cookie` with data.
    case asks
    /// The SYN, ACK brings `cookie`.
    case gives
    /// The peer's SYN brought data with a good cookie.
    case isOpened
  }

  var fastOpen = FastOpen.none
  var cookie = TCPFastOpenCookie.request
  /// What the peer's segments hold, as far as was known when this end sent its SYN.
  var segmentSize: UInt16 = 0

  /// ADV_UTO (RFC 5482 section 3.1); nil while ENABLED is false.
  var advertisedTimeout: TCPUserTimeout?
  /// Whether the next bare acknowledgement tells it.
  var owesTimeout = false
  /// CHANGEABLE: whether the peer's is adopted.
  var adoptsTimeout = false

  /// See ``TCPConnection/softError``.
  var softError: SocketError?

  /// What was counted while there was data to send.
  var totals: SenderTotals?
}
