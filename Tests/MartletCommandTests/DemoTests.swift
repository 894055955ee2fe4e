import MartletLab
import Testing

@testable import MartletCommand

@Suite("The demonstration")
struct DemoTests {
  @Test("Everything in it comes out as told, whatever chance does", arguments: 1...20 as ClosedRange<UInt64>)
  func seeds(_ seed: UInt64) throws {
    let outcome = try DemoWorld(seed: seed).play()
    #expect(outcome.answer == "HELLO, INTERNET!")
    #expect(outcome.isFileWhole && outcome.receivedByteCount == DemoWorld.fileByteCount)
    var narrator = DemoNarrator(outcome, transcript: Transcript(isSilent: true))
    narrator.tell()
    #expect(narrator.transcript.failures == [])
    #expect(narrator.transcript.checkCount >= 15)
  }

  @Test("The same seed leaves the same behind, another does not")
  func determinism() throws {
    let one = try DemoWorld(seed: 7).play().recording
    #expect(one == (try DemoWorld(seed: 7).play().recording))
    #expect(one != (try DemoWorld(seed: 8).play().recording))
  }

  @Test("What did not happen is found out")
  func failures() throws {
    var outcome = try DemoWorld().play()
    outcome.answer = "hello, internet!"
    outcome.receivedByteCount -= 1
    outcome.recording.frames.removeAll { if case .lost = $0.fate { true } else { false } }
    var narrator = DemoNarrator(outcome, transcript: Transcript(isSilent: true))
    narrator.tell()
    #expect(narrator.transcript.failures.count >= 3)
  }

  @Test("Words are wrapped between words, and none is lost")
  func wrapping() {
    let words = (1...60).map { "word\($0)" }.joined(separator: " ")
    let lines = Transcript.wrapped(words, to: 40)
    #expect(lines.allSatisfy { $0.count <= 40 && !$0.isEmpty })
    #expect(lines.joined(separator: " ") == words)
    #expect(Transcript.wrapped("", to: 40) == [""])
  }
}
