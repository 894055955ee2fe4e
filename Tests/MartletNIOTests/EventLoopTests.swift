import Martlet
import MartletNIO
import NIOCore
import Testing

@Suite struct EventLoopTests {
  @Test("A loop has one event loop, and a handler runs on the loop's thread")
  func oneEventLoop() async throws {
    let loop = Loop()
    let eventLoop = loop.eventLoop
    #expect(eventLoop === loop.eventLoop)
    #expect(!eventLoop.inEventLoop)
    #expect(try await eventLoop.submit { eventLoop.inEventLoop && loop.isCurrent }.get())
    loop.shutdown()
  }

  @Test("A task for tomorrow runs at once in virtual time, at its time")
  func virtualTime() async throws {
    let loop = Loop(.virtual(seed: 1))
    let eventLoop = loop.eventLoop
    let time = try await loop.run {
      try await eventLoop.scheduleTask(in: .hours(24)) { eventLoop.now }.futureResult.get()
    }
    #expect(time == .uptimeNanoseconds(86_400_000_000_000))
    loop.shutdown()
  }
}
