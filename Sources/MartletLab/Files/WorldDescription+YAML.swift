import MartletCore
import MartletWire
import Yams

extension WorldDescription {
  /// Reads a world from the text of a YAML file.
  ///
  ///     name: two offices
  ///     hosts:
  ///       client:
  ///       server: {services: [uppercase]}
  ///     routers: [r1, r2]
  ///     links:
  ///       - {wire: [client, r1], rate: 100 Mbit/s, delay: 1 ms}
  ///       - {wire: [r1, r2], rate: 10 Mbit/s, delay: 10 ms, loss: 1 %}
  ///       - {wire: [r2, {server: 192.0.2.9/24}], rate: 100 Mbit/s}
  ///
  /// - Parameter file: What the file is called, for errors.
  /// - Throws: ``WorldError`` with the line, what is wrong there, and the way out.
  public init(yaml text: String, file: String? = nil) throws(WorldError) {
    let root: Yams.Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch let error as YamlError {
      throw WorldError(
        "This is not YAML: \(Self.words(for: error))", remedy: "Check the indentation, brackets and quotes there.",
        file: file, line: Self.line(of: error))
    } catch {
      throw WorldError("This is not YAML", remedy: "Check the file.", file: file)
    }
    guard let root else {
      throw WorldError("There is nothing in it", remedy: "Begin with `hosts:` and `links:`.", file: file, line: 1)
    }
    var reader = WorldReader(file: file)
    self = try reader.read(root)
    do throws(WorldPlan.Mistake) {
      _ = try WorldPlan(self)
    } catch {
      var mistake = error.error
      mistake.file = file
      mistake.line = error.subject.flatMap { reader.lines[$0] }
      throw mistake
    }
  }

  private static func words(for error: YamlError) -> String {
    switch error {
    case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _): problem
    case .duplicatedKeysInMapping(let keys, _): "a key stands there twice: \(keys.first.map { "\($0)" } ?? "")"
    default: "it cannot be read"
    }
  }

  private static func line(of error: YamlError) -> Int? {
    switch error {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
    case .duplicatedKeysInMapping(_, let context): context.mark.line
    default: nil
    }
  }
}

/// Makes a description of a tree of YAML.
struct WorldReader {
  let file: String?
  /// Where things stand, for mistakes that are found later.
  private(set) var lines: [WorldPlan.Subject: Int] = [:]
  private var description = WorldDescription("world")
  /// TAP devices, which come behind all other nodes.
  private var taps: [(String, YAMLValue)] = []

  init(file: String?) { self.file = file }

  mutating func read(_ root: Node) throws(WorldError) -> WorldDescription {
    let fields = try YAMLFields(root, "a world", file: file)
    if let name = fields["name"] { description.name = try name.text() }
    if let summary = fields["summary"] { description.summary = try summary.text() }
    if let seed = fields["seed"] { description.seed = try seed.seed() }
    if let pools = fields["addresses"] {
      description.addressPools = []
      for pool in try pools.list() { description.addressPools.append(try pool.subnet()) }
    }
    if let routes = fields["routes"] {
      switch try routes.text() {
      case "computed": description.computesRoutes = true
      case "by hand": description.computesRoutes = false
      default: throw routes.mistake("Routes are not \"\(try routes.text())\"", "Write `computed` or `by hand`.")
      }
    }
    if let rings = fields["rings"] {
      switch try rings.text() {
      case "allowed": description.allowsRings = true
      case "refused": description.allowsRings = false
      default: throw rings.mistake("Rings are not \"\(try rings.text())\"", "Write `allowed` or `refused`.")
      }
    }
    if let pace = fields["pace"] { description.pace = try MachineReader.pace(pace) }
    for (key, kind) in [
      ("hosts", WorldDescription.Node.Kind.host), ("routers", .router), ("switches", .switch), ("segments", .hub),
    ] {
      guard let nodes = fields[key] else { continue }
      for (name, value) in try nodes.entries() { try readNode(name, kind, value) }
    }
    if let links = fields["links"] {
      for link in try links.list() { try readLink(link) }
    }
    for (name, value) in taps { try description.addTaps(value, on: name) }
    if let published = fields["publish"] {
      lines[.bridges] = published.line
      for port in try published.list() { description.published.append(try MachineReader.published(port)) }
    }
    if let schedule = fields["schedule"] {
      for entry in try schedule.list() { try readFault(entry) }
    }
    try fields.finish()
    return description
  }

  // MARK: Nodes

  private mutating func readNode(
    _ name: YAMLValue, _ kind: WorldDescription.Node.Kind, _ value: YAMLValue?
  ) throws(WorldError) {
    var node = WorldDescription.Node(name: try name.text(), kind: kind)
    lines[.node(description.nodes.count)] = name.line
    if kind == .hub { node.medium = .bus(EthernetBus()) }
    if let value, !value.isEmpty {
      let fields = try YAMLFields(value.node, "a \(kind.word)", file: file)
      if let services = fields["services"] {
        for service in try services.list() {
          if service.isScalar {
            node.services.append(WorldDescription.Service(try service.text()))
          } else {
            for (name, value) in try service.entries() { node.services.append(try readService(name, value)) }
          }
        }
      }
      if let routes = fields["routes"] {
        for route in try routes.list() {
          let fields = try YAMLFields(route.node, "a route", file: file)
          guard let to = fields["to"] else { throw route.mistake("The route leads nowhere", "Add `to: 10.2.0.0/16`.") }
          let via = try fields["via"].map { value throws(WorldError) in try value.address() }
          let interface = try fields["on"].map { value throws(WorldError) in try value.text() }
          node.routes.append(
            WorldDescription.RouteByHand(to: try to.subnet(), via: via, on: interface))
          try fields.finish()
        }
      }
      if kind == .hub { node.medium = try readMedium(fields) }
      if let tree = fields["spanning tree"] { node.spanningTree = try readSpanningTree(tree) }
      if let ageing = fields["ageing"] { node.ageing = try ageing.duration() }
      if let processing = fields["processing"] { node.processing = try processing.duration() }
      if let cpu = fields["cpu"] { node.cpu = try MachineReader.cpu(cpu, file) }
      if let ring = fields["ring"] { node.ring = try MachineReader.ring(ring) }
      if let clock = fields["clock"] { node.clock = try MachineReader.clock(clock, file) }
      if let tap = fields["tap"] { taps.append((node.name, tap)) }
      if let tcp = fields["tcp"] { try readTuning(tcp, &node.tuning) }
      if let ttl = fields["ttl"] { node.tuning.timeToLive = UInt8(clamping: try ttl.count(1...255)) }
      try fields.finish()
    }
    description.nodes.append(node)
  }

  /// `name`, `name: port` or `name: {port, root}`.
  private func readService(_ name: YAMLValue, _ value: YAMLValue?) throws(WorldError) -> WorldDescription.Service {
    var service = WorldDescription.Service(try name.text())
    guard let value, !value.isEmpty else { return service }
    guard value.isMapping else {
      service.port = try value.port()
      return service
    }
    let fields = try YAMLFields(value.node, "a service", file: file)
    if let port = fields["port"] { service.port = try port.port() }
    if let root = fields["root"] {
      let path = try root.text()
      let folder = file.flatMap { file in file.lastIndex(of: "/").map { file[...$0] } } ?? ""
      service.root = path.hasPrefix("/") ? path : folder + path
    }
    try fields.finish()
    return service
  }

  private func readTuning(_ value: YAMLValue, _ tuning: inout WorldDescription.Tuning) throws(WorldError) {
    let fields = try YAMLFields(value.node, "TCP's settings", file: file)
    if let control = fields["congestion control"] {
      switch try control.text() {
      case "reno", "newreno": tuning.congestionControl = .newReno
      case "cubic": tuning.congestionControl = .cubic
      case "bbr": tuning.congestionControl = .bbr
      default: throw control.mistake("There is no such congestion control", "Known are reno, cubic and bbr.")
      }
    }
    if let value = fields["initial window"] { tuning.initialWindow = try value.count(1...1_000) }
    if let value = fields["receive buffer"] { tuning.receiveBuffer = try value.byteCount() }
    if let value = fields["send buffer"] { tuning.sendBuffer = try value.byteCount() }
    if let value = fields["delayed acknowledgment"] { tuning.delayedAcknowledgment = try value.duration() }
    if let value = fields["pacing"] { tuning.pacing = try value.bool() }
    if let value = fields["sack"] { tuning.selectiveAcknowledgments = try value.bool() }
    if let value = fields["timestamps"] { tuning.timestamps = try value.bool() }
    if let value = fields["tail loss probes"] { tuning.tailLossProbes = try value.bool() }
    if let value = fields["ecn"] { tuning.congestionNotification = try value.bool() }
    try fields.finish()
  }

  // MARK: Links

  private mutating func readLink(_ value: YAMLValue) throws(WorldError) {
    lines[.link(description.links.count)] = value.line
    var fields = try YAMLFields(value.node, "a link", file: file)
    guard let wire = fields["wire"] else {
      throw value.mistake("The link joins nothing", "Add `wire: [one, other]` with the names of two nodes.")
    }
    let plugs = try wire.list()
    guard plugs.count == 2 else {
      throw wire.mistake(
        "A wire has two ends, not \(plugs.count)", "Write `wire: [one, other]`; more nodes share a switch or a segment."
      )
    }
    let first = try readEnd(plugs[0])
    let second = try readEnd(plugs[1])
    let name = try fields["name"].map { value throws(WorldError) in try value.text() }
    var there = LinkDirection()
    try LinkReader.read(&fields, into: &there)
    var back = there
    if let value = fields["there"] {
      var inner = try YAMLFields(value.node, "a direction of a link", file: file)
      try LinkReader.read(&inner, into: &there)
      try inner.finish()
    }
    if let value = fields["back"] {
      var inner = try YAMLFields(value.node, "a direction of a link", file: file)
      try LinkReader.read(&inner, into: &back)
      try inner.finish()
    }
    try fields.finish()
    description.wire(first, second, there: there, back: back, name: name)
  }

  /// `name`, `{name: address}`, `{name: [addresses]}` or `{name: {addresses, mac, interface}}`.
  private func readEnd(_ value: YAMLValue) throws(WorldError) -> WorldDescription.End {
    if value.isScalar { return WorldDescription.End(try value.text()) }
    let entries = try value.entries()
    guard let (name, rest) = entries.first, entries.count == 1 else {
      throw value.mistake("This is no end of a wire", "Write a node's name, or `{name: 192.0.2.1/24}`.")
    }
    var end = WorldDescription.End(try name.text())
    guard let rest else { return end }
    if !rest.isMapping {
      for address in try rest.list() { end.addresses.append(try address.addressInSubnet()) }
      return end
    }
    let fields = try YAMLFields(rest.node, "an end of a wire", file: file)
    if let addresses = fields["addresses"] {
      for address in try addresses.list() { end.addresses.append(try address.addressInSubnet()) }
    }
    if let mac = fields["mac"] { end.macAddress = try mac.macAddress() }
    if let interface = fields["interface"] { end.interface = try interface.text() }
    if let position = fields["position"] { end.position = try position.meters() }
    try fields.finish()
    return end
  }

  // MARK: Schedule

  private mutating func readFault(_ value: YAMLValue) throws(WorldError) {
    lines[.schedule(description.schedule.count)] = value.line
    let fields = try YAMLFields(value.node, "an entry of the schedule", file: file)
    guard let at = fields["at"] else { throw value.mistake("The entry has no time", "Add `at: 10 s`.") }
    let time = try at.duration()
    var faults: [WorldDescription.Fault] = []
    if let value = fields["down"] { faults.append(.down(link: try value.text())) }
    if let value = fields["up"] { faults.append(.up(link: try value.text())) }
    if let value = fields["hold"] { faults.append(.hold(link: try value.text())) }
    if let value = fields["release"] { faults.append(.release(link: try value.text())) }
    if let value = fields["crash"] { faults.append(.crash(try value.text())) }
    if let value = fields["restart"] { faults.append(.restart(try value.text())) }
    if let value = fields["pause"] { faults.append(.pause(try value.text())) }
    if let value = fields["resume"] { faults.append(.resume(try value.text())) }
    if let value = fields["heal"] {
      _ = try value.bool()
      faults.append(.heal)
    }
    if let fault = try MachineReader.fault(fields, file) { faults.append(fault) }
    if let value = fields["partition"] {
      var left: [String] = []
      for name in try value.list() { left.append(try name.text()) }
      var right: [String] = []
      for name in try fields["from"]?.list() ?? [] { right.append(try name.text()) }
      guard !right.isEmpty else {
        throw value.mistake("The partition has one side only", "Add `from: [the others]`.")
      }
      let isOneWay = try fields["one-way"]?.bool() ?? false
      faults.append(.partition(left, from: right, isOneWay: isOneWay))
    }
    guard let fault = faults.first, faults.count == 1 else {
      throw value.mistake(
        faults.isEmpty ? "Nothing happens here" : "Two things happen here",
        "Write one of down, up, hold, release, crash, restart, pause, resume, clock, cpu, ring, partition, heal.")
    }
    try fields.finish()
    description.schedule.append(WorldDescription.ScheduledFault(at: time, fault))
  }
}
