import MetricsTestKit
import NIOCore
import NIOEmbedded
import Testing

@testable import MartletServices

@Suite("Metrics")
struct MetricsTests {
  let directory = TemporaryDirectory()
  let metrics = TestMetrics()

  private func total(_ label: String, _ dimension: (String, String)? = nil) -> Int64 {
    let label = "martlet_http_" + label
    guard let dimension else { return metrics.counterTotal(label: label) }
    return metrics.counterTotal(label: label, dimensions: [dimension])
  }

  @Test("Answers are counted by class, with their bytes, copies and times")
  func answers() throws {
    directory.file("a", "hello")
    let conversation = try Conversation(directory) { $0.metrics = metrics }
    for target in ["/a", "/a", "/nowhere"] { _ = conversation.get(target) }
    #expect(total("connections") == 1)
    #expect(total("requests", ("status", "2xx")) == 2)
    #expect(total("requests", ("status", "4xx")) == 1)
    #expect(total("requests", ("status", "5xx")) == 0)
    #expect(total("copied_bytes") == 10)
    #expect(total("content_bytes") > 10)
    #expect(try metrics.expectTimer("martlet_http_request_duration").values.count == 3)
  }

  @Test("What a limit ends, and what is refused, is counted by its reason")
  func limits() throws {
    let service = try Conversation.service(directory) {
      $0.metrics = metrics
      $0.limits.connectionsPerAddress = 1
    }
    let first = try Conversation(service)
    _ = try Conversation(service)
    #expect(total("limits", ("limit", "connectionsPerAddress")) == 1)
    first.send("GET / HTTP/1.1\r\n\r\n")
    #expect(total("rejected_requests") == 1)
    first.advance(.seconds(60))
    let late = try Conversation(service)
    late.send("GET")
    late.advance(.seconds(60))
    #expect(total("limits", ("limit", "headerTime")) == 1)
  }

  @Test("A file that changes while it is sent is counted")
  func change() throws {
    directory.file("f", pattern(500_000))
    directory.touch("f", secondsSinceEpoch: 784_111_777)
    let conversation = try Conversation(directory) {
      $0.metrics = metrics
      $0.regionSize = 100_000
    }
    let hold = WriteHolder()
    hold.closesAfter = 2
    try conversation.channel.pipeline.syncOperations.addHandler(hold, position: .first)
    conversation.send("GET /f HTTP/1.1\r\nHost: a\r\n\r\n")
    directory.shrink("f", to: 10)
    hold.release()
    #expect(total("changed_files") == 1)
  }
}
