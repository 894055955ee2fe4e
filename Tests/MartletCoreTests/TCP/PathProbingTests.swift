import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: the search for the path's MTU")
struct PathProbingTests {
  private let raise = Nanoseconds.seconds(600)
  private let end = SequenceNumber(1_000)

  /// A search on a path that carries `pathMTU`, from a black hole on, and the probes that it sent.
  private func search(
    _ probing: inout PathProbing, pathMTU: Int, base: Int = 1_200, silent: Bool = true, from start: Instant = .zero
  ) -> [Int] {
    var probes: [Int] = []
    var now = start
    for _ in 0..<200 {
      now = now + .seconds(1)
      guard probing.mayProbe(at: now, raiseAfter: raise), let next = probing.nextProbe else { break }
      probes.append(next)
      probing.watch(next, end: end)
      if next <= pathMTU {
        check(probing.acknowledge(end, at: now, raiseAfter: raise))
      } else {
        if !silent {
          let verdict = probing.receive(
            claim: pathMTU, quoting: next, at: end - 1, probeStart: end - 100, smallest: 552)
          #expect(verdict == .taken)
        }
        probing.loseProbe(at: now, pause: 0, raiseAfter: raise)
      }
    }
    return probes
  }

  private func inBlackHole(ceiling: Int = 1_500, base: Int = 1_200) -> PathProbing {
    var probing = PathProbing(policy: .onBlackHole, ceiling: ceiling)
    for _ in 0..<3 { _ = probing.timeOut(isFull: true, base: base, smallest: 552) }
    _ = probing.acknowledge(SequenceNumber(1), at: .zero, raiseAfter: raise)
    return probing
  }

  @Test("It is small", .rfc(4821, section: "5.1"))
  func size() {
    #expect(MemoryLayout<PathProbing>.size <= 32)
  }

  @Test("What was found out before an estimate was forgotten is not told afterwards", .rfc(1191, section: "6.3"))
  func staleNews() {
    var probing = inBlackHole(ceiling: 1_450)
    _ = search(&probing, pathMTU: 1_300)
    #expect(probing.phase == .searchComplete)
    #expect(probing.hasNews)
    check(!probing.move(ceiling: 1_500))
    #expect(probing.takeNews() == nil)
    #expect(probing.nextProbe == 1_500)
  }

  @Test("Three timeouts of full packets make a black hole: BASE, then SEARCHING", .rfc(8899, section: "5.2"))
  func blackHole() {
    var probing = PathProbing(policy: .onBlackHole, ceiling: 1_500)
    #expect(probing.phase == .disabled)
    for _ in 0..<2 {
      check(!probing.timeOut(isFull: true, base: 1_200, smallest: 552))
    }
    check(probing.timeOut(isFull: true, base: 1_200, smallest: 552))
    #expect(probing.phase == .base)
    #expect(probing.size == 1_200)
    check(!probing.acknowledge(SequenceNumber(1), at: .zero, raiseAfter: raise))
    #expect(probing.phase == .searching)
    #expect(probing.nextProbe == 1_500)
  }

  @Test("An acknowledgement between timeouts begins the count anew", .rfc(4821, section: "7.7"))
  func notInARow() {
    var probing = PathProbing(policy: .onBlackHole, ceiling: 1_500)
    for _ in 0..<5 {
      for _ in 0..<2 { _ = probing.timeOut(isFull: true, base: 1_200, smallest: 552) }
      _ = probing.acknowledge(SequenceNumber(1), at: .zero, raiseAfter: raise)
    }
    #expect(probing.size == 1_500)
    #expect(probing.phase == .disabled)
  }

  @Test("Small packets and a connection that must not probe know no black holes", .rfc(2923, section: "2.1"))
  func noBlackHole() {
    var small = PathProbing(policy: .onBlackHole, ceiling: 1_500)
    var off = PathProbing(policy: .off, ceiling: 1_500)
    for _ in 0..<9 {
      check(!small.timeOut(isFull: false, base: 1_200, smallest: 552))
      check(!off.timeOut(isFull: true, base: 1_200, smallest: 552))
    }
    #expect(small.size == 1_500)
    #expect(off.size == 1_500)
  }

  @Test("Where not even the base size arrives, the smallest does: ERROR", .rfc(8899, section: "5.2"))
  func error() {
    var probing = PathProbing(policy: .onBlackHole, ceiling: 1_500)
    for _ in 0..<6 { _ = probing.timeOut(isFull: true, base: 1_200, smallest: 552) }
    #expect(probing.phase == .error)
    #expect(probing.size == 552)
    for _ in 0..<9 { check(!probing.timeOut(isFull: true, base: 1_200, smallest: 552)) }
    let probes = search(&probing, pathMTU: 1_000)
    #expect(probes.isEmpty)
    _ = probing.acknowledge(SequenceNumber(1), at: .zero, raiseAfter: raise)
    #expect(probing.phase == .searching)
    _ = search(&probing, pathMTU: 1_000)
    #expect(probing.size > 980 && probing.size <= 1_000)
  }

  @Test(
    "A path that was found narrow, and narrows without a word, is met by the smallest size", .rfc(8899, section: "5.2"))
  func narrows() {
    var probing = PathProbing(policy: .onBlackHole, ceiling: 1_500)
    _ = probing.receive(claim: 800, quoting: 1_500, at: end, probeStart: nil, smallest: 552)
    for _ in 0..<3 { _ = probing.timeOut(isFull: true, base: 1_200, smallest: 552) }
    #expect(probing.phase == .error)
    #expect(probing.size == 552)
    // A connection that never was larger is left alone.
    var small = PathProbing(policy: .onBlackHole, ceiling: 1_000)
    for _ in 0..<9 { _ = small.timeOut(isFull: true, base: 1_200, smallest: 552) }
    #expect(small.size == 1_000)
  }

  @Test("A black hole that passed costs one probe", .rfc(8899, section: "5.3"))
  func passing() {
    var probing = inBlackHole()
    check(search(&probing, pathMTU: 1_500) == [1_500])
    #expect(probing.size == 1_500)
    #expect(probing.phase == .searchComplete)
    #expect(!probing.hasNews)
  }

  @Test(
    "The search ends close below what the path carries, and each size is lost three times before it is given up",
    .rfc(4821, section: "7.3"), .rfc(8899, section: "5.3.1"),
    arguments: [1_200, 1_216, 1_280, 1_300, 1_400, 1_420, 1_450, 1_491, 1_492, 1_499, 1_500, 4_000, 8_999])
  func converges(pathMTU: Int) {
    var probing = inBlackHole(ceiling: 9_000)
    let probes = search(&probing, pathMTU: pathMTU)
    #expect(Int(probing.size) <= pathMTU)
    #expect(Int(probing.size) > pathMTU - 16)
    #expect(probing.phase == .searchComplete)
    #expect(probes.count <= 40)
    for size in Set(probes) {
      #expect(probes.filter { $0 == size }.count == (size <= pathMTU ? 1 : 3))
    }
    check(probing.takeNews() == Int(probing.size))
    check(probing.takeNews() == nil)
  }

  @Test("A router that answers a probe ends the search at its word", .rfc(8899, section: "4.6.2"))
  func routerAnswers() {
    var probing = inBlackHole()
    check(search(&probing, pathMTU: 1_337, silent: false) == [1_500, 1_337])
    #expect(probing.size == 1_337)
    #expect(probing.ceiling == 1_337)
    check(probing.takeNews() == 1_337)
  }

  @Test("What was lost is probed again when the raise timer runs out", .rfc(8899, section: "5.1.1"))
  func raises() {
    var probing = inBlackHole()
    _ = search(&probing, pathMTU: 1_300)
    let low = probing.size
    check(!probing.mayProbe(at: .zero + .seconds(590), raiseAfter: raise))
    check(probing.mayProbe(at: .zero + .seconds(700), raiseAfter: raise))
    #expect(probing.phase == .searching)
    #expect(probing.size == low)
    check(search(&probing, pathMTU: 1_500, from: .zero + .seconds(700)) == [1_500])
  }

  @Test("After a lost probe there is a pause", .rfc(4821, section: "7.5"))
  func pause() {
    var probing = inBlackHole()
    check(probing.mayProbe(at: .zero, raiseAfter: raise))
    probing.watch(1_500, end: end)
    check(!probing.mayProbe(at: .zero + .seconds(60), raiseAfter: raise))
    probing.loseProbe(at: .zero, pause: .seconds(1), raiseAfter: raise)
    check(!probing.mayProbe(at: .zero + .milliseconds(999), raiseAfter: raise))
    check(probing.mayProbe(at: .zero + .milliseconds(1_040), raiseAfter: raise))
  }

  @Test("A claim is refused unless it is below the packet quoted and below what is sent", .rfc(5927, section: "7.2"))
  func refused() {
    var probing = PathProbing(policy: .onBlackHole, ceiling: 1_500)
    func receive(_ mtu: Int, quoting count: Int) -> PathProbing.Verdict {
      probing.receive(claim: mtu, quoting: count, at: end, probeStart: nil, smallest: 552)
    }
    check(receive(1_400, quoting: 1_400) == .refused)
    check(receive(1_400, quoting: 900) == .refused)
    check(receive(1_500, quoting: 9_000) == .refused)
    check(receive(1_400, quoting: 1_500) == .believed)
    #expect(probing.size == 1_400)
    check(receive(1_450, quoting: 1_500) == .refused)
    #expect(probing.size == 1_400)
  }

  @Test("A claim about a size that did arrive waits for a timeout", .rfc(5927, section: "7.2"))
  func waits() {
    var probing = PathProbing(policy: .off, ceiling: 1_500)
    probing.watch(1_500, end: end)
    _ = probing.acknowledge(end, at: .zero, raiseAfter: raise)
    #expect(probing.acknowledged == 1_500)
    let verdict = probing.receive(claim: 1_300, quoting: 1_500, at: end, probeStart: nil, smallest: 552)
    #expect(verdict == .waits)
    #expect(probing.size == 1_500)
    // An acknowledgement of what came before the quoted byte says nothing of it.
    _ = probing.acknowledge(end, at: .zero, raiseAfter: raise)
    #expect(probing.claim == 1_300)
    check(probing.timeOut(isFull: true, base: 1_200, smallest: 552))
    #expect(probing.size == 1_300)
    #expect(probing.ceiling == 1_300)
    check(probing.takeNews() == 1_300)
  }

  @Test("An acknowledgement of the byte quoted refutes a claim", .rfc(5927, section: "7.2"))
  func refuted() {
    var probing = PathProbing(policy: .off, ceiling: 1_500)
    probing.watch(1_500, end: end)
    _ = probing.acknowledge(end, at: .zero, raiseAfter: raise)
    _ = probing.receive(claim: 600, quoting: 1_500, at: end, probeStart: nil, smallest: 552)
    _ = probing.acknowledge(end + 1, at: .zero, raiseAfter: raise)
    #expect(probing.claim == 0)
    check(!probing.timeOut(isFull: true, base: 1_200, smallest: 552))
    #expect(probing.size == 1_500)
  }

  @Test("A claim below the floor makes packets no smaller than that, but is passed on", .rfc(1191, section: "3"))
  func floor() {
    var probing = PathProbing(policy: .off, ceiling: 1_500)
    let verdict = probing.receive(claim: 300, quoting: 1_500, at: end, probeStart: nil, smallest: 552)
    #expect(verdict == .believed)
    #expect(probing.size == 552)
    check(probing.takeNews() == 300)
  }

  @Test(
    "When an estimate is forgotten, a connection that must not probe sends more at once, others probe",
    .rfc(1191, section: "6.3"), .rfc(8201, section: "5.3"))
  func forgotten() {
    var off = PathProbing(policy: .off, ceiling: 1_500)
    check(off.move(ceiling: 1_300))
    #expect(off.size == 1_300)
    check(!off.move(ceiling: 1_500))
    #expect(off.size == 1_500)
    var other = PathProbing(policy: .onBlackHole, ceiling: 1_500)
    check(other.move(ceiling: 1_300))
    #expect(!other.isSearching)
    check(!other.move(ceiling: 1_500))
    #expect(other.size == 1_300)
    #expect(other.isSearching)
    #expect(other.nextProbe == 1_500)
  }

  @Test("A connection that always probes begins with the base size", .rfc(4821, section: "7.2"))
  func always() {
    var probing = PathProbing(policy: .always, ceiling: 1_500)
    probing.begin(base: 1_200)
    #expect(probing.phase == .base)
    #expect(probing.size == 1_200)
    _ = probing.acknowledge(SequenceNumber(1), at: .zero, raiseAfter: raise)
    check(search(&probing, pathMTU: 1_500) == [1_500])
    var narrow = PathProbing(policy: .always, ceiling: 1_000)
    narrow.begin(base: 1_200)
    #expect(narrow.phase == .disabled)
    #expect(narrow.size == 1_000)
  }
}

/// An expectation whose value comes of a call that changes what it is called on.
private func check(_ value: Bool, at location: SourceLocation = #_sourceLocation) {
  #expect(value, sourceLocation: location)
}
