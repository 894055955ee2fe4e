import MartletCore
import MartletWire

/// Makes bad frames of good ones.
struct FrameMutator {
  var random: RandomStream

  /// A few changes to `frame`; half of the time the checksums are made right afterwards, so that the damage gets past them.
  mutating func mutate(_ frame: [UInt8], with others: [[UInt8]]) -> [UInt8] {
    var frame = frame
    for _ in 0..<Int.random(in: 1...3, using: &random) { change(&frame, with: others) }
    if Bool.random(using: &random) { Self.fixChecksums(&frame) }
    return frame
  }

  /// Makes a frame for B one for somebody else, in one of three cases of four: on B's links, behind them, or nowhere.
  mutating func redirect(_ frame: inout [UInt8]) {
    guard frame.count >= 54, Int.random(in: 0..<4, using: &random) != 0 else { return }
    let v4: [IPAddress] = ["198.51.100.9", "198.51.100.77", "203.0.113.5", "203.0.112.5", "192.0.2.1", "8.8.8.8"]
    let v6: [IPAddress] = ["2001:db8:2::9", "2001:db8:2::77", "2001:db8:3::5", "2001:db8::1", "2001:db8:9::9"]
    let isIPv4 = frame[12] == 8 && frame[13] == 0
    guard isIPv4 || frame[12] == 0x86, let destination = (isIPv4 ? v4 : v6).randomElement(using: &random) else {
      return
    }
    overwrite(&frame, at: isIPv4 ? 30 : 38, with: Frames.bytes(of: destination))
    Self.fixChecksums(&frame)
  }

  private mutating func change(_ frame: inout [UInt8], with others: [[UInt8]]) {
    guard !frame.isEmpty else { return frame = [0] }
    // Damage to headers is worth more than damage to payload.
    let reach = Bool.random(using: &random) ? frame.count : min(frame.count, 74)
    let place = Int.random(in: 0..<reach, using: &random)
    switch Int.random(in: 0..<10, using: &random) {
    case 0, 1: frame[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2: frame[place] = interestingByte()
    case 3: overwrite(&frame, at: place & ~1, with: Frames.bytes(interestingWord()))
    case 4: overwrite(&frame, at: place & ~3, with: Frames.bytes(interestingLong()))
    case 5: frame.removeSubrange(place...)
    case 6: frame += (0..<Int.random(in: 1...64, using: &random)).map { _ in interestingByte() }
    case 7: frame.insert(contentsOf: [UInt8](repeating: interestingByte(), count: 4), at: place)
    case 8:
      let end = min(frame.count, place + Int.random(in: 1...16, using: &random))
      frame.removeSubrange(place..<end)
    default:
      guard let other = others.randomElement(using: &random), !other.isEmpty else { return }
      // Heads and tails of two frames, often cut where headers end.
      let cut = [14, 34, 54, 42, 62, place].randomElement(using: &random) ?? place
      frame = Array(frame.prefix(cut)) + other.dropFirst(min(cut, other.count))
    }
  }

  private func overwrite(_ frame: inout [UInt8], at place: Int, with bytes: [UInt8]) {
    for (offset, byte) in bytes.enumerated() where place + offset < frame.count { frame[place + offset] = byte }
  }

  private mutating func interestingByte() -> UInt8 {
    let known: [UInt8] = [0, 1, 2, 4, 5, 6, 7, 8, 17, 20, 43, 44, 58, 59, 60, 0x45, 0x4f, 0x60, 0x7f, 0x80, 0xff]
    return Bool.random(using: &random)
      ? known.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255, using: &random)
  }

  private mutating func interestingWord() -> UInt16 {
    let known: [UInt16] = [
      0, 1, 7, 8, 9, 20, 40, 0x2000, 0x1fff, 0x3fff, 0x7fff, 0x8000, 0xfff8, 0xffff, 0x0800, 0x86dd, 0x0806,
    ]
    return Bool.random(using: &random)
      ? known.randomElement(using: &random) ?? 0 : UInt16.random(in: 0...0xffff, using: &random)
  }

  private mutating func interestingLong() -> UInt32 {
    let known: [UInt32] = [
      0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, Bench.a4.value, Bench.b4.value, Bench.c4.value, 0xe000_0001,
      0x7f00_0001, 0xc000_02ff,
    ]
    return known.randomElement(using: &random) ?? 0
  }

  /// Writes the checksums that a frame of these bytes ought to have, wherever its headers say they are.
  static func fixChecksums(_ frame: inout [UInt8]) {
    guard frame.count >= 34 else { return }
    var offset = 14
    var type = UInt16(frame[12]) << 8 | UInt16(frame[13])
    if type == 0x8100, frame.count >= 38 {
      type = UInt16(frame[16]) << 8 | UInt16(frame[17])
      offset = 18
    }
    if type == 0x0800 {
      fixIPv4(&frame, at: offset)
    } else if type == 0x86dd, frame.count >= offset + 40 {
      fixIPv6(&frame, at: offset)
    }
  }

  private static func fixIPv4(_ frame: inout [UInt8], at offset: Int) {
    let header = Int(frame[offset] & 15) * 4
    guard header >= 20, frame.count >= offset + header else { return }
    let total = Int(frame[offset + 2]) << 8 | Int(frame[offset + 3])
    let field = UInt16(frame[offset + 6]) << 8 | UInt16(frame[offset + 7])
    if total >= header, frame.count >= offset + total, field & 0x3fff == 0 {
      fixTransport(
        &frame, at: offset + header, end: offset + total, protocol: frame[offset + 9],
        addresses: Array(frame[offset + 12..<offset + 20]))
    }
    frame[offset + 10] = 0
    frame[offset + 11] = 0
    let sum = Frames.checksum(Array(frame[offset..<offset + header]))
    frame.replaceSubrange(offset + 10..<offset + 12, with: Frames.bytes(sum))
  }

  private static func fixIPv6(_ frame: inout [UInt8], at offset: Int) {
    let end = offset + 40 + Int(frame[offset + 4]) << 8 + Int(frame[offset + 5])
    guard frame.count >= end else { return }
    var next = frame[offset + 6]
    var place = offset + 40
    while [0, 43, 60].contains(next), place + 8 <= end {
      next = frame[place]
      place += 8 * (Int(frame[place + 1]) + 1)
    }
    guard place <= end else { return }
    fixTransport(&frame, at: place, end: end, protocol: next, addresses: Array(frame[offset + 8..<offset + 40]))
  }

  private static func fixTransport(
    _ frame: inout [UInt8], at start: Int, end: Int, protocol: UInt8, addresses: [UInt8]
  ) {
    let place: Int
    switch `protocol` {
    case 1, 58: place = start + 2
    case 6: place = start + 16
    case 17: place = start + 6
    default: return
    }
    guard place + 2 <= end else { return }
    frame[place] = 0
    frame[place + 1] = 0
    let segment = Array(frame[start..<end])
    // The pseudo-header is whole words, so that it can stand in front.
    let pseudo = addresses + Frames.bytes(UInt32(segment.count)) + [0, 0, 0, `protocol`]
    let sum = Frames.checksum(`protocol` == 1 ? segment : pseudo + segment)
    frame.replaceSubrange(place..<place + 2, with: Frames.bytes(`protocol` == 17 && sum == 0 ? 0xffff : sum))
  }
}
