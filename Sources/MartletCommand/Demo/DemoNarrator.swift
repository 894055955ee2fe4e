import MartletLab

/// Tells what happened in the demonstration's world, in its order, and checks that it did.
struct DemoNarrator {
  let outcome: DemoWorld.Outcome
  var transcript: Transcript

  private var recording: Recording { outcome.recording }

  init(_ outcome: DemoWorld.Outcome, transcript: Transcript) {
    self.outcome = outcome
    self.transcript = transcript
  }

  mutating func tell() {
    open()
    knock()
    tellMessage()
    tellAnswer()
    tellFile()
    tellSummary()
  }

  private mutating func open() {
    transcript.remark(
      """
      An internet in this process: two hosts, two switches, two routers, and a link between the routers that loses frames.
      Its time is virtual and exact, and the same seed (\(recording.seed)) gives the same bytes.

        client ──── s1 ──── r1 ════════ r2 ──── s2 ──── server
        192.0.2.1   switch  192.0.2.254 198.51.100.254  198.51.100.2
                            203.0.113.1 203.0.113.2
        ──── 100 Mbit/s, 5 µs     ════ 10 Mbit/s, 10 ms, loses 1 % on the way out

      Every packet is M, what programs say, behind HT, the transport's header (TCP), behind HN, the network's (IP), behind HL,
      the link's (Ethernet). Hosts write all of them, routers read HN and replace HL, switches read HL, and change nothing.
      """)
  }

  // MARK: Scenes

  private mutating func knock() {
    transcript.section(
      "Knocking: the first packet, and who is where",
      "TCP opens with a SYN. Nobody knows anybody yet: each who has to send asks for its neighbour's station first (ARP)."
    )
    let story = PacketStory(recording, frame: first { Self.has("SYN", $0) && !Self.has("ACK", $0) } ?? -1)
    transcript.tell(story)
    let asked = story.steps.count { step in step.lines.contains { $0.contains("asks everybody (ARP)") } }
    transcript.check(asked >= 2, "\(asked) nodes on its way had to ask where the next one is")
    let states = recording.events.filter { $0.kind == "state" && $0.text.hasSuffix("ESTABLISHED") }
    let opened = states.first { recording.nodes[$0.node].name == "client" }
    transcript.check(
      opened != nil, "SYN, SYN ACK, ACK: the client's connection is open after \(milliseconds(opened?.time ?? 0))")
  }

  private mutating func tellMessage() {
    transcript.section(
      "\"\(DemoWorld.message)\" on its way out", "The same way, and now everybody knows where everybody is.")
    tell(saying: DemoWorld.message, to: "server", "the message")
  }

  private mutating func tellAnswer() {
    transcript.section("\"\(outcome.answer)\" on its way back", "The server's program writes it in capitals.")
    tell(saying: DemoWorld.message.uppercased(), to: "client", "the answer")
    transcript.check(outcome.answer == DemoWorld.message.uppercased(), "the client reads \"\(outcome.answer)\"")
  }

  /// The way of the last packet that says `text`, and what has to be true of it.
  private mutating func tell(saying text: String, to host: String, _ name: String) {
    let story = PacketStory(recording, frame: last { Self.ends($0, with: text) } ?? -1)
    transcript.tell(story)
    let frames = story.frames.map { recording.frames[$0].bytes }
    guard frames.count == 5, frames.allSatisfy({ $0.count == frames[0].count && $0.count > 34 }) else {
      return transcript.check(false, "\(name) took five links (it took \(frames.count))")
    }
    transcript.check(
      story.steps.last?.place == host && story.steps.last?.kind == .receives, "\(name) took five links to the \(host)")
    transcript.check(frames[0] == frames[1] && frames[3] == frames[4], "the switches changed nothing")
    let times = frames.map { $0[22] }
    transcript.check(
      times[2] == times[1] - 1 && times[3] == times[2] - 1,
      "each router took one from its time to live: \(times[0]), \(times[2]), \(times[3])")
    transcript.check(
      frames[1].prefix(12) != frames[2].prefix(12) && frames[2].prefix(12) != frames[3].prefix(12),
      "each router wrote both stations anew")
    transcript.check(
      frames.allSatisfy { $0.suffix($0.count - 34) == frames[0].suffix(frames[0].count - 34) },
      "nobody touched a bit of HT and M")
  }

  private mutating func tellFile() {
    transcript.section(
      "A file over the lossy link",
      "\(DemoWorld.fileByteCount) bytes, in segments of up to 1,460. What dies is noticed by what does not come back.")
    var repaired = 0
    var lost = 0
    for flow in recording.flows.indices {
      for loss in LossStory(recording, flow: flow).losses {
        transcript.lines(loss.lines, "loss")
        lost += 1
        if loss.isMadeUpFor { repaired += 1 }
      }
    }
    transcript.check(lost > 0, "\(lost) \(lost == 1 ? "packet" : "packets") died")
    transcript.check(repaired == lost, "TCP made up for \(repaired) of \(lost)")
    transcript.check(
      outcome.isFileWhole && outcome.receivedByteCount == DemoWorld.fileByteCount,
      "the server has all \(outcome.receivedByteCount) bytes, in order, each once")
  }

  private mutating func tellSummary() {
    transcript.section("What it comes to")
    let summary = RunSummary(recording)
    var links = Table("link", "frames", "bytes", "lost", "busy there", "back", "most waiting")
    for link in summary.links {
      let busy = link.busy.map { fixed($0 * 100, 1) + " %" }
      links.add(
        link.name, "\(link.frames)", "\(link.bytes)", "\(link.lost)", busy.first ?? "", busy.last ?? "",
        "\(link.mostWaiting)")
    }
    transcript.table(links, "Links", kind: "link", host: recording.name)
    var flows = Table("flow", "packets", "lost", "again", "bytes there", "back", "goodput")
    for flow in summary.flows {
      flows.add(
        flow.name, "\(flow.packets)", "\(flow.lost)", "\(flow.retransmissions)", "\(flow.toServer)", "\(flow.toClient)",
        rateText(flow.goodput))
    }
    transcript.table(flows, "Flows", kind: "flow", host: recording.name)
  }

  // MARK: Packets

  private func first(_ condition: ([UInt8]) -> Bool) -> Int? { recording.frames.firstIndex { condition($0.bytes) } }

  private func last(_ condition: ([UInt8]) -> Bool) -> Int? {
    recording.frames.lastIndex { $0.fate == .delivered && condition($0.bytes) }
  }

  private static func has(_ flag: String, _ frame: [UInt8]) -> Bool {
    guard frame.count >= 54, frame[12] == 8, frame[13] == 0, frame[23] == 6 else { return false }
    return frame[47] & (flag == "SYN" ? 2 : 16) != 0
  }

  private static func ends(_ frame: [UInt8], with text: String) -> Bool {
    frame.count > 54 && Array(frame.suffix(text.utf8.count)) == Array(text.utf8)
  }
}

/// Nanoseconds as milliseconds, with as many digits as a reader needs: "40.123 ms".
func milliseconds(_ nanoseconds: Int64) -> String { "\(fixed(Double(nanoseconds) / 1e6, 3)) ms" }
