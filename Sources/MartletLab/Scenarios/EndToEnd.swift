import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Cornell s18: the end-to-end argument, as a careful file transfer.
  static let endToEnd = Scenario(
    "end-to-end", "every link checks every frame, and a router's memory spoils some: only the ends can know"
  ) { stage in
    let world = try stage.world { world in
      for name in ["sender", "receiver"] { world.host(name) { $0.tuning = .textbook } }
      world.router("careful")
      world.router("forgetful")
      let rate: UInt64 = 10_000_000
      // A bad cable: its check sequence finds what is damaged, and the frame is lost.
      var cable = LinkDirection(rate: rate, delay: .milliseconds(1))
      cable.corruption = .init(0.01)
      world.wire(
        "sender", "careful", there: cable, back: LinkDirection(rate: rate, delay: .milliseconds(1)), name: "bad-cable")
      world.wire("careful", "forgetful", LinkDirection(rate: rate, delay: .milliseconds(1)))
      // A bad memory: the frame is sent with a new, right check sequence over wrong bits.
      var memory = LinkDirection(rate: rate, delay: .milliseconds(1))
      memory.corruption = .init(0.02, isDetected: false)
      world.wire(
        "forgetful", "receiver", there: memory, back: LinkDirection(rate: rate, delay: .milliseconds(1)),
        name: "bad-memory")
    }
    let (sender, receiver) = (try world.host("sender"), try world.host("receiver"))
    let address = SocketAddress(try world.address(of: "receiver"), port: 5_000)
    let file = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    // First by a program that trusts the network: datagrams without a checksum.
    let wrong = try world.runAndWait { () -> (missing: Int, spoiled: Int) in
      while (try? await sender.ping(address.address, timeout: .seconds(1))) == nil {}
      var options = DatagramOptions()
      options.sendsChecksum = false
      let outbox = try sender.bindUDP(on: 0, options: options)
      let inbox = try receiver.bindUDP(on: 5_000)
      defer {
        outbox.close()
        inbox.close()
      }
      let taker = receiver.loop.task { () -> (Int, Int) in
        var (count, spoiled) = (0, 0)
        while let piece = try? await inbox.receive().bytes {
          count += 1
          let start = (Int(piece[0]) << 8 | Int(piece[1])) * 1_000
          let isRight = start + 1_000 <= file.count && Array(piece.dropFirst(2)) == Array(file[start..<start + 1_000])
          if !isRight { spoiled += 1 }
        }
        return (count, spoiled)
      }
      for piece in 0..<300 {
        let bytes = [UInt8(piece >> 8), UInt8(piece & 0xff)] + file[piece * 1_000..<(piece + 1) * 1_000]
        try outbox.send(bytes, to: address)
        try await sender.loop.clock.sleep(for: .milliseconds(1))
      }
      try await sender.loop.clock.sleep(for: .seconds(1))
      inbox.close()
      let (count, spoiled) = try await taker.value
      return (300 - count, spoiled)
    }
    let before = (
      try world.counters(of: "bad-cable")[0].lost, try world.counters(of: "bad-memory")[0].damaged, receiver.drops
    )
    let got = try world.runAndWait { () -> [UInt8] in
      let listener = try receiver.listen(on: 5_000)
      let reader = receiver.loop.task { () -> [UInt8] in
        let connection = try await listener.accept()
        defer { connection.close() }
        return try await connection.readToEnd()
      }
      let connection = try await sender.connect(to: address)
      defer { connection.close() }
      try await connection.write(file)
      try connection.shutdownWrite()
      return try await reader.value
    }
    let cable = try world.counters(of: "bad-cable")[0].lost - before.0
    let memory = try world.counters(of: "bad-memory")[0].damaged - before.1
    let drops = receiver.drops
    let recording = world.finish()
    let sums: [Drop.Reason] = [.tcpChecksum, .ipHeaderChecksum]
    let caught = sums.reduce(UInt64(0)) { $0 + drops[$1] - before.2[$1] }
    stage.say("A program that trusts the network sends the file in 300 datagrams without a checksum:")
    stage.say("  \(wrong.missing) are missing, \(wrong.spoiled) are there and wrong.")
    stage.check(wrong.spoiled > 0, "it wrote wrong bytes into its file and did not know")
    stage.say("\nA careful one sends it over TCP:")
    stage.table([
      ["who looked", "found"],
      ["the bad cable's check sequence", "\(cable) frames"],
      ["every other link's check sequence", "nothing: the bits were wrong before it was computed"],
      ["the receiver's IP and TCP checksums", "\(caught) of \(memory) spoiled frames"],
      ["the receiver's other checks", "\(drops.total - before.2.total - caught)"],
    ])
    stage.check(memory > 0 && cable > 0, "frames were lost on the cable, and spoiled in the router")
    stage.check(got == file, "the file is whole: what the ends did not believe was sent again")
    let again = recording.frames.count { $0.comment.hasPrefix("retransmission") }
    stage.check(again >= Int(cable), "\(again) segments went again")
    return recording
  }
}
