public import ArgumentParser
import Dispatch
import Glibc
import Martlet
public import MartletLab

extension WorldPace: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension WorldDescription.PublishedPort: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

/// How a world's time passes, and what of this machine reaches into the world.
struct LabTime: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How the world's time passes: virtual, real (or 1), or how many of its seconds pass in one of ours.",
      valueName: "pace"))
  var pace: WorldPace?

  @Option(
    help: ArgumentHelp(
      "Lead a port of this machine into a world from a file, with --pace 1; may be repeated.",
      valueName: "[address:]port:[client:]host:port[/udp]"))
  var publish: [WorldDescription.PublishedPort] = []

  @Option(
    help: ArgumentHelp(
      "Wire a TAP device of this machine to a node of a world from a file, with --pace 1; may be repeated.",
      valueName: "device:node"))
  var tap: [TAPPlug] = []

  /// `martlet0:s1`
  struct TAPPlug: ExpressibleByArgument {
    var device: String
    var node: String

    init?(argument: String) {
      let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
      (device, node) = (parts[0], parts[1])
    }
  }

  /// Refuses what a scenario cannot have.
  func checkScenario(_ name: String) throws(CommandFailure) {
    guard publish.isEmpty, tap.isEmpty else {
      throw CommandFailure(
        .usage, "\(name) is a scenario, which plays alone", remedy: "Give --publish and --tap to a world from a file.")
    }
  }

  /// Whether this machine's programs can talk to the world.
  var isOpen: Bool { !publish.isEmpty || !tap.isEmpty }

  func apply(to description: inout WorldDescription) {
    if let pace { description.pace = pace }
    description.published += publish
    for plug in tap { description.tap(plug.device, on: .init(plug.node)) }
  }

  /// Says how `world` is reached, if it is.
  static func sayReady(_ world: World, json: Bool) {
    let ports = zip(world.description.published, world.publishedAddresses).map { port, address in
      (address: "\(address)", target: "\(port.host):\(port.port)")
    }
    let taps = world.description.nodes.filter { $0.kind == .tap }.map(\.name)
    if json {
      StandardStreams.line(
        JSON.object([
          ("event", "ready"),
          (
            "published",
            .array(ports.map { JSON.object([("address", .string($0.address)), ("to", .string($0.target))]) })
          ),
          ("taps", .array(taps.map(JSON.string))),
        ]).line)
      return
    }
    for port in ports { StandardStreams.line("ready: \(port.address) leads to \(port.target)") }
    for tap in taps { StandardStreams.line("ready: the TAP device \(tap) is in the world") }
  }

  /// Lets `world` go on for `span`, or until a signal says that it is enough, if this machine's programs talk to it.
  static func run(_ world: World, for span: Duration, stopBy signals: Signals?) throws {
    guard let signals else { return try world.run(for: span) }
    let end = DispatchSemaphore(value: 0)
    let task = Task {
      try? await world.run { try await world.clock.sleep(for: span) }
      end.signal()
    }
    // On a thread that nobody waits for: the process ends without it.
    DispatchQueue.global().async {
      _ = signals.wait()
      task.cancel()
    }
    end.wait()
  }
}
