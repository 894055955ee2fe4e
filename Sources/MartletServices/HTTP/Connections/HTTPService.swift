import NIOCore
import NIOHTTP1

/// What all connections of a server share.
final class HTTPService: Sendable {
  let configuration: HTTPFileServerConfiguration
  let responder: FileResponder
  let metrics: HTTPServerMetrics
  let connections: ConnectionRegistry
  let dateText = DateText()
  /// Nil keeps no answers.
  let answers: AnswerCache?

  init(_ configuration: HTTPFileServerConfiguration) throws(SystemFailure) {
    self.configuration = configuration
    responder = try FileResponder(configuration)
    metrics = HTTPServerMetrics(configuration.metrics)
    connections = ConnectionRegistry(limits: configuration.limits)
    answers = configuration.keepsAnswers ? AnswerCache() : nil
  }

  var limits: HTTPServerLimits { configuration.limits }

  /// An answer that was kept went out again, at once.
  func finished(_ answer: AnswerCache.Answer, client: String, at now: WallClock) {
    guard configuration.accessLog != nil else {
      metrics.answered(answer.record)
      return
    }
    var record = answer.record
    record.client = client
    record.time = now.date.secondsSinceEpoch
    finished(record)
  }

  func finished(_ record: AccessRecord) {
    metrics.answered(record)
    configuration.accessLog?(configuration.accessLogFormat.line(record))
  }
}
