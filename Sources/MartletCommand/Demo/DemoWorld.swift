import Martlet
import MartletLab

/// The demonstration's world: a client and a server, each behind a switch and a router, and a lossy link between the routers.
struct DemoWorld {
  static let message = "hello, internet!"
  static let fileByteCount = 60_000
  static let uppercasePort: UInt16 = 12_000
  static let filePort: UInt16 = 5_000
  /// The link in the middle.
  static let lossyLink = "r1-r2"

  var seed: UInt64 = 1

  /// What came of it.
  struct Outcome {
    var recording: Recording
    /// What the server made of the message.
    var answer: String
    /// How many bytes of the file came to the server, and whether they were those that were sent.
    var receivedByteCount: Int
    var isFileWhole: Bool
  }

  var description: WorldDescription {
    var world = WorldDescription(
      "demo", summary: "A message and a file from a client to a server, over two routers and a link that loses frames.",
      seed: seed)
    world.host("client")
    world.switch("s1")
    world.router("r1")
    world.router("r2")
    world.switch("s2")
    world.host("server", services: [.init("uppercase", port: Self.uppercasePort)])
    let lan = LinkDirection(rate: 100_000_000, delay: .microseconds(5))
    world.wire(.init("client", addresses: ["192.0.2.1/24"]), "s1", lan)
    world.wire("s1", .init("r1", addresses: ["192.0.2.254/24"]), lan)
    var there = LinkDirection(rate: 10_000_000, delay: .milliseconds(10))
    let back = there
    there.loss = .random(0.01)
    // Whatever chance does, a segment of the file is lost for sure.
    there.script = [ScriptedFault(.lose, [5], of: FramePattern(.tcpData, destinationPort: Self.filePort))]
    world.wire(
      .init("r1", addresses: ["203.0.113.1/30"]), .init("r2", addresses: ["203.0.113.2/30"]), there: there, back: back,
      name: Self.lossyLink)
    world.wire(.init("r2", addresses: ["198.51.100.254/24"]), "s2", lan)
    world.wire("s2", .init("server", addresses: ["198.51.100.2/24"]), lan)
    return world
  }

  /// Byte `index` of the file.
  private static func byte(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: index &* 31 &+ index >> 8) }

  /// Lets it all happen.
  func play(watch: (World) -> Void = { _ in }) throws -> Outcome {
    let world = try World(description)
    watch(world)
    let (client, server) = (try world.host("client"), try world.host("server"))
    let address = try world.address(of: "server")
    let listener = try server.listen(on: Self.filePort)
    server.loop.task {
      // Says of each byte of the file whether it is the right one, and at its end how many there were.
      let connection = try await listener.accept()
      defer { connection.close() }
      var (count, isWhole) = (0, true)
      while true {
        let bytes = try await connection.read(upTo: 65_536)
        if bytes.isEmpty { break }
        for byte in bytes {
          isWhole = isWhole && byte == Self.byte(count)
          count += 1
        }
      }
      try await connection.write("\(count) \(isWhole)")
    }
    let (answer, receipt) = try world.runAndWait { () -> (String, String) in
      let talk = try await client.connect(to: SocketAddress(address, port: Self.uppercasePort))
      try await talk.write(Self.message)
      let answer = String(decoding: try await talk.read(), as: UTF8.self)
      talk.close()
      let transfer = try await client.connect(to: SocketAddress(address, port: Self.filePort))
      try await transfer.write((0..<Self.fileByteCount).map { Self.byte($0) })
      try transfer.shutdownWrite()
      let receipt = String(decoding: try await transfer.read(), as: UTF8.self)
      transfer.close()
      return (answer, receipt)
    }
    // Delayed acknowledgements and the closing.
    try world.run(for: .milliseconds(500))
    let parts = receipt.split(separator: " ")
    return Outcome(
      recording: world.finish(), answer: answer, receivedByteCount: parts.first.flatMap { Int($0) } ?? 0,
      isFileWhole: parts.last == "true")
  }
}
