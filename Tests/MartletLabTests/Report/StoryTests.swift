import MartletLab
import Testing

@Suite("What happened, told")
struct StoryTests {
  /// The frames that carry the first data segment from the server, or what else `condition` is true of.
  private func story(
    of recording: Recording, where condition: (Recording.Frame) -> Bool = { $0.bytes.count > 1_000 && $0.origin == nil }
  ) throws -> PacketStory {
    let frame = recording.frames.firstIndex(where: condition)
    return PacketStory(recording, frame: try #require(frame))
  }

  @Test("A packet's way has a step for each node and each link, in the order of time")
  func way() throws {
    let steps = try story(of: TransferFixture.recording()).steps
    #expect(
      steps.map(\.place) == [
        "server", "r2-server", "r2", "r1-r2", "r1", "s1-r1", "s1", "client-s1", "client",
      ])
    #expect(
      steps.map(\.kind) == [.sends, .link, .forwards, .link, .forwards, .link, .passes, .link, .receives])
    #expect(steps.map(\.time) == steps.map(\.time).sorted())
  }

  @Test("Routers take one from the time to live, and say what becomes of the checksum and of the stations")
  func router() throws {
    let steps = try story(of: TransferFixture.recording()).steps
    let lines = steps[2].lines
    #expect(lines.contains { $0.hasPrefix("HN  time to live 64 → 63, so the checksum 0x") })
    #expect(lines.contains { $0.hasPrefix("HL  a new one: from 02:4d:00:00:00:31 to 02:4d:00:00:00:22") })
    #expect(lines.contains { $0.hasPrefix("HT  and M are none of its business") })
    #expect(steps[6].lines.count == 1 && steps[6].lines[0].hasPrefix("HL  read, not changed"))
  }

  @Test("Whichever of its frames is asked about, a packet has one story")
  func anyFrame() throws {
    let recording = TransferFixture.recording()
    let story = try story(of: recording)
    #expect(story.frames.count == 4)
    for frame in story.frames { #expect(PacketStory(recording, frame: frame).steps == story.steps) }
    #expect(PacketStory(recording, frame: recording.frames.count).steps.isEmpty)
    #expect(PacketStory(recording, frame: -1).steps.isEmpty)
  }

  @Test("A packet that dies says where, and nobody receives it")
  func death() throws {
    let recording = TransferFixture.recording()
    let story = try story(of: recording) { if case .lost = $0.fate { true } else { false } }
    #expect(story.steps.last?.kind == .dies)
    #expect(story.steps.last?.place == "r1-r2")
    #expect(story.steps.last?.lines.last?.contains("✗ dies at") == true)
  }

  @Test("A loss is told with how it was noticed and when the bytes were there after all")
  func loss() throws {
    let recording = TransferFixture.recording()
    let losses = LossStory(recording, flow: 0).losses
    #expect(losses.count == 1)
    let loss = try #require(losses.first)
    #expect(loss.isMadeUpFor)
    #expect(loss.lines.first?.contains("✗ the segment with bytes") == true)
    #expect(loss.lines.last?.hasSuffix("the bytes are there") == true)
    let again = try #require(loss.again)
    #expect(recording.frames[again].departure > recording.frames[loss.frame].arrival)
  }

  @Test("Of what nobody asked about before, a scenario's packet tells the question and the answer")
  func question() throws {
    let recording = try #require(Scenario.named("encapsulation")).run().recording
    // The first echo request, for which everybody on its way has to ask.
    let story = try story(of: recording) { $0.bytes.count > 34 && $0.bytes[12] == 8 && $0.bytes[13] == 0 }
    let asking = story.steps.filter { $0.lines.contains { $0.contains("asks everybody (ARP)") } }
    #expect(asking.map(\.place) == ["client", "r1", "r2"])
    #expect(story.steps.last?.place == "server")
  }
}
