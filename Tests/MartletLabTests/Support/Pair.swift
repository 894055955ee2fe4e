import Martlet
import MartletCore
import MartletWire

@testable import MartletLab

/// Two hosts on one wire, and datagrams with numbers that go from the first to the second.
struct Pair {
  let world: World
  let left: VirtualHost
  let right: VirtualHost

  init(
    _ there: LinkDirection, back: LinkDirection = LinkDirection(), seed: UInt64 = 1,
    tuning: WorldDescription.Tuning = WorldDescription.Tuning(), schedule: [WorldDescription.ScheduledFault] = []
  ) throws {
    var description = WorldDescription("pair", seed: seed)
    description.host("left") { $0.tuning = tuning }
    description.host("right") { $0.tuning = tuning }
    description.wire(
      .init("left", addresses: ["192.0.2.1/24"]), .init("right", addresses: ["192.0.2.2/24"]), there: there, back: back,
      name: "line")
    description.schedule = schedule
    world = try World(description)
    left = try world.host("left")
    right = try world.host("right")
  }

  /// What became of a datagram.
  struct Arrival: Equatable {
    var number: Int
    var sentAt: Int64
    var arrivedAt: Int64
  }

  /// Sends `count` datagrams of `size` bytes, one each `gap`, and returns the frames of UDP that the wire carried.
  func send(_ count: Int, size: Int = 100, every gap: Duration = .milliseconds(1)) throws -> [Recording.Frame] {
    let (left, right) = (left, right)
    try world.runAndWait {
      // Neighbours first; what a lossy wire takes of it is asked for again.
      while (try? await left.ping("192.0.2.2", timeout: .seconds(2))) == nil {}
      let inbox = try right.bindUDP(on: 9)
      let outbox = try left.bindUDP()
      let start = left.loop.now
      for number in 0..<count {
        var bytes = [UInt8](repeating: 0, count: size)
        (bytes[0], bytes[1]) = (UInt8(number >> 8), UInt8(number & 0xff))
        try outbox.send(bytes, to: SocketAddress("192.0.2.2", port: 9))
        if gap > .zero {
          try await left.loop.clock.sleep(until: start.advanced(by: gap * (number + 1)))
        }
      }
      try await left.loop.clock.sleep(for: .seconds(5))
      _ = inbox
    }
    return world.finish().frames.filter { frame in
      let view = unsafe FrameView(frame.bytes.span.bytes)
      return view.protocol == .udp && frame.end == 0
    }
  }

  static func number(_ frame: Recording.Frame) -> Int { Int(frame.bytes[42]) << 8 | Int(frame.bytes[43]) }
}

extension Recording.Frame {
  var isLost: Bool { if case .lost = fate { true } else { false } }
  var lossReason: String? { if case .lost(let reason) = fate { reason } else { nil } }
}
