import Martlet
import MartletCore
import MartletLab
import MartletWire

/// N senders – router – bottleneck – router – N receivers, all flows at work at once. `Benchmarks/Peers/ns3` is the same.
struct LabDumbbell {
  enum Transport: String {
    /// One flow a pair that sends as fast as it may.
    case tcp
    /// One flow a pair at a constant rate, a fifth more together than the bottleneck carries.
    case udp
  }

  var transport: Transport
  /// Of virtual time.
  var seconds: Int
  var pairs = 10
  var accessRate: UInt64 = 100_000_000
  var accessDelay = 1_000
  var rate: UInt64 = 200_000_000
  var delay = 10_000
  /// What waits before the bottleneck, the frame on the line not counted.
  var queueFrames = 400
  /// Bits of payload a second of one flow of datagrams.
  var datagramRate: UInt64 = 24_000_000

  private static let port: UInt16 = 5_001
  private static let datagramByteCount = 1_000
  private static let block = [UInt8]((0..<64_000).map { UInt8(truncatingIfNeeded: $0) })

  private var description: WorldDescription {
    var world = WorldDescription("dumbbell")
    world.router("left")
    world.router("right")
    let access = LinkDirection(rate: accessRate, delay: .microseconds(accessDelay))
    let queue = LinkDirection.Queue(maximumFrames: queueFrames)
    world.wire(
      "left", "right", LinkDirection(rate: rate, delay: .microseconds(delay), queue: queue), name: "bottleneck")
    for pair in 0..<pairs {
      for (side, router) in [("s", "left"), ("r", "right")] {
        world.host("\(side)\(pair)") { node in
          // What the other simulator does.
          node.tuning.pacing = false
          node.tuning.sendBuffer = 1 << 20
          node.tuning.receiveBuffer = 1 << 20
        }
        world.wire(.init("\(side)\(pair)"), .init(router), access)
      }
    }
    return world
  }

  func measure(isRecorded: Bool) throws -> LabFigures {
    let description = description
    let world = try World(description, isRecorded: isRecorded)
    let meter = LabMeter()
    for pair in 0..<pairs {
      let address = SocketAddress(try world.address(of: "r\(pair)"), port: Self.port)
      let start = Duration.milliseconds(pair)
      switch transport {
      case .tcp:
        try world.application(on: "r\(pair)") { host in try await Self.drain(host, meter) }
        try world.application(on: "s\(pair)") { host in
          try await host.loop.clock.sleep(for: start)
          let socket = try await host.connect(to: address)
          while true { try await socket.write(Self.block) }
        }
      case .udp:
        let interval = Int64(Self.datagramByteCount) * 8_000_000_000 / Int64(datagramRate)
        try world.application(on: "r\(pair)") { host in try await Self.receive(host, meter) }
        try world.application(on: "s\(pair)") { host in
          try await Self.send(host, to: address, from: Instant(nanoseconds: start.inNanoseconds), every: interval)
        }
      }
    }
    let before = ProcessorSeconds.now(ofThread: false).total
    try world.run(for: .seconds(seconds))
    let elapsed = ProcessorSeconds.now(ofThread: false).total - before
    var hops: UInt64 = 0
    for link in description.links {
      for counters in try world.counters(of: link.name) { hops += counters.delivered }
    }
    let bottleneck = try world.counters(of: "bottleneck")
    let received = world.loop.sync { meter.byteCount }
    let frames = isRecorded ? world.finish().frames.count : 0
    let goodput = Double(received) * 8 / Double(seconds) / 1e6
    let speed = Double(hops) / elapsed
    return LabFigures(
      members: [
        (
          "peer",
          .string(
            "\(transport.rawValue) \(pairs) \(accessRate) \(accessDelay) \(rate) \(delay) \(queueFrames) \(seconds) "
              + "\(datagramRate)")
        ),
        ("hops", JSON(hops)), ("seconds", .number(elapsed)), ("hops_per_s", .number(speed.rounded())),
        ("goodput_mbit_s", .number(goodput)),
        ("bottleneck_frames", JSON(bottleneck[0].delivered + bottleneck[1].delivered)),
        ("drops", JSON(bottleneck[0].queueDrops)), ("recorded_frames", JSON(frames)),
      ],
      words: "\(fixed(speed / 1e6, 2)) M hops/s (\(hops) hops in \(fixed(elapsed, 2)) s of processor time; "
        + "\(fixed(goodput, 1)) Mbit/s, \(bottleneck[0].queueDrops) queue drops)",
      order: speed)
  }

  private static func drain(_ host: VirtualHost, _ meter: LabMeter) async throws {
    let listener = try host.listen(on: port)
    while true {
      let socket = try await listener.accept()
      host.loop.task {
        while try await socket.readInPlace({ run in meter.byteCount += run.byteCount }) > 0 {}
      }
    }
  }

  private static func send(
    _ host: VirtualHost, to address: SocketAddress, from start: Instant, every interval: Int64
  ) async throws {
    let socket = try host.bindUDP()
    try socket.connect(to: address)
    let payload = Array(block[..<datagramByteCount])
    var next = start
    while true {
      next = Instant(nanoseconds: next.nanoseconds + interval)
      try await host.loop.clock.sleep(until: next)
      try socket.send(payload)
    }
  }

  private static func receive(_ host: VirtualHost, _ meter: LabMeter) async throws {
    let socket = try host.bindUDP(on: port)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2_048, alignment: 16)
    defer { unsafe buffer.deallocate() }
    while true {
      var bytes = unsafe MutableRawSpan(_unsafeBytes: buffer)
      let datagram = try await socket.receive(into: &bytes)
      meter.byteCount += datagram.byteCount
    }
  }
}

/// Bytes that programs got; for the loop's thread alone.
final class LabMeter: @unchecked Sendable {
  var byteCount = 0
  var exchanges = 0
}
