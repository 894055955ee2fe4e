import Martlet
import MartletCore
import Synchronization

/// The sender's view of a transfer over time: a line of tab-separated values every 10 ms.
final class TransferTrace: Sendable {
  private let lines = Mutex<[String]>([header])

  static let header =
    "seconds\tcwnd\tssthresh\tsrtt_ms\tin_flight\tdelivered\tretransmits\ttimeouts\tsend_window\trecovering"
  private static let interval = Duration.milliseconds(10)

  init() {}

  /// The table, with its header.
  var text: String { lines.withLock { $0.joined(separator: "\n") } + "\n" }

  /// Notes the numbers of `socket`, and what `meter` says was delivered, until it is cancelled; times count from `start`.
  func sample(_ socket: TCPSocket, _ meter: FlowMeter, from start: Instant, _ loop: Loop) async throws {
    while true {
      let info = try socket.info()
      let time = seconds(start.duration(to: loop.now))
      let roundTrip = info.smoothedRoundTrip.map { fixed(seconds($0) * 1_000, 3) } ?? ""
      // A threshold that was never set is as large as can be.
      let threshold = info.slowStartThreshold >= 1 << 30 ? "" : String(info.slowStartThreshold)
      let cells = [
        fixed(time, 6), String(info.congestionWindow), threshold, roundTrip, String(info.bytesInFlight),
        String(meter.byteCount), String(info.retransmittedSegments), String(info.timeouts),
        String(info.sendWindow), info.isRecovering ? "1" : "0",
      ]
      lines.withLock { $0.append(cells.joined(separator: "\t")) }
      try await loop.clock.sleep(for: Self.interval)
    }
  }
}
