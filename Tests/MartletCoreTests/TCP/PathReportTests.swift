import MartletWire
import Testing

@testable import MartletCore

@Suite("TCP: what ICMP says", .bothVersions)
struct TCPPathReportTests {
  private static let unreachable = SocketError.unreachable(by: "198.51.100.1")

  @Test("A refusal ends an open that is not answered yet", .rfc(9293, "SHLD-26"), .rfc(9293, "MUST-54"))
  func hardInSynSent() {
    let t = TCPScript(.connecting())
    t.change { _ in }
    t.change { $0.receive(.hard(.refused), quoted: TCPScript.localBase, at: .zero) }
    t.expectError(.refused)
  }

  @Test(
    "An established connection only notes it", .rfc(9293, "MUST-56"), .rfc(9293, "MUST-47"), .rfc(9293, "SHLD-25"),
    .rfc(5927, section: "5.2"), arguments: [true, false])
  func established(isHard: Bool) {
    let t = TCPScript()
    t.write(100)
    t.change {
      let report = isHard ? TCPPathReport.hard(Self.unreachable) : .soft(Self.unreachable)
      let believed = $0.receive(report, quoted: TCPScript.localBase + 1, at: .zero)
      #expect(believed)
    }
    t.expectState(.established)
    #expect(t.softError == Self.unreachable)
    #expect(t.changes().contains(.softError))
  }

  @Test(
    "A message that quotes nothing in flight is not believed", .rfc(5927, section: "4.1"),
    arguments: [-1, 0, 101, 5_000])
  func notInFlight(place: Int) {
    let t = TCPScript()
    t.write(100)
    t.change {
      let believed = $0.receive(.soft(Self.unreachable), quoted: TCPScript.localBase + place, at: .zero)
      #expect(!believed)
    }
    #expect(t.softError == nil)
  }

  @Test("A packet that was too big is sent again in smaller ones, and cwnd stays", .rfc(9293, "SHLD-6"))
  func tooBig() {
    let t = TCPScript(.established(mss: 1_460))
    t.write(2_920)
    t.expect(.data(seq: 1, count: 1_460), .data(seq: 1_461, count: 1_460))
    let window = t.info.congestionWindow
    t.change {
      $0.receive(
        .packetTooBig(mtu: 1_300 + (t.setup.version == .v4 ? 40 : 60), packetByteCount: 1_500),
        quoted: TCPScript.localBase + 1, at: .zero)
    }
    t.expect(.data(seq: 1, count: 1_300), .data(seq: 1_301, count: 1_300), .data(seq: 2_601, count: 320))
    #expect(t.info.congestionWindow == window)
    // A larger size is not believed.
    t.change {
      let believed = $0.receive(
        .packetTooBig(mtu: 9_000, packetByteCount: 9_500), quoted: TCPScript.localBase + 1, at: .zero)
      #expect(!believed)
    }
  }
}
