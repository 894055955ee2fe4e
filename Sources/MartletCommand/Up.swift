import ArgumentParser
import Glibc
import Martlet
import MartletCore
import MartletServices
import MartletWire

/// Runs a host with its services until it is told to stop.
struct Up: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a host with echo, discard, daytime, chargen and upper-case services.",
    discussion: """
      Without a device the host stands in a network of its own and is reached by published ports:
      `martlet up --publish 127.0.0.1:12000=tcp/12000`.

      SIGUSR1 prints counters, SIGINT and SIGTERM print them and end the command.
      """)

  @OptionGroup var network: NetworkOptions

  @Option(
    help: ArgumentHelp(
      "Carry a port of this machine to a port of the host; may be repeated.", valueName: "host:port=tcp/port"))
  var publish: [PublishedPort] = []

  @Option(
    help: ArgumentHelp(
      "The services to run, with commas between: echo, discard, daytime, chargen, uppercase.", valueName: "list"))
  var services = SimpleService.allCases.map(\.rawValue).joined(separator: ",")

  func validate() throws {
    for name in services.split(separator: ",") where SimpleService(rawValue: String(name)) == nil {
      throw ValidationError("There is no service \(name).")
    }
    if !network.hasDevice && publish.isEmpty {
      throw ValidationError("Nobody could reach the host: give --tap, --interface or --publish.")
    }
  }

  func run() throws {
    let signals = Signals(blocking: [SIGINT, SIGTERM, SIGUSR1])
    try reportingFailure {
      let computer = try CommandHost(network)
      for name in services.split(separator: ",") { try SimpleService(rawValue: String(name))?.start(on: computer.host) }
      let publications = try publish.map { try computer.publish($0) }
      sayReady(computer)
      while signals.wait() == SIGUSR1 { sayCounters(computer) }
      publications.forEach { $0.close() }
      sayCounters(computer)
      computer.finish()
    }
  }

  private func sayReady(_ computer: CommandHost) {
    let addresses = computer.host.addresses.map(\.description)
    let mac = computer.host.macAddress(of: computer.interface)
    let device = network.tap ?? network.interface ?? "a network of its own"
    if network.json {
      StandardStreams.line(
        JSON.object([
          ("event", "ready"), ("device", .string(device)), ("mac", JSON(mac)),
          ("addresses", .array(addresses.map(JSON.string))),
          ("services", .array(services.split(separator: ",").map { .string(String($0)) })),
          ("published", .array(publish.map { .string($0.description) })),
        ]).line)
      return
    }
    var words = ["ready", "on \(device)"] + addresses + ["(\(mac))", "services \(services)"]
    words += publish.map { "published \($0.description)" }
    StandardStreams.line(words.joined(separator: " "))
  }

  private func sayCounters(_ computer: CommandHost) {
    let traffic = computer.host.counters(of: computer.interface)
    let drops = computer.host.drops
    let totals: [(String, UInt64)] = [
      ("receivedPackets", traffic.receivedPackets), ("receivedBytes", traffic.receivedBytes),
      ("sentPackets", traffic.sentPackets), ("sentBytes", traffic.sentBytes),
    ]
    let named = Drop.Reason.allCases.filter { drops[$0] > 0 }.map { ("\($0)", drops[$0]) }
    if network.json {
      let members = totals.map { ($0, JSON($1)) } + [("drops", JSON.object(named.map { ($0, JSON($1)) }))]
      StandardStreams.line(JSON.object([("event", "counters")] + members).line)
    } else {
      for (name, count) in totals + named { StandardStreams.line("\(name) \(count)") }
    }
  }
}
