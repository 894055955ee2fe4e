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
