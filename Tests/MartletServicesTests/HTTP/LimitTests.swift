import NIOCore
import NIOEmbedded
import Testing

@testable import MartletServices

@Suite("Slow and greedy clients")
struct LimitTests {
  let directory = TemporaryDirectory()

  init() { directory.file("a", "hello") }

  @Test("A header that does not end in time is 408")
  func slowHeader() throws {
    let conversation = try Conversation(directory) { $0.limits.headerTime = .seconds(5) }
    conversation.send("GET /a HTTP/1.1\r\nHost:")
    for _ in 0..<4 {
      conversation.advance(.seconds(1))
      conversation.send(" ")
    }
    #expect(conversation.isOpen)
    conversation.advance(.seconds(2))
    #expect(conversation.answers().first?.status == 408)
    #expect(!conversation.isOpen)
  }

  @Test("A content that does not end in time is 408")
  func slowContent() throws {
    let conversation = try Conversation(directory) { $0.limits.contentTime = .seconds(5) }
    conversation.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
    conversation.advance(.seconds(4))
    #expect(conversation.isOpen)
    conversation.advance(.seconds(2))
    #expect(conversation.answers().first?.status == 408)
    #expect(!conversation.isOpen)
  }

  @Test("A connection that asks for nothing is closed without a word")
  func silence() throws {
    let conversation = try Conversation(directory) { $0.limits.headerTime = .seconds(5) }
    conversation.advance(.seconds(6))
    #expect(!conversation.isOpen)
    #expect(conversation.bytes().isEmpty)
  }

  @Test("A connection that is kept is closed when it has been idle for too long")
  func idle() throws {
    let conversation = try Conversation(directory) { $0.limits.idleTime = .seconds(30) }
    for _ in 0..<3 {
      #expect(conversation.get("/a")?.status == 200)
      conversation.advance(.seconds(29))
      #expect(conversation.isOpen)
    }
    conversation.advance(.seconds(2))
    #expect(!conversation.isOpen)
  }

  @Test("The last request that a connection may send is answered with close")
  func requestCount() throws {
    let conversation = try Conversation(directory) { $0.limits.requestsPerConnection = 2 }
    #expect(conversation.get("/a")?["connection"] == nil)
    #expect(conversation.get("/a")?["connection"] == "close")
    #expect(!conversation.isOpen)
  }

  @Test("More connections than allowed, in total or from one address, are closed at once")
  func connections() throws {
    for change in [
      { (limits: inout HTTPServerLimits) in limits.connections = 2 }, { $0.connectionsPerAddress = 2 },
    ] as [(inout HTTPServerLimits) -> Void] {
      let server = try Conversation.service(directory) { change(&$0.limits) }
      let first = try Conversation(server)
      let second = try Conversation(server)
      let third = try Conversation(server)
      #expect(first.isOpen && second.isOpen)
      #expect(!third.isOpen)
      _ = first.get("/a", "Connection: close")
      first.advance(.zero)
      let fourth = try Conversation(server)
      #expect(fourth.get("/a")?.status == 200)
    }
  }

  @Test("No more of a file is read than the connection takes")
  func backPressure() throws {
    directory.file("big", pattern(10_000_000))
    let conversation = try Conversation(directory)
    conversation.channel.isWritable = false
    conversation.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
    // The head alone.
    #expect(conversation.bytes().count < 1_000)
    // While the answer waits nothing more is read.
    conversation.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(conversation.bytes().isEmpty)
    conversation.channel.isWritable = true
    conversation.channel.pipeline.fireChannelWritabilityChanged()
    #expect(conversation.bytes().count > 10_000_000)
  }

  @Test("A client that stops reading is cut off")
  func stalled() throws {
    directory.file("big", pattern(1_000_000))
    let conversation = try Conversation(directory) {
      $0.limits.stallTime = .seconds(20)
      $0.limits.minimumRate = 100_000
    }
    let hold = WriteHolder()
    try conversation.channel.pipeline.syncOperations.addHandler(hold, position: .first)
    conversation.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
    conversation.advance(.seconds(19))
    #expect(conversation.isOpen)
    conversation.advance(.seconds(15))
    #expect(!conversation.isOpen)
    #expect(conversation.accessLog.count == 1)
  }

  @Test("A server that stops finishes what is asked for and takes nothing more")
  func quiescing() throws {
    let conversation = try Conversation(directory)
    conversation.channel.isWritable = false
    conversation.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    conversation.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    #expect(conversation.isOpen)
    conversation.channel.isWritable = true
    conversation.channel.pipeline.fireChannelWritabilityChanged()
    #expect(conversation.answers().first?.text == "hello")
    #expect(!conversation.isOpen)
    let idle = try Conversation(directory)
    _ = idle.get("/a")
    idle.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    #expect(!idle.isOpen)
  }

  @Test("A client that closes its half after a request gets the answer, then the end")
  func halfClose() throws {
    let conversation = try Conversation(directory)
    conversation.channel.isWritable = false
    conversation.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    conversation.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    conversation.channel.isWritable = true
    conversation.channel.pipeline.fireChannelWritabilityChanged()
    #expect(conversation.answers().first?.text == "hello")
    #expect(!conversation.isOpen)
  }
}

@Suite("Files that change while they are sent")
struct ChangingFileTests {
  let directory = TemporaryDirectory()

  /// Begins an answer, changes the file, and goes on; what arrived.
  private func answer(region: Int, _ change: (TemporaryDirectory) -> Void) throws -> (Answer, isOpen: Bool) {
    directory.file("f", pattern(500_000))
    directory.touch("f", secondsSinceEpoch: 784_111_777)
    let conversation = try Conversation(directory) { $0.regionSize = region }
    let hold = WriteHolder()
    hold.closesAfter = 2
    try conversation.channel.pipeline.syncOperations.addHandler(hold, position: .first)
    conversation.send("GET /f HTTP/1.1\r\nHost: a\r\n\r\n")
    change(directory)
    hold.release()
    var bytes = conversation.bytes()[...]
    return (try #require(Answer(&bytes, method: "GET")), conversation.isOpen)
  }

  @Test("A file that shrinks ends the connection and the answer is not whole", arguments: [100_000, 1_000_000])
  func shrinks(region: Int) throws {
    let (answer, isOpen) = try answer(region: region) { $0.shrink("f", to: 200_000) }
    #expect(!answer.isComplete)
    #expect(!isOpen)
    let isPrefix = answer.content == Array(pattern(500_000).prefix(answer.content.count))
    #expect(isPrefix)
  }

  @Test("A file that is written over is never mixed", arguments: [100_000, 1_000_000])
  func changes(region: Int) throws {
    let (answer, isOpen) = try answer(region: region) { $0.file("f", [UInt8](repeating: 255, count: 500_000)) }
    #expect(!answer.isComplete)
    #expect(!isOpen)
    let isOld = !answer.content.contains(255)
    #expect(isOld)
  }

  @Test("A file that is replaced goes on as it was")
  func replaced() throws {
    let (answer, _) = try answer(region: 100_000) { directory in
      directory.file("new", "new")
      directory.rename("new", to: "f")
    }
    let isWhole = answer.content == pattern(500_000)
    #expect(isWhole)
  }
}

/// A connection that takes nothing until it is told to.
final class WriteHolder: ChannelOutboundHandler {
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  /// After how many writes the channel says that it is full.
  var closesAfter = Int.max
  private var held: [(NIOAny, EventLoopPromise<Void>?)] = []
  private var context: ChannelHandlerContext?
  private var isReleased = false

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) {
    for (_, promise) in held { promise?.fail(ChannelError.ioOnClosedChannel) }
    held = []
    self.context = nil
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if isReleased {
      context.write(data, promise: promise)
      return
    }
    held.append((data, promise))
    if held.count >= closesAfter { (context.channel as? EmbeddedChannel)?.isWritable = false }
  }

  func release() {
    guard let context else { return }
    isReleased = true
    for (data, promise) in held { context.write(data, promise: promise) }
    held = []
    (context.channel as? EmbeddedChannel)?.isWritable = true
    context.flush()
    context.pipeline.fireChannelWritabilityChanged()
  }
}
