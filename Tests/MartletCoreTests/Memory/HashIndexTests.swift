import MartletCore
import Testing

@Suite("Hash index")
struct HashIndexTests {
  @Test("It finds what a dictionary finds, through collisions, growth and removal", arguments: 0..<4 as Range<UInt64>)
  func agreesWithDictionary(seed: UInt64) {
    var random = RandomStream(seed: seed)
    var index = HashIndex()
    var keys: [UInt64?] = []
    // Few hashes, so that many share a bucket.
    func hash(_ key: UInt64) -> UInt64 { key % 61 }
    for step in 0..<2_000 {
      if Bool.random(using: &random) || keys.isEmpty {
        keys.append(UInt64(step))
        index.insert(hash(UInt64(step)), place: UInt32(keys.count - 1))
      } else {
        let place = Int.random(in: 0..<keys.count, using: &random)
        if let key = keys[place] {
          #expect(index.remove(hash(key), place: UInt32(place)) == true)
          keys[place] = nil
        }
      }
    }
    #expect(index.count == keys.count { $0 != nil })
    for key in 0..<2_000 as Range<UInt64> {
      let expected = keys.firstIndex(of: key).map { UInt32($0) }
      #expect(index.find(hash(key)) { keys[Int($0)] == key } == expected)
    }
  }

  @Test("Removing what is not there changes nothing")
  func removesNothing() {
    var index = HashIndex()
    index.insert(5, place: 1)
    #expect(index.remove(5, place: 2) == false)
    #expect(index.remove(6, place: 1) == false)
    #expect(index.count == 1)
  }
}
