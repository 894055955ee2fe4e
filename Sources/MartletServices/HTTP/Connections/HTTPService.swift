import Glibc
import NIOCore
import NIOHTTP1

/// What all connections of a server share.
final class HTTPService: Sendable {
  let configuration: HTTPFileServerConfiguration
  let responder: FileResponder
  let metrics: HTTPServerMetrics
  let connections: ConnectionRegistry

  init(_ configuration: HTTPFileServerConfiguration) throws(SystemFailure) {
    self.configuration = configuration
    responder = try FileResponder(configuration)
    metrics = HTTPServerMetrics(configuration.metrics)
    connections = ConnectionRegistry(limits: configuration.limits)
  }

  var limits: HTTPServerLimits { configuration.limits }

  /// The date of answers and of the log, which is the system's and not a loop's.
  static var now: HTTPDate {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return HTTPDate(secondsSinceEpoch: Int64(time.tv_sec))
  }

  func finished(_ record: AccessRecord) {
    metrics.answered(record)
    configuration.accessLog?(configuration.accessLogFormat.line(record))
  }
}
