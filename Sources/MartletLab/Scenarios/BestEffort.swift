import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Konstanz "Internet transport protocols services" and Cornell s102: what IP may do to packets, and who repairs it.
  static let bestEffort = Scenario(
    "best-effort", "a line that loses, doubles, delays and damages: UDP hands it all on, TCP repairs it"
  ) { stage in
    let world = try stage.world { world in
      world.host("sender") { $0.tuning = .textbook }
      world.router("router")
      world.host("receiver") { $0.tuning = .textbook }
      let line = LinkDirection(rate: 10_000_000, delay: .milliseconds(5))
      var bad = line
      for kind in [FramePattern.Kind.udp, .tcpData] {
        bad.script += [
          ScriptedFault(.lose, [2], of: FramePattern(kind)), ScriptedFault(.duplicate, [4], of: FramePattern(kind)),
          ScriptedFault(.delay(.milliseconds(3)), [6], of: FramePattern(kind)),
          ScriptedFault(.corrupt, [8], of: FramePattern(kind)),
        ]
      }
      world.wire("sender", "router", line)
      world.wire("router", "receiver", there: bad, back: line)
    }
    let (sender, receiver) = (try world.host("sender"), try world.host("receiver"))
    let address = SocketAddress(try world.address(of: "receiver"), port: 5_000)
    let words = (1...9).map { "\($0)" + String(repeating: ".", count: $0 - 1) }
    let (datagrams, stream) = try world.runAndWait { () -> ([String], [String]) in
      _ = try await sender.ping(address.address)
      let inbox = try receiver.bindUDP(on: 5_000)
      let listener = try receiver.listen(on: 5_000)
      let outbox = try sender.bindUDP()
      for word in words {
        try outbox.send(word, to: address)
        try await sender.loop.clock.sleep(for: .milliseconds(1))
      }
      var datagrams: [String] = []
      while let bytes = try? await receiver.loop.withTimeout(.seconds(1), { try await inbox.receive().bytes }) {
        datagrams.append(String(decoding: bytes, as: UTF8.self))
      }
      let reading = receiver.loop.task { () -> [String] in
        let connection = try await listener.accept()
        defer { connection.close() }
        var pieces: [String] = []
        while true {
          let bytes = try await connection.read()
          if bytes.isEmpty { return pieces }
          pieces.append(String(decoding: bytes, as: UTF8.self))
        }
      }
      var options = TCPSocketOptions()
      options.noDelay = true
      let connection = try await sender.connect(to: address, options: options)
      for word in words {
        try await connection.write(word)
        try await sender.loop.clock.sleep(for: .milliseconds(1))
      }
      connection.close()
      return (datagrams, try await reading.value)
    }
    let drops = receiver.drops
    // Where the bit is that flips depends on the seed.
    let reasons: [Drop.Reason] = [.ipHeaderMalformed, .ipHeaderChecksum, .udpChecksum, .tcpChecksum]
      .filter { drops[$0] > 0 }
    let recording = world.finish()
    stage.say("Nine pieces are sent, 1 ms apart; of what the router sends on, the 2nd is lost, the 4th doubled,")
    stage.say("the 6th 3 ms late and the 8th damaged, by UDP and by TCP:")
    stage.table([["sent"] + words, ["by UDP"] + datagrams])
    stage.say("  by TCP, read by read: \(stream.joined(separator: " | "))")
    stage.say("\nWhat the router sent on by TCP:")
    stage.ladder(recording, on: "router-receiver") { frame in
      recording.view(frame).protocol == .tcp && frame.end == 0 && recording.view(frame).payloadByteCount > 0
    }
    stage.say()
    stage.check(
      datagrams == [1, 3, 4, 4, 5, 7, 6, 9].map { words[$0 - 1] },
      "UDP's program got what arrived, as it arrived; each datagram whole, or not at all")
    stage.check(
      reasons.reduce(0) { $0 + drops[$1] } == 2,
      "the two that were damaged were dropped: \(reasons.map { Recorder.words("\($0)") }.joined(separator: ", "))")
    stage.check(stream.joined() == words.joined(), "TCP's program got all, once and in order")
    stage.check(stream != words, "but not in the pieces in which it was written: a stream has no boundaries")
    stage.check(
      [IPProtocol.udp, .tcp].allSatisfy { transport in
        let sent = recording.frames.filter { frame in
          let view = recording.view(frame)
          return view.protocol == transport && frame.end == 0 && view.payloadByteCount > 0
        }
        let doubled = 1
        return sent.count { $0.link == recording.link("router-receiver") }
          <= sent.count { $0.link == recording.link("sender-router") } + doubled
      }, "the router sent nothing again: what is repaired is repaired by the ends")
    return recording
  }

  /// Cornell s104 and s105: nobody likes fragments, so TCP asks how large packets may be (RFC 1191).
  static let pathMTU = Scenario(
    "path-mtu", "a link for 576 bytes in the middle: a router says so, and TCP's segments become smaller"
  ) { stage in
    let world = try stage.world { world in
      world.host("sender") { $0.tuning = .textbook }
      for name in ["r1", "r2"] { world.router(name) }
      world.host("receiver") { $0.tuning = .textbook }
      let line = LinkDirection(rate: 100_000_000, delay: .milliseconds(1))
      world.wire("sender", "r1", line)
      world.wire("r1", "r2", LinkDirection(rate: 10_000_000, delay: .milliseconds(10), mtu: 576))
      world.wire("r2", "receiver", line)
    }
    let (sender, receiver) = (try world.host("sender"), try world.host("receiver"))
    let address = SocketAddress(try world.address(of: "receiver"), port: 80)
    try world.runAndWait {
      _ = try await sender.ping(address.address)
      try Transfer.sink(on: receiver, port: 80)
      try await Transfer.send(3_000, from: sender, to: address)
    }
    let recording = world.finish()
    stage.ladder(recording, on: "sender-r1") { frame in
      let view = recording.view(frame)
      return view.protocol == .icmpv4 && view.payloadByteCount > 40
        || view.payloadByteCount > 0 && frame.end == 0 && view.protocol == .tcp
    }
    let tooLarge = recording.frames.filter { frame in
      let isFromRouter = frame.link == recording.link("sender-r1") && frame.end == 1
      return isFromRouter && recording.view(frame).protocol == .icmpv4 && frame.bytes[34] == 3 && frame.bytes[35] == 4
    }
    let middle = recording.frames.filter { $0.link == recording.link("r1-r2") }
    let crossed = Set(
      recording.frames.filter { $0.link == recording.link("r2-receiver") && $0.end == 0 }.flatMap { frame in
        let view = recording.view(frame)
        return (0..<view.payloadByteCount).map { view.sequenceNumber &+ UInt32($0) }
      })
    stage.say()
    stage.check(!tooLarge.isEmpty, "the first router said: fragmentation needed, and that 576 bytes fit")
    stage.check(
      tooLarge.allSatisfy { Int($0.bytes[40]) << 8 | Int($0.bytes[41]) == 576 }, "the number stands in its message")
    stage.check(
      middle.allSatisfy { $0.bytes.count <= 590 && !recording.view($0).isFragment },
      "nothing larger than 576 bytes crossed the middle, and no fragment")
    stage.check(
      crossed.count >= 3_000, "all 3,000 bytes arrived behind it")
    return recording
  }
}
