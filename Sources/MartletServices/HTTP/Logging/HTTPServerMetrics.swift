import Metrics

/// The counters of a server, in swift-metrics' registry, and as numbers of its own for those who have none.
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
  private let bytes = Counter(label: "martlet_http_content_bytes")
  private let copiedBytes = Counter(label: "martlet_http_copied_bytes")
  private let accepted = Counter(label: "martlet_http_connections")
  private let changed = Counter(label: "martlet_http_changed_files")
  private let rejected = Counter(label: "martlet_http_rejected_requests")
  private let duration = Timer(label: "martlet_http_request_duration")
  private let limits: [Counter]

  init() {
    requests = (1...5).map { Counter(label: "martlet_http_requests", dimensions: [("status", "\($0)xx")]) }
    limits = Limit.allCases.map { Counter(label: "martlet_http_limits", dimensions: [("limit", $0.rawValue)]) }
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
