import Metrics

/// The counters of a server, for swift-metrics.
final class HTTPServerMetrics: Sendable {
  /// Why a connection was ended or refused by a limit.
  enum Limit: String, CaseIterable, Sendable {
    case connections
    case connectionsPerAddress
    case headerTime
    case contentTime
    case idleTime
    case rate
    case requests
  }

  private let requests: [Counter]
  private let bytes: Counter
  private let copiedBytes: Counter
  private let accepted: Counter
  private let changed: Counter
  private let rejected: Counter
  private let duration: Timer
  private let limits: [Counter]

  /// - Parameter factory: Makes the counters; nil is the one that the program set up.
  init(_ factory: (any MetricsFactory)? = nil) {
    let factory = factory ?? MetricsSystem.factory
    func counter(_ label: String, _ dimensions: [(String, String)] = []) -> Counter {
      Counter(label: "martlet_http_" + label, dimensions: dimensions, factory: factory)
    }
    requests = (1...5).map { counter("requests", [("status", "\($0)xx")]) }
    bytes = counter("content_bytes")
    copiedBytes = counter("copied_bytes")
    accepted = counter("connections")
    changed = counter("changed_files")
    rejected = counter("rejected_requests")
    duration = Timer(label: "martlet_http_request_duration", dimensions: [], factory: factory)
    limits = Limit.allCases.map { counter("limits", [("limit", $0.rawValue)]) }
  }

  func connected() { accepted.increment() }

  func reached(_ limit: Limit) {
    if let index = Limit.allCases.firstIndex(of: limit) { limits[index].increment() }
  }

  func answered(_ record: AccessRecord) {
    if (100..<600).contains(record.status) { requests[record.status / 100 - 1].increment() }
    bytes.increment(by: record.contentByteCount)
    if let copied = record.copiedByteCount { copiedBytes.increment(by: copied) }
    duration.recordMicroseconds(record.microseconds)
  }

  func rejectedRequest() { rejected.increment() }

  func fileChanged() { changed.increment() }
}
