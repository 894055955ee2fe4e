import Martlet
import MartletWire

/// The frames of a run as a pcapng capture: every interface of every node has a block of its own, named `host/eth0`.
///
/// A frame stands there where it left and where it arrived, at those times, under one packet id. Comments say why a
/// frame was sent again, and because of which event, and where and why it died. Ask for one node's interfaces to see
/// what a capture there would have shown: a dissector takes what it sees on several for repetitions. The same recording
/// gives the same bytes.
public struct Capture: Sendable {
  /// When virtual time begins unless told otherwise: ``Martlet/Loop/virtualEpoch``.
  public static let virtualEpoch = UInt64(Loop.virtualEpoch)

  /// What a reader may be interested in.
  public enum Places: Sendable {
    /// Every interface, sending and receiving.
    case everywhere
    /// Only where a frame left: each frame once for each link it crossed.
    case senders
    /// What one node's interfaces saw.
    case node(Int)
  }

  private let recording: Recording
  private let places: Places
  private let epoch: UInt64

  /// - Parameter epoch: When the world's time 0 is, in nanoseconds since 1970.
  public init(_ recording: Recording, at places: Places = .everywhere, epoch: UInt64 = Capture.virtualEpoch) {
    self.recording = recording
    self.places = places
    self.epoch = epoch
  }

  private struct Sighting {
    var time: Int64
    var isArrival: Bool
    var frame: Int
    var interface: Int
  }

  /// The file.
  public var bytes: [UInt8] {
    var section = PcapngSection(application: "Martlet", comments: ["\(recording.name), seed \(recording.seed)"])
    if !recording.summary.isEmpty { section.comments.append(recording.summary) }
    for reason in recording.unrepeatable { section.comments.append("this run cannot be repeated: \(reason)") }
    var writer = PcapngWriter(section: section)
    // The first block of each node's interfaces.
    var firstBlock: [Int] = []
    for node in recording.nodes {
      firstBlock.append(writer.interfaceCount)
      for interface in node.interfaces { _ = writer.add(Self.describe(interface, of: node, in: recording)) }
    }
    for sighting in sightings(firstBlock) {
      let frame = recording.frames[sighting.frame]
      var options = PcapngPacketOptions(flags: PcapngPacketFlags(sighting.isArrival ? .inbound : .outbound))
      options.packetID = UInt64(recording.root(of: sighting.frame))
      if !sighting.isArrival { options.comments = comments(on: frame) }
      unsafe writer.write(
        frame.bytes.span.bytes, interface: sighting.interface, at: epoch &+ UInt64(clamping: sighting.time),
        options: options)
    }
    return writer.drain()
  }

  private static func describe(_ interface: Recording.Interface, of node: Recording.Node, in recording: Recording)
    -> PcapngInterface
  {
    var words = "\(node.kind.word) \(node.name), interface \(interface.name)"
    if !interface.addresses.isEmpty { words += ", " + interface.addresses.joined(separator: ", ") }
    let link = recording.link(interface.link)
    if let link { words += ", on \(link.name)" }
    return PcapngInterface(
      name: "\(node.name)/\(interface.name)", description: words, macAddress: MACAddress(interface.mac),
      speed: link?.rate)
  }

  /// In the order of time; of one moment arrivals come first, for what arrives may be what is sent on.
  private func sightings(_ firstBlock: [Int]) -> [Sighting] {
    var sightings: [Sighting] = []
    func see(_ end: Recording.Link.End, _ time: Int64, _ isArrival: Bool, _ frame: Int) {
      guard recording.interface(end.node, end.interface) != nil else { return }
      switch places {
      case .everywhere: break
      case .senders: if isArrival { return }
      case .node(let node): if end.node != node { return }
      }
      let block = firstBlock[end.node] + end.interface
      sightings.append(Sighting(time: time, isArrival: isArrival, frame: frame, interface: block))
    }
    for (index, frame) in recording.frames.enumerated() {
      if let sender = recording.sender(of: frame) { see(sender, frame.departure, false, index) }
      guard frame.fate == .delivered else { continue }
      for receiver in recording.receivers(of: frame) { see(receiver, frame.arrival, true, index) }
    }
    return sightings.sorted {
      ($0.time, $0.isArrival ? 0 : 1, $0.frame, $0.interface) < ($1.time, $1.isArrival ? 0 : 1, $1.frame, $1.interface)
    }
  }

  private func comments(on frame: Recording.Frame) -> [String] {
    var comments: [String] = []
    // What is said of a loss below says more.
    for part in frame.comment.split(separator: "; ") where !part.hasPrefix("lost: ") { comments.append(String(part)) }
    let isRemarkable = !comments.isEmpty
    if case .lost(let reason) = frame.fate {
      let place = recording.link(frame.link)?.name ?? "its link"
      comments.append("lost on \(place) at \(TimeText.seconds(frame.arrival)) s: \(reason)")
    }
    if isRemarkable, let cause = frame.cause, let event = recording.event(cause) {
      let host = recording.nodeName(event.node) ?? "?"
      comments.append("because of event #\(cause) at \(TimeText.seconds(event.time)) s on \(host): \(event.text)")
    }
    return comments
  }
}
