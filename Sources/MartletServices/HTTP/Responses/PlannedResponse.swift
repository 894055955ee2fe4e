import NIOCore
import NIOHTTP1

/// An answer before its first byte is sent.
struct PlannedResponse {
  /// A stretch of content.
  enum Piece {
    case bytes(ByteBuffer)
    case file(OpenFile, Range<Int64>)

    var count: Int64 {
      switch self {
      case .bytes(let buffer): Int64(buffer.readableBytes)
      case .file(_, let range): range.upperBound - range.lowerBound
      }
    }
  }

  var status: HTTPResponseStatus
  var headers = HTTPHeaders()
  /// What is sent; empty for HEAD, whose fields speak of it all the same.
  var pieces: [Piece] = []
  /// Whether the pieces are compressed on their way, so that nobody knows their length.
  var isCompressed = false
  /// Whether an HTTP/1 connection ends with this answer, because what follows may not be what it seems.
  var endsConnection = false
  /// The name of the site it is from, for the log; nil is the one of all other names, or none.
  var site: String?
}
