import Martlet
import MartletNIO
import NIOCore
import NIOHTTP1

/// Sends one answer after the other through a pipeline, as fast as the connection takes it and no faster.
///
/// A file is read, or handed over by reference, only while the channel is writable, so that what waits for a slow client is
/// bounded by the channel's high-water mark and one chunk.
final class ResponseSender {
  /// How the connection does what an answer needs.
  struct Transport {
    /// Whether regions of files can be written: a plain connection.
    var takesRegions: Bool
    /// `HTTP/1.1`, for the log.
    var version: String
    var client: String
  }

  enum Ending {
    /// The last byte was written, though perhaps not yet taken.
    case complete
    /// The connection has to end: the answer cannot be finished.
    case broken
  }

  private let service: HTTPService
  private let transport: Transport
  private let channel: any Channel
  /// What the connection counts, where it is this sender's alone.
  private let measures: (any ConnectionMeasures)?
  /// Whose calendar dates the answers; nil is the system's.
  private let host: VirtualHost?
  private var cursor: BodyCursor?
  private var compressor: GzipStream?
  private var onEnd: ((Ending) -> Void)?
  private var record: AccessRecord?
  private var began = NIODeadline.distantPast
  private var unsettledWrites = 0
  private var unsettledBytes = 0
  private var writtenBytes = 0
  /// How much had been taken when progress was last looked for, and how much has to be by the next time.
  private var takenAtMark = 0
  private var dueBytes = 0
  /// What the connection had sent and copied of files before the answer under way.
  private var statisticsBefore = TransferStatistics()
  /// Which answer is under way, and how much of its content was taken, all of it and of its regions.
  private var answerNumber = 0
  private var settledContent: Int64 = 0
  private var settledRegions: Int64 = 0
  private var isPumping = false
  private var timer: DeadlineTimer?

  init(_ service: HTTPService, transport: Transport, channel: any Channel) {
    self.service = service
    self.transport = transport
    self.channel = channel
    measures = channel as? any ConnectionMeasures
    host = channel.virtualHost
  }

  /// What the calendar says.
  var now: WallClock { host.map { WallClock(nanoseconds: $0.timeOfDay) } ?? WallClock.now }

  /// Whether time is virtual, and nothing may depend on the system's.
  var isTimeVirtual: Bool { host?.loop.isVirtual == true }

  var isBusy: Bool { onEnd != nil }

  /// Whether the connection has taken everything that was written.
  var isSettled: Bool { unsettledWrites == 0 }

  /// Called when the connection has taken everything that was written.
  var whenSettled: (() -> Void)?

  /// The value of Server.
  static let serverName = "Martlet"

  /// Writes `answer`; `onEnd` is called once, when its end was written.
  func send(
    _ answer: PlannedResponse, to request: HTTPRequestHead?, closes: Bool, context: ChannelHandlerContext,
    onEnd: @escaping (Ending) -> Void
  ) {
    let now = self.now.date
    began = channel.eventLoop.now
    statisticsBefore = measures?.fileTransferStatistics ?? TransferStatistics()
    answerNumber += 1
    (settledContent, settledRegions) = (0, 0)
    self.onEnd = onEnd
    record = record(of: request, answer, at: now)
    var head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: answer.headers)
    head.headers.add(name: "Date", value: service.dateText.text(of: now))
    head.headers.add(name: "Server", value: Self.serverName)
    if closes {
      head.headers.add(name: "Connection", value: "close")
    } else if request?.version == .http1_0 {
      head.headers.add(name: "Connection", value: "keep-alive")
    }
    let configuration = service.configuration
    if answer.isCompressed && !answer.pieces.isEmpty {
      compressor = GzipStream()
      if transport.version.hasPrefix("HTTP/1") { head.headers.add(name: "Transfer-Encoding", value: "chunked") }
    }
    cursor = BodyCursor(
      answer.pieces,
      sizes: BodyCursor.Sizes(
        chunk: configuration.chunkSize, region: configuration.regionSize, tail: configuration.checkedTailSize),
      usesRegions: transport.takesRegions && !answer.isCompressed)
    writePart(.head(head), count: 0, context)
    pump(context)
  }

  /// What the log says of an answer before it is sent.
  func record(of request: HTTPRequestHead?, _ answer: PlannedResponse, at now: HTTPDate) -> AccessRecord {
    AccessRecord(
      client: transport.client, time: now.secondsSinceEpoch, method: request?.method.rawValue ?? "-",
      target: request?.uri ?? "-", version: transport.version, host: request?.headers.first(name: "host"),
      site: answer.site, status: Int(answer.status.code), referrer: request?.headers.first(name: "referer"),
      userAgent: request?.headers.first(name: "user-agent"))
  }

  /// Writes an answer that was kept, past the encoder: `context` is that of the handler behind which the connection begins.
  func send(_ kept: AnswerCache.Answer, at now: WallClock, past context: ChannelHandlerContext) {
    answerNumber += 1
    write(kept.bytes, count: kept.bytes.readableBytes, context)
    context.flush()
    service.finished(kept, client: transport.client, at: now)
  }

  /// Goes on, if it can.
  func pump(_ context: ChannelHandlerContext) {
    guard !isPumping, cursor != nil else { return }
    isPumping = true
    var ending: Ending?
    var goesOn = true
    // A flush may take everything at once and tell so while this still runs: it asks again instead of listening.
    while goesOn && ending == nil {
      (goesOn, ending) = fill(context)
      context.flush()
      goesOn = goesOn && channel.isWritable && cursor != nil
    }
    isPumping = false
    // The next answer may begin in here.
    if let ending { end(ending, context) }
  }

  /// Writes as much as the channel takes: whether there may be more to write once it was flushed, and how it ended.
  private func fill(_ context: ChannelHandlerContext) -> (goesOn: Bool, ending: Ending?) {
    while let chunk = nextChunk() {
      switch chunk {
      case .bytes(let bytes):
        if let compressor {
          let output = compressor.compress(bytes, isLast: false, allocator: channel.allocator)
          if output.readableBytes > 0 { writePart(.body(.byteBuffer(output)), count: output.readableBytes, context) }
        } else {
          writePart(.body(.byteBuffer(bytes)), count: bytes.readableBytes, context)
        }
      case .region(let region, let file):
        writePart(.body(.fileRegion(region)), count: region.readableBytes, keeping: file, context)
      case .wait:
        context.flush()
        // What was flushed may have been taken at once.
        if unsettledWrites > 0 { return (false, nil) }
      case .changed:
        service.metrics.fileChanged()
        return (false, .broken)
      case .end:
        if let compressor {
          let rest = compressor.compress(ByteBuffer(), isLast: true, allocator: channel.allocator)
          writePart(.body(.byteBuffer(rest)), count: rest.readableBytes, context)
        }
        record?.copiedByteCount = copiedByteCount
        cursor = nil
        compressor = nil
        writePart(.end(nil), count: 0, context)
        return (false, .complete)
      }
    }
    return (true, nil)
  }

  /// What this answer's files had copied of them, by the cursor and by the connection.
  private var copiedByteCount: Int64 {
    let byConnection = (measures?.fileTransferStatistics.bytesCopied ?? 0) - statisticsBefore.bytesCopied
    return (cursor?.copiedByteCount ?? 0) + Int64(clamping: byConnection)
  }

  /// How much content went out of an answer that is broken off, perhaps in the middle of a region.
  private var takenContent: Int64 {
    let sent = (measures?.fileTransferStatistics.bytesSent ?? 0) - statisticsBefore.bytesSent
    return settledContent + max(0, Int64(clamping: sent) - settledRegions)
  }

  private func nextChunk() -> BodyCursor.Chunk? {
    // The end itself needs no room; anything else does.
    guard channel.isWritable else { return nil }
    return cursor?.next(isSettled: unsettledWrites == 0, allocator: channel.allocator)
  }

  private func writePart(
    _ part: HTTPServerResponsePart, count: Int, keeping file: OpenFile? = nil, _ context: ChannelHandlerContext
  ) {
    if count > 0 { record?.contentByteCount += Int64(count) }
    write(part, count: count, keeping: file, context)
  }

  private func write<Part: Sendable>(
    _ part: Part, count: Int, keeping file: OpenFile? = nil, _ context: ChannelHandlerContext
  ) {
    let wasSettled = isSettled
    unsettledWrites += 1
    unsettledBytes += count
    writtenBytes += count
    if wasSettled { expectProgress(context) }
    let answer = answerNumber
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenComplete { result in
      if case .success = result, answer == self.answerNumber {
        self.settledContent += Int64(count)
        // The region names the file's descriptor, which has to live until here.
        if file != nil { self.settledRegions += Int64(count) }
      }
      self.settled(count, result, context)
    }
    context.write(NIOAny(part), promise: promise)
  }

  private func settled(_ count: Int, _ result: Result<Void, any Error>, _ context: ChannelHandlerContext) {
    unsettledWrites -= 1
    unsettledBytes -= count
    if case .failure = result {
      if isBusy { end(.broken, context) }
      return
    }
    if isSettled {
      timer?.clear()
      whenSettled?()
    } else if measures == nil {
      expectProgress(context)
    }
    pump(context)
  }

  /// The most that is waited for at once, in bytes.
  private static let largestDue = 65_536

  /// The client has to take something before a moment that depends on how much there is to take.
  private func expectProgress(_ context: ChannelHandlerContext) {
    let limits = service.limits
    let timer =
      self.timer
      ?? DeadlineTimer(on: context.eventLoop) { [weak self] in
        guard let self else { return }
        if takenBytes - takenAtMark >= max(1, dueBytes) { return expectProgress(context) }
        service.metrics.reached(.rate)
        if isBusy { end(.broken, context) } else { context.close(promise: nil) }
      }
    self.timer = timer
    takenAtMark = takenBytes
    dueBytes = min(writtenBytes - takenAtMark, Self.largestDue)
    let seconds = limits.minimumRate > 0 ? Double(dueBytes) / Double(limits.minimumRate) : 0
    timer.set(after: limits.stallTime + .seconds(seconds))
  }

  /// How much the client has, as far as it is known here. A stream of HTTP/2 knows of whole writes alone.
  private var takenBytes: Int { writtenBytes - (measures?.unacknowledgedByteCount ?? unsettledBytes) }

  private func end(_ ending: Ending, _ context: ChannelHandlerContext) {
    guard let onEnd else { return }
    self.onEnd = nil
    if var record {
      if cursor != nil { record.copiedByteCount = copiedByteCount }
      record.isComplete = ending == .complete
      if ending == .broken { record.contentByteCount = takenContent }
      record.microseconds = (context.eventLoop.now - began).nanoseconds / 1_000
      service.finished(record)
    }
    record = nil
    cursor = nil
    compressor = nil
    onEnd(ending)
  }

  /// The channel is gone: nothing more will be written.
  func channelInactive(_ context: ChannelHandlerContext) {
    end(.broken, context)
    timer?.cancel()
    timer = nil
  }
}
