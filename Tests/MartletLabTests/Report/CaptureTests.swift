import MartletLab
import MartletWire
import Testing

@Suite("A run as a capture")
struct CaptureTests {
  private func read(_ bytes: [UInt8]) throws -> (interfaces: [PcapngInterface], packets: [PcapngPacket]) {
    var reader = try PcapngReader(bytes)
    var packets: [PcapngPacket] = []
    while let packet = try reader.next() { packets.append(packet) }
    return (reader.interfaces, packets)
  }

  @Test("Every interface has a block with its host's name")
  func interfaces() throws {
    let (interfaces, _) = try read(Capture(TransferFixture.recording()).bytes)
    #expect(
      interfaces.map(\.name) == [
        "client/eth0", "s1/p1", "s1/p2", "r1/eth0", "r1/eth1", "r2/eth0", "r2/eth1", "server/eth0",
      ])
    #expect(interfaces[4].speed == 5_000_000)
    #expect(interfaces[0].macAddress == "02:4d:00:00:00:01")
  }

  @Test("A frame stands where it left and where it arrived, in the order of time")
  func sightings() throws {
    let recording = TransferFixture.recording()
    let (_, packets) = try read(Capture(recording).bytes)
    let lost = recording.frames.count { $0.fate != .delivered }
    #expect(lost == 1)
    #expect(packets.count == 2 * recording.frames.count - lost)
    #expect(zip(packets, packets.dropFirst()).allSatisfy { ($0.timestamp ?? 0) <= ($1.timestamp ?? 0) })
    #expect(packets[0].timestamp == Capture.virtualEpoch)
    let (_, left) = try read(Capture(recording, at: .senders).bytes)
    #expect(left.count == recording.frames.count)
    let (_, client) = try read(Capture(recording, at: .node(0)).bytes)
    #expect(!client.isEmpty && client.allSatisfy { $0.interface == 0 })
  }

  @Test("Comments say why a frame died and why one was sent again")
  func comments() throws {
    let (_, packets) = try read(Capture(TransferFixture.recording()).bytes)
    let comments = packets.flatMap(\.options.comments)
    #expect(comments.contains { $0.hasPrefix("lost on r1-r2 at ") && $0.hasSuffix(" s: loss") })
    #expect(comments.contains("retransmission: three duplicate acknowledgments"))
    #expect(comments.contains { $0.hasPrefix("because of event #") && $0.contains("three duplicate acknowledgments") })
  }
}
