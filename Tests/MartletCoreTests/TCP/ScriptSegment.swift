import MartletWire

@testable import MartletCore

/// A segment of a script. Sequence numbers count from each side's initial one, so that the first byte of data is 1.
///
/// A field that is nil takes the script's default when the segment is received, and matches anything when it is expected.
struct ScriptSegment: CustomStringConvertible, Sendable {
  var flags: TCPFlags
  var seq: Int?
  var ack: Int?
  var count: Int? = 0
  var window: Int?
  var urgent: Int?
  var mss: Int?
  var scale: Int?
  var sackPermitted: Bool?
  /// The runs of the SACK option; nil matches anything.
  var sack: [Range<Int>]?
  var timestamp: UInt32?
  var echo: UInt32?
  /// Whether PSH matters when the segment is expected.
  var push: Bool?
  /// When it went out.
  var time: Double?
  var superSegment: Int = 0
  /// The user timeout option, in seconds; 0 is none when a segment is expected.
  var userTimeout: Int?
  /// The congestion notification field of the IP header; nil matches anything.
  var ecn: ECN?

  // MARK: Kinds

  static func syn(
    mss: Int? = nil, scale: Int? = nil, sackPermitted: Bool? = nil, timestamp: UInt32? = nil, window: Int? = nil
  )
    -> ScriptSegment
  {
    ScriptSegment(
      flags: .syn, seq: 0, window: window, mss: mss, scale: scale, sackPermitted: sackPermitted, timestamp: timestamp)
  }

  static func synAck(
    mss: Int? = nil, scale: Int? = nil, sackPermitted: Bool? = nil, timestamp: UInt32? = nil, echo: UInt32? = nil,
    window: Int? = nil
  ) -> ScriptSegment {
    ScriptSegment(
      flags: [.syn, .ack], seq: 0, ack: 1, window: window, mss: mss, scale: scale, sackPermitted: sackPermitted,
      timestamp: timestamp, echo: echo)
  }

  static func ack(
    _ number: Int, seq: Int? = nil, window: Int? = nil, sack: Range<Int>..., timestamp: UInt32? = nil,
    echo: UInt32? = nil
  ) -> ScriptSegment {
    ScriptSegment(
      flags: .ack, seq: seq, ack: number, window: window, sack: sack.isEmpty ? nil : sack, timestamp: timestamp,
      echo: echo)
  }

  static func data(
    seq: Int, count: Int, ack: Int? = nil, push: Bool? = nil, window: Int? = nil, urgent: Int? = nil,
    timestamp: UInt32? = nil, echo: UInt32? = nil
  ) -> ScriptSegment {
    var segment = ScriptSegment(flags: .ack, seq: seq, ack: ack, count: count, window: window, urgent: urgent)
    segment.push = push
    segment.timestamp = timestamp
    segment.echo = echo
    if urgent != nil { segment.flags.insert(.urg) }
    return segment
  }

  static func fin(seq: Int, count: Int = 0, ack: Int? = nil) -> ScriptSegment {
    ScriptSegment(flags: [.ack, .fin], seq: seq, ack: ack, count: count)
  }

  static func rst(seq: Int? = nil, ack: Int? = nil, count: Int = 0) -> ScriptSegment {
    ScriptSegment(flags: ack == nil ? .rst : [.rst, .ack], seq: seq, ack: ack, count: count)
  }

  /// The same with other values.
  func with(_ change: (inout ScriptSegment) -> Void) -> ScriptSegment {
    var copy = self
    change(&copy)
    return copy
  }

  // MARK: Matching

  /// Whether `sent`, which has every field, is what this asks for.
  func matches(_ sent: ScriptSegment) -> Bool {
    flags.subtracting(.psh) == sent.flags.subtracting(.psh) && (push == nil || push == sent.flags.contains(.psh))
      && (seq == nil || seq == sent.seq) && (ack == nil || ack == sent.ack) && (count == nil || count == sent.count)
      && (window == nil || window == sent.window) && (urgent == nil || urgent == sent.urgent)
      && (mss == nil || mss == sent.mss) && (scale == nil || scale == sent.scale)
      && (sackPermitted == nil || sackPermitted == sent.sackPermitted) && (sack == nil || sack == sent.sack)
      && (timestamp == nil || timestamp == sent.timestamp) && (echo == nil || echo == sent.echo)
      && (ecn == nil || ecn == sent.ecn)
      && (userTimeout == nil || userTimeout == sent.userTimeout)
  }

  var description: String {
    var text = ""
    if let time { text += "\(time)s " }
    let names: [(TCPFlags, String)] = [
      (.syn, "SYN"), (.fin, "FIN"), (.rst, "RST"), (.psh, "PSH"), (.ack, "ACK"), (.urg, "URG"), (.ece, "ECE"),
      (.cwr, "CWR"),
    ]
    text += names.filter { flags.contains($0.0) }.map(\.1).joined(separator: ",")
    if let seq { text += " seq=\(seq)" }
    if let ack { text += " ack=\(ack)" }
    if let count, count > 0 { text += " count=\(count)" }
    if let window { text += " win=\(window)" }
    if let urgent, urgent > 0 { text += " urg=\(urgent)" }
    if let mss { text += " mss=\(mss)" }
    if let scale { text += " scale=\(scale)" }
    if sackPermitted == true { text += " sackOK" }
    if let sack, !sack.isEmpty { text += " sack=\(sack)" }
    if let timestamp { text += " ts=\(timestamp)" }
    if let echo { text += " ecr=\(echo)" }
    return text
  }
}
