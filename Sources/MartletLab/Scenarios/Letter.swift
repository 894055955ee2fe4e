import Martlet
import MartletCore
import MartletWire

extension Scenario {
  /// Cornell s10-14: a letter of seven pages, each in an envelope of its own, through two sorting offices.
  static let letter = Scenario(
    "letter",
    "a letter of seven pages in seven envelopes through two sorting offices: out of order, one lost, read in order"
  ) { stage in
    let pages = [
      "Dear Ada,", "the post here is odd:", "each page goes alone,", "by whatever way is free,",
      "and nobody promises anything.", "So I number them,", "and you ask for what is missing.",
    ]
    let world = try stage.world { world in
      world.host("sender")
      world.router("office1")
      world.router("office2")
      world.host("reader")
      world.wire("sender", "office1", LinkDirection(rate: 1_000_000, delay: .milliseconds(1)))
      // Some take the train, some the coach.
      var there = LinkDirection(rate: 1_000_000, delay: .milliseconds(10))
      there.jitter = .init(.milliseconds(20), keepsOrder: false)
      there.script = [ScriptedFault(.lose, [4], of: FramePattern(.udp))]
      world.wire("office1", "office2", there: there, back: LinkDirection(rate: 1_000_000, delay: .milliseconds(10)))
      world.wire("office2", "reader", LinkDirection(rate: 1_000_000, delay: .milliseconds(1)))
    }
    let (sender, reader) = (try world.host("sender"), try world.host("reader"))
    let address = SocketAddress(try world.address(of: "reader"), port: 4_000)
    let arrivals = try world.runAndWait { () -> [(number: Int, text: String)] in
      _ = try await sender.ping(address.address)
      let inbox = try reader.bindUDP(on: 4_000)
      let outbox = try sender.bindUDP()
      for (index, page) in pages.enumerated() { try outbox.send("\(index + 1)|\(page)", to: address) }
      let clerk = sender.loop.task {
        // Whoever asks for a page gets it again.
        while true {
          let request = try await outbox.receive()
          guard let number = Int(String(decoding: request.bytes, as: UTF8.self)) else { continue }
          try outbox.send("\(number)|\(pages[number - 1])", to: address)
        }
      }
      defer {
        clerk.cancel()
        inbox.close()
        outbox.close()
      }
      var arrivals: [(number: Int, text: String)] = []
      var source: SocketAddress?
      while Set(arrivals.map(\.number)).count < pages.count {
        let received = try? await reader.loop.withTimeout(.milliseconds(100)) { try await inbox.receive() }
        if let received {
          source = received.source
          let parts = String(decoding: received.bytes, as: UTF8.self).split(separator: "|", maxSplits: 1)
          arrivals.append((Int(parts[0]) ?? 0, String(parts[1])))
        } else if let source {
          let known = Set(arrivals.map(\.number))
          for number in 1...pages.count where !known.contains(number) { try inbox.send("\(number)", to: source) }
        }
      }
      return arrivals
    }
    let recording = world.finish()
    stage.say("Between the offices:")
    stage.ladder(recording, on: "office1-office2") { recording.view($0).protocol == .udp }
    let order = arrivals.map(\.number)
    stage.say("\nThe envelopes arrive as \(order.map(String.init).joined(separator: ", ")).")
    stage.check(order != order.sorted(), "they arrive out of order")
    stage.check(order.last == 4 || order.count == 7, "the page that was lost comes when it is asked for")
    stage.say("Read in the order of the numbers:")
    var letter: [String] = []
    for number in 1...pages.count { letter.append(arrivals.first { $0.number == number }?.text ?? "?") }
    stage.say("  " + letter.joined(separator: " "))
    stage.check(letter == pages, "the letter is whole")
    return recording
  }
}
