import MartletLab
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite("The page about a run")
struct HTMLReportTests {
  @Test("The same recording gives the same bytes")
  func sameBytes() {
    let first = HTMLReport(TransferFixture.recording()).bytes
    #expect(first == HTMLReport(TransferFixture.recording()).bytes)
    #expect(first != HTMLReport(TransferFixture.recording(losses: [])).bytes)
  }

  @Test("A text of a recording stays text, whatever it says")
  func hostileText() {
    var recording = TransferFixture.recording()
    recording.name = "</title><script>alert(1)</script>"
    recording.events[0].text = "</script><script>alert(2)</script>"
    recording.nodes[0].name = "<img src=x onerror=alert(3)>"
    let page = String(decoding: HTMLReport(recording).bytes, as: UTF8.self)
    #expect(page.contains("<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;</title>"))
    #expect(!page.contains("<script>alert"))
    #expect(!page.contains("<img"))
    #expect(page.contains(#"\u003c/script>\u003cscript>alert(2)\u003c/script>"#))
  }

  @Test("A page can keep only the beginning of each frame")
  func cutFrames() {
    let recording = TransferFixture.recording()
    let whole = HTMLReport(recording).bytes
    let cut = HTMLReport(recording, bytesPerFrame: 60).bytes
    // Forty segments of 1460 bytes, in base 64.
    #expect(whole.count - cut.count > 40 * 1_400 * 4 / 3)
  }

  /// `MARTLET_REPORTS=folder swift test --filter HTMLReportTests` leaves the pages there, for
  /// `scripts/report_check.py`.
  @Test("A page of ten thousand events is made and cuts its frames")
  func pages() throws {
    let small = TransferFixture.recording()
    let large = TransferFixture.recording(segments: 1_600, losses: [9, 200, 700])
    #expect(large.events.count > 10_000)
    let page = HTMLReport(large).bytes
    #expect(page.count < 6 << 20)
    guard let folder = unsafe getenv("MARTLET_REPORTS").map({ unsafe String(cString: $0) }) else { return }
    try small.writeReport(to: "\(folder)/small.html")
    try large.writeReport(to: "\(folder)/large.html")
    for format in Recording.Format.allCases { try small.write(format, to: "\(folder)/small.\(format.rawValue)") }
  }
}
