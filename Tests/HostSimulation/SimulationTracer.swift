import MartletCore
public import MartletLinks
import MartletWire

/// Tells what happens in a run, line by line, and records the packets.
public final class SimulationTracer {
  private let say: (String) -> Void
  private let recorder: CaptureRecorder?
  private let interfaces: [Int]
  private var describer = PacketDescriber()

  /// Hands each line to `say`, and each frame to `recorder`.
  public init(recorder: CaptureRecorder? = nil, say: @escaping (String) -> Void) {
    self.say = say
    self.recorder = recorder
    interfaces = Schedule.Side.allCases.map { side in
      recorder?.addInterface(PcapngInterface(name: side.name, linkType: .ethernet)) ?? 0
    }
  }

  func note(_ text: String, at now: Instant) { say("\(Self.time(now))  \(text)") }

  func note(
    _ packet: borrowing Packet, _ bytes: [UInt8], number: Int, from side: Schedule.Side, at now: Instant,
    notes: [String]
  ) {
    let fate = notes.isEmpty ? "" : "  [\(notes.joined(separator: ", "))]"
    let words = describer.describe(unsafe bytes.span.bytes)
    say("\(Self.time(now))  \(side.laneName) \(number)  \(words.layer)  \(words.text)\(fate)")
    recorder?.record(
      packet, interface: interfaces[side.rawValue], direction: .outbound, at: now,
      comment: "packet \(side.laneName) \(number)\(fate)")
  }

  private static func time(_ now: Instant) -> String {
    let microseconds = now.nanoseconds / 1_000
    let fraction = String(microseconds % 1_000_000)
    return "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
  }
}
