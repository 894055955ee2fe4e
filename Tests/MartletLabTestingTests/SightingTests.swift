import MartletCore
import MartletLab
import MartletWire
import Testing

@testable import MartletLabTesting

@Suite("What sometimes holds")
struct SightingTests {
  private let twenty = Array(UInt64(1)...20)

  @Test("It has to hold in one run of many")
  func once() async throws {
    let found = try await issues(office(["a"]), seeds: twenty) {
      let seed = try World.current.seed
      sometimes("the seed is 13", seed == 13)
    }
    #expect(found.isEmpty)
  }

  @Test("What never held is told when all runs are over, once, and where it was looked for")
  func never() async throws {
    let line = #line + 2
    let found = try await issues(office(["a"]), seeds: twenty) {
      sometimes("pigs fly", false)
    }
    try #require(found.count == 1)
    #expect(found[0].comments.map { "\($0)" } == ["In none of 20 runs: pigs fly"])
    #expect(found[0].sourceLocation?.line == line)
  }

  @Test("A place that must be reached is missed even if nobody ever came near")
  func unreached() async throws {
    let found = try await issues(office(["a"]), seeds: twenty, expecting: ["the election", "the vote"]) {
      if try World.current.seed == 21 { reachable("the election") }
      reachable("the vote")
    }
    #expect(found.map { $0.comments.map { "\($0)" } } == [["In none of 20 runs: the election"]])
  }

  @Test("One run alone is not judged")
  func single() async throws {
    let found = try await issues(office(["a"]), seeds: [1]) { sometimes("pigs fly", false) }
    #expect(found.isEmpty)
  }

  @Test("Runs that failed are not blamed for what was not seen")
  func failed() async throws {
    let found = try await issues(office(["a"]), seeds: twenty) {
      sometimes("pigs fly", false)
      let seed = try World.current.seed
      #expect(seed != 2)
    }
    #expect(found.filter(\.isFailure).count == 1)
  }

  @Test("The trait names what has to be seen", .world(office(["a"]), seeds: 1...3), .sometimes("the last seed"))
  func trait() throws {
    if try World.current.seed >= 3 { reachable("the last seed") }
  }

  @Test("Code that no task runs is part of the run, too")
  func callback() async throws {
    let found = try await issues(office(["a"]), seeds: [1, 2, 3]) {
      let loop = try World.current.loop
      _ = loop.setTimer(at: loop.now.advanced(by: .seconds(1))) { reachable("the timer") }
      try await World.current.sleep(for: .seconds(2))
    }
    #expect(found.isEmpty)
  }

  @Test("Outside of a world it is a mistake")
  func nowhere() async throws {
    let found = try await issues { sometimes("pigs fly") }
    #expect(found.count == 1)
    #expect("\(found[0].comments)".contains("there is none here. Give the test the trait .world(…)."))
  }
}
