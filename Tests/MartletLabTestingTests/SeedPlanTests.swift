import MartletLab
import Testing

@testable import MartletLabTesting

@Suite("Which seeds a test runs with")
struct SeedPlanTests {
  private func plan(_ declared: [UInt64], seed: String? = nil, seeds: String? = nil, isPinned: Bool = false) throws
    -> SeedPlan
  {
    try SeedPlan(DeclaredSeeds(values: declared, isPinned: isPinned), Environment(seed: seed, seeds: seeds))
  }

  @Test("Those it names, if the environment says nothing")
  func declared() throws { #expect(try plan([4, 5]).seeds == [4, 5]) }

  @Test("MARTLET_SEED runs one, before all else")
  func one() throws { #expect(try plan([4, 5], seed: "42", seeds: "100").seeds == [42]) }

  @Test("MARTLET_SEEDS is a count from the test's first seed on, a range, or a list")
  func many() throws {
    #expect(try plan([7], seeds: "3").seeds == [7, 8, 9])
    #expect(try plan([7], seeds: "1...5").seeds == [1, 2, 3, 4, 5])
    #expect(try plan([7], seeds: "1-3").seeds == [1, 2, 3])
    #expect(try plan([7], seeds: "9,4,20-22").seeds == [9, 4, 20, 21, 22])
  }

  @Test("A pinned seed stays")
  func pinned() throws { #expect(try plan([7], seed: "1", seeds: "100", isPinned: true).seeds == [7]) }

  @Test(
    "What is no seed is told, with what to write",
    arguments: ["", "x", "0", "5...1", "1...", "1,,2", "-3", "1...99999999999", "3-4-5"])
  func mistakes(_ text: String) {
    #expect {
      try plan([1], seeds: text)
    } throws: {
      "\($0)"
        == "MARTLET_SEEDS is \"\(text)\", which names no seeds. Write a count (100), a range (1...500) or a list (3,5,9)."
    }
    #expect {
      try plan([1], seed: "seven")
    } throws: { "\($0)" == "MARTLET_SEED is \"seven\", which is no seed. Write a number, as 42." }
  }

  @Test("What should sometimes hold is judged over as many runs as the test names, or ten")
  func judged() throws {
    #expect(try plan(Array(1...20)).judgesSometimes)
    #expect(try plan([1, 2, 3]).judgesSometimes)
    #expect(try !plan(Array(1...20), seed: "42").judgesSometimes)
    #expect(try !plan(Array(1...20), seeds: "19").judgesSometimes)
    #expect(try plan(Array(1...20), seeds: "21").judgesSometimes)
    #expect(try !plan([1]).judgesSometimes)
    #expect(try !plan([1], seeds: "9").judgesSometimes)
    #expect(try plan([1], seeds: "10").judgesSometimes)
  }
}
