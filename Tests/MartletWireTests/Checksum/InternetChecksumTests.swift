import MartletWire
import Testing

/// The sum as RFC 1071 defines it, word by word.
func referenceChecksum(_ bytes: [UInt8]) -> UInt16 {
  var sum: UInt32 = 0
  for (index, byte) in bytes.enumerated() {
    sum += index.isMultiple(of: 2) ? UInt32(byte) << 8 : UInt32(byte)
    if sum > 0xffff { sum -= 0xffff }
  }
  return ~UInt16(sum)
}

@Suite("The Internet checksum")
struct InternetChecksumTests {
  @Test("The example of RFC 1071 section 3 sums to ddf2")
  func example() {
    var sum = InternetChecksum()
    let bytes = [UInt8](hex: "0001 f203 f4f5 f6f7")
    sum.add(unsafe bytes.span.bytes)
    #expect(sum.foldedSum == 0xddf2)
    #expect(sum.value == 0x220d)
    #expect(!sum.isValid)
    sum.add(0x220d as UInt16)
    #expect(sum.isValid)
  }

  @Test("Nothing at all sums to 0")
  func nothing() {
    #expect(InternetChecksum().value == 0xffff)
    let empty: [UInt8] = []
    #expect(InternetChecksum.of(unsafe empty.span.bytes) == 0xffff)
  }

  @Test("Every length up to 300 at every alignment agrees with the definition")
  func lengthsAndAlignments() {
    var generator = SplitMix64(seed: 1071)
    let bytes = generator.bytes(320)
    for alignment in 0..<9 {
      for length in 0...300 {
        let slice = Array(bytes[alignment..<alignment + length])
        let sum = InternetChecksum.of(unsafe bytes.span.bytes.extracting(alignment..<alignment + length))
        #expect(sum == referenceChecksum(slice), "length \(length), alignment \(alignment)")
      }
    }
  }

  @Test(
    "Blocks full of ones, where every carry happens, agree with the definition", arguments: [64, 1460, 9001, 65535])
  func carries(count: Int) {
    let bytes = [UInt8](repeating: 0xff, count: count)
    #expect(InternetChecksum.of(unsafe bytes.span.bytes) == referenceChecksum(bytes))
  }

  @Test("Pieces of any lengths, odd ones too, sum to what the whole does")
  func pieces() {
    var generator = SplitMix64(seed: 2)
    for _ in 0..<300 {
      var sum = InternetChecksum()
      var whole: [UInt8] = []
      for _ in 0..<6 {
        let number = generator.next()
        switch number % 5 {
        case 0:
          sum.add(UInt16(truncatingIfNeeded: number >> 8))
          whole += written(2) { $0.store(bigEndian: UInt16(truncatingIfNeeded: number >> 8), at: 0) }
        case 1:
          sum.add(UInt32(truncatingIfNeeded: number >> 8))
          whole += written(4) { $0.store(bigEndian: UInt32(truncatingIfNeeded: number >> 8), at: 0) }
        case 2:
          let address = IPv6Address(high: number, low: ~number)
          sum.add(address)
          whole += written(16) { $0.store(address, at: 0) }
        default:
          let piece = generator.bytes(Int(number >> 8 % 100) % 100)
          sum.add(unsafe piece.span.bytes)
          whole += piece
        }
      }
      #expect(sum.value == referenceChecksum(whole))
    }
  }

  @Test("The pseudo-headers are those of RFC 768 and RFC 8200")
  func pseudoHeaders() {
    var sum = InternetChecksum()
    let source4 = IPv4Address(value: 0xc000_0201)
    let destination4 = IPv4Address(value: 0xcb00_7105)
    sum.addPseudoHeader(source: IPAddress(source4), destination: IPAddress(destination4), protocol: .tcp, length: 1480)
    #expect(sum.value == referenceChecksum([UInt8](hex: "c0000201 cb007105 00 06 05c8")))

    sum = InternetChecksum()
    let source6 = IPv6Address(high: 0x2001_0db8_0001_0002, low: 0x0003_0004_0005_0006)
    let destination6 = IPv6Address(high: 0xfe80_0000_0000_0000, low: 0xffee_ddcc_bbaa_9988)
    sum.addPseudoHeader(source: IPAddress(source6), destination: IPAddress(destination6), protocol: .udp, length: 70000)
    let header = "20010db8000100020003000400050006 fe80000000000000ffeeddccbbaa9988 00011170 00000011"
    #expect(sum.value == referenceChecksum([UInt8](hex: header)))
  }

  @Test("Copying sums what it copies and writes nothing else")
  func copying() {
    var generator = SplitMix64(seed: 3)
    for length in Array(0...140) + [1459, 1460, 4096] {
      let source = generator.bytes(length)
      var sum = InternetChecksum()
      let copy = written(length + 16) { bytes in
        sum.copyAndSum(from: unsafe source.span.bytes, to: &bytes)
      }
      #expect(copy == source + [UInt8](repeating: 0xa5, count: 16))
      #expect(sum.value == referenceChecksum(source))
    }
  }

  @Test("UDP sends 0xffff in place of 0")
  func udp() {
    #expect(InternetChecksum.udp(0) == 0xffff)
    #expect(InternetChecksum.udp(1) == 1)
    var sum = InternetChecksum()
    sum.add(0xffff as UInt16)
    #expect(sum.value == 0)
    #expect(sum.udpValue == 0xffff)
  }
}

@Suite("Updating a checksum")
struct ChecksumUpdateTests {
  @Test("The example of RFC 1624 section 4 becomes 0, not 0xffff")
  func example() {
    #expect(InternetChecksum.updated(0xdd2f, from: 0x5555 as UInt16, to: 0x3285 as UInt16) == 0)
  }

  @Test("A field of 16, 32 or 128 bits that changes moves the checksum as summing again does")
  func agreesWithSummingAgain() {
    var generator = SplitMix64(seed: 1624)
    for round in 0..<2000 {
      var bytes = generator.bytes(60)
      // Fields full of zeros and ones are where one's complement has two zeros.
      if round % 3 == 0 { for index in 16..<48 { bytes[index] = round % 2 == 0 ? 0 : 0xff } }
      let old = referenceChecksum(bytes)
      let number = generator.next()
      func changed(_ write: (inout MutableRawSpan) -> Void) -> UInt16 {
        var copy = bytes
        var span = copy.mutableSpan
        var raw = unsafe span.mutableBytes
        write(&raw)
        return referenceChecksum(copy)
      }
      func at<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _: T.Type) -> T {
        unsafe bytes.span.bytes.bigEndian(at: offset)
      }

      let new16 = UInt16(truncatingIfNeeded: number)
      #expect(
        InternetChecksum.updated(old, from: at(16, UInt16.self), to: new16)
          == changed { $0.store(bigEndian: new16, at: 16) })

      let new32 = round % 5 == 0 ? 0 : UInt32(truncatingIfNeeded: number)
      #expect(
        InternetChecksum.updated(old, from: at(20, UInt32.self), to: new32)
          == changed { $0.store(bigEndian: new32, at: 20) })

      let old128 = unsafe bytes.span.bytes.ipv6Address(at: 32)
      let new128 = IPv6Address(high: number, low: round % 5 == 0 ? .max : generator.next())
      #expect(InternetChecksum.updated(old, from: old128, to: new128) == changed { $0.store(new128, at: 32) })
    }
  }
}
