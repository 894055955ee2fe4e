import Martlet
import MartletCore
import MartletWire

/// A switch's part in the spanning tree: brings messages to the protocol and does what it asks for.
final class SwitchTree: LoopDevice {
  private unowned let owner: LabSwitch
  let settings: SpanningTree
  let address: MACAddress
  let pathCosts: [UInt32]
  /// What each port leads to, for people.
  let neighbors: [String]
  private(set) var bridge: SpanningTreeBridge
  private var isRunning = false
  var isPaused = false { didSet { wake?() } }
  /// Tells the loop that a time-out comes earlier than it was told.
  var wake: (() -> Void)?
  /// What led to the message that is looked at, for the recording.
  private var cause: Recorder.Cause?

  init(
    _ owner: LabSwitch, _ settings: SpanningTree, address: MACAddress, pathCosts: [UInt32], neighbors: [String]
  ) {
    self.owner = owner
    self.settings = settings
    self.address = address
    self.pathCosts = pathCosts
    self.neighbors = neighbors
    bridge = SpanningTreeBridge(settings, address: address, pathCosts: pathCosts)
  }

  /// After how long stations are forgotten while the root says that the tree changes.
  var shortAgeing: Int64? { bridge.isTopologyChange ? BridgeTime.nanoseconds(bridge.forwardDelay) : nil }

  var nextDeadline: Instant? {
    guard isRunning, !isPaused else { return nil }
    return bridge.nextDeadline.map(Instant.init(nanoseconds:))
  }

  func advance(to now: Instant) {
    guard isRunning, !isPaused else { return }
    bridge.advance(to: now.nanoseconds)
    perform(at: now.nanoseconds)
  }

  func start(at time: Int64) {
    bridge = SpanningTreeBridge(settings, address: address, pathCosts: pathCosts)
    isRunning = true
    bridge.start(owner.ports.map(\.isUp), at: time)
    perform(at: time)
    wake?()
  }

  func stop() {
    isRunning = false
    wake?()
  }

  func setLink(_ port: Int, isUp: Bool, at time: Int64) {
    guard isRunning else { return }
    if isUp { bridge.enable(port, at: time) } else { bridge.disable(port, at: time) }
    perform(at: time)
    wake?()
  }

  func receive(_ packet: borrowing Packet, on port: Int, at time: Int64) {
    let start = EthernetHeader.untaggedByteCount
    guard isRunning, EtherType(value: packet.bytes.bigEndian(at: 12)).isLength,
      let unit = try? BPDU(parsing: packet.bytes.extracting(start..<packet.linearCount))
    else { return }
    if packet.metadata.tag > 0 { cause = .received(Int(packet.metadata.tag) - 1) }
    bridge.receive(unit, on: port, at: time)
    perform(at: time)
    cause = nil
    wake?()
  }

  // MARK: Outputs

  private func perform(at time: Int64) {
    var hasChanged = false
    for output in bridge.takeOutputs() {
      switch output {
      case .send(let unit, let port): send(unit, by: port, at: time)
      case .state(let port, let state):
        hasChanged = true
        note("\(owner.ports[port].name), to \(neighbors[port]), is \(state)", at: time)
      case .root(let root):
        hasChanged = true
        note(
          root == bridge.id ? "\(owner.name) takes itself for the root" : "\(owner.name) takes \(root) for the root",
          at: time)
      case .topologyChange(let isChange):
        note(
          isChange
            ? "the tree changes: stations are forgotten after \(Duration.nanoseconds(shortAgeing ?? 0))"
            : "the tree has settled: stations are kept as ever", at: time)
      }
    }
    guard hasChanged else { return }
    owner.recorder?.table(
      .ports, of: owner.node, columns: ["port", "leads to", "role", "state", "cost", "designated bridge"],
      rows: rows, at: time)
  }

  private func note(_ text: String, at time: Int64) {
    owner.recorder?.note("tree", text, node: owner.node, cause: cause, at: time)
  }

  var rows: [[String]] {
    bridge.ports.indices.map { port in
      let known = bridge.ports[port]
      return [
        owner.ports[port].name, neighbors[port], "\(bridge.role(of: port))", "\(known.state)", "\(known.pathCost)",
        "\(known.designatedBridge)",
      ]
    }
  }

  /// As long as a frame of Ethernet is at least, without its check sequence.
  private static let frameByteCount = 60

  private func send(_ unit: BPDU, by port: Int, at time: Int64) {
    let header = EthernetHeader(
      destination: BPDU.group, source: MACAddress(value: address.value + UInt64(port) + 1),
      type: EtherType(value: UInt16(unit.byteCount)))
    var frame = [UInt8](repeating: 0, count: EthernetHeader.untaggedByteCount)
    var body = [UInt8](repeating: 0, count: Self.frameByteCount - frame.count)
    Self.fill(&frame) { header.write(to: &$0) }
    Self.fill(&body) { unit.write(to: &$0) }
    frame += body
    unsafe owner.send(frame.span.bytes, by: port, at: Instant(nanoseconds: time))
  }

  private static func fill(_ bytes: inout [UInt8], _ write: (inout MutableRawSpan) -> Void) {
    var elements = bytes.mutableSpan
    var span = unsafe elements.mutableBytes
    write(&span)
  }
}
