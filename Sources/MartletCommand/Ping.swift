import ArgumentParser
import Dispatch
import Glibc
import Martlet
import MartletCore
import MartletWire
import Synchronization

/// Sends echo requests and tells what comes back.
struct Ping: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Send ICMP echo requests; exit code 0 if any was answered.")

  @OptionGroup var network: NetworkOptions

  @Option(name: .customShort("c"), help: ArgumentHelp("Stop after this many requests.", valueName: "count"))
  var count: Int?

  @Option(name: .customShort("i"), help: ArgumentHelp("Time between requests.", valueName: "seconds"))
  var interval = 1.0

  @Option(name: .customShort("s"), help: ArgumentHelp("Payload of a request.", valueName: "bytes"))
  var size = 56

  @Option(name: .customShort("W"), help: ArgumentHelp("How long to wait for the last answers.", valueName: "seconds"))
  var wait = 2.0

  @Argument(help: "Whom to ask.")
  var address: IPAddress

  func validate() throws {
    if let count, !(1...65_536).contains(count) { throw ValidationError("-c takes 1 to 65536, not \(count).") }
    // 65,535 bytes less the headers of IPv4 and ICMP.
    if !(0...65_507).contains(size) { throw ValidationError("-s takes 0 to 65507 bytes, not \(size).") }
    if !(0.001...3_600).contains(interval) { throw ValidationError("-i takes 0.001 to 3600 seconds, not \(interval).") }
    if !(0...3_600).contains(wait) { throw ValidationError("-W takes 0 to 3600 seconds, not \(wait).") }
  }

  func run() throws {
    let signals = Signals(blocking: [SIGINT, SIGTERM])
    try reportingFailure {
      let computer = try CommandHost(network)
      let pinger = Pinger(options: self, host: computer.host)
      let task = computer.loop.task { try await pinger.run() }
      DispatchQueue.global().async {
        _ = signals.wait()
        task.cancel()
      }
      do {
        try computer.loop.runAndWait { try await task.value }
      } catch SocketError.cancelled, is CancellationError {
        // The user has seen enough.
      }
      computer.finish()
      if pinger.sayTotals() == 0 { throw ExitCode(CommandFailure.Code.network.rawValue) }
    }
  }
}

/// The requests of one run and what came of them.
private final class Pinger: Sendable {
  private struct Tally {
    var sent = 0
    var received = 0
    var milliseconds: [Double] = []
    /// When each request was sent, by sequence number.
    var departures: [UInt16: Instant] = [:]
  }
  private let options: Ping
  private let host: VirtualHost
  private let tally = Mutex(Tally())

  init(options: Ping, host: VirtualHost) {
    self.options = options
    self.host = host
  }

  func run() async throws {
    let socket = try host.openEcho(options.address.version)
    defer { socket.close() }
    let receiver = host.loop.task { [self] in
      while tally.withLock({ $0.received < options.count ?? .max }) { note(try await socket.receive().echo) }
    }
    defer { receiver.cancel() }
    let payload = (0..<options.size).map { UInt8(truncatingIfNeeded: $0) }
    for number in 1...(options.count ?? .max) {
      let sequence = UInt16(truncatingIfNeeded: number)
      let now = host.loop.now
      tally.withLock {
        $0.sent += 1
        $0.departures[sequence] = now
      }
      try socket.send(payload, sequence: sequence, to: options.address)
      if number == options.count { break }
      try await host.loop.clock.sleep(for: .seconds(options.interval))
    }
    // The last answers; that there are none is told by the totals.
    _ = try? await host.loop.withTimeout(.seconds(options.wait)) {
      try await withTaskCancellationHandler {
        try await receiver.value
      } onCancel: {
        receiver.cancel()
      }
    }
  }

  private func note(_ echo: ReceivedEcho) {
    let source = echo.source.address
    guard case .reply = echo.kind else {
      let what =
        switch echo.kind {
        case .reply: "reply"
        case .unreachable(let code): "unreachable (code \(code))"
        case .timeExceeded: "time exceeded"
        case .packetTooBig(let mtu): "too big: MTU \(mtu)"
        }
      return say(
        "number \(echo.sequence): \(what), says \(source)",
        [("event", "error"), ("from", JSON(source)), ("sequence", JSON(echo.sequence)), ("text", .string(what))])
    }
    // An answer to no request, or a second one to the same, does not count.
    let departure = tally.withLock { $0.departures.removeValue(forKey: echo.sequence) }
    guard let departure else { return }
    let milliseconds = seconds(departure.duration(to: echo.time)) * 1_000
    tally.withLock {
      $0.received += 1
      $0.milliseconds.append(milliseconds)
    }
    say(
      "\(echo.byteCount) bytes from \(source): number \(echo.sequence), TTL \(echo.hopLimit), "
        + "\(fixed(milliseconds, 3)) ms",
      [
        ("event", "reply"), ("from", JSON(source)), ("bytes", JSON(echo.byteCount)), ("sequence", JSON(echo.sequence)),
        ("hopLimit", JSON(echo.hopLimit)), ("milliseconds", .number(milliseconds)),
      ])
  }

  /// Tells how many requests were answered and how fast, and returns how many.
  func sayTotals() -> Int {
    let tally = tally.withLock { $0 }
    var words = "\(tally.sent) sent, \(tally.received) answered"
    var members: [(String, JSON)] = [
      ("event", "totals"), ("sent", JSON(tally.sent)), ("received", JSON(tally.received)),
    ]
    if let least = tally.milliseconds.min(), let most = tally.milliseconds.max() {
      let mean = tally.milliseconds.reduce(0, +) / Double(tally.milliseconds.count)
      words += "; least \(fixed(least, 3)), mean \(fixed(mean, 3)), most \(fixed(most, 3)) ms"
      members += [("least", .number(least)), ("mean", .number(mean)), ("most", .number(most))]
    }
    say(words, members)
    return tally.received
  }

  private func say(_ words: String, _ members: [(String, JSON)]) {
    StandardStreams.line(options.network.json ? JSON.object(members).line : words)
  }
}
