import MartletWire
import Testing

@Suite("Sequence numbers")
struct SequenceNumberTests {
  @Test(
    "Order goes around the circle", arguments: [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff] as [UInt32])
  func order(start: UInt32) {
    let a = SequenceNumber(start)
    for step in [1, 100, 0x7fff_ffff] {
      let b = a + step
      #expect(a < b && b > a && a <= b && b >= a)
      #expect(!(b < a) && !(a > b) && !(b <= a) && !(a >= b))
      #expect(b - a == step)
      #expect(a - b == -step)
      #expect(a.distance(to: b) == step)
      #expect(b - step == a)
      #expect(SequenceNumber.later(a, b) == b && SequenceNumber.later(b, a) == b)
      #expect(SequenceNumber.earlier(a, b) == a && SequenceNumber.earlier(b, a) == a)
    }
    #expect(a <= a && a >= a && !(a < a) && !(a > a))
    #expect(a.advanced(by: -1) < a)
  }

  @Test("A window holds its first number and not the one past its last")
  func window() {
    let start = SequenceNumber(0xffff_fffe)
    #expect(start.isWithin(4, from: start))
    #expect((start + 3).isWithin(4, from: start))
    #expect(!(start + 4).isWithin(4, from: start))
    #expect(!(start - 1).isWithin(4, from: start))
    #expect(!start.isWithin(0, from: start))
  }
}
