import NIOHTTP1

/// Why a request is not even looked at: the answer to it, after which the connection ends.
struct RequestRejection: Error, Equatable, Sendable {
  var status: HTTPResponseStatus
  /// For the log and the page; says nothing that the client did not send.
  var reason: String

  init(_ status: HTTPResponseStatus, _ reason: String) {
    self.status = status
    self.reason = reason
  }
}
