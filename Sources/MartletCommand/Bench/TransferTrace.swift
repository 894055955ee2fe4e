import Martlet
import MartletCore
import Synchronization

/// The sender's view of a transfer over time: a line of tab-separated values every 10 ms, and its events if asked for.
final class TransferTrace: Sendable {
  private let lines = Mutex<[String]>([header])
  private let recorded = Mutex<(trace: TCPTrace, start: Instant)?>(nil)
  /// How many events there is room for; 0 if they are not wanted.
  let eventCapacity: Int

  static let header =
    "seconds\tcwnd\tssthresh\tsrtt_ms\tin_flight\tdelivered\tretransmits\ttimeouts\tsend_window\trecovering\twaiting"
  private static let interval = Duration.milliseconds(10)

  init(eventCapacity: Int = 0) { self.eventCapacity = eventCapacity }

  /// The events, with the time that their times count from; nil if none were recorded.
  var events: (trace: TCPTrace, start: Instant)? { recorded.withLock { $0 } }

  /// Has `socket` record its events, if they are wanted.
  func begin(_ socket: TCPSocket) throws { if eventCapacity > 0 { try socket.startTrace(capacity: eventCapacity) } }

  /// Takes what `socket` recorded; times count from `start`.
  func end(_ socket: TCPSocket, from start: Instant) throws {
    guard let trace = try socket.takeTrace() else { return }
    recorded.withLock { $0 = (trace, start) }
  }

  /// The table, with its header.
  var text: String { lines.withLock { $0.joined(separator: "\n") } + "\n" }

  /// Notes the numbers of `socket` until it is cancelled; times count from `start`.
  func sample(_ socket: TCPSocket, from start: Instant, _ loop: Loop) async throws {
    while true {
      let info = try socket.info()
      let time = seconds(start.duration(to: loop.now))
      let roundTrip = info.smoothedRoundTrip.map { fixed(seconds($0) * 1_000, 3) } ?? ""
      // A threshold that was never set is as large as can be.
      let threshold = info.slowStartThreshold >= 1 << 30 ? "" : String(info.slowStartThreshold)
      let cells = [
        fixed(time, 6), String(info.congestionWindow), threshold, roundTrip, String(info.bytesInFlight),
        String(info.deliveredByteCount), String(info.retransmittedSegments), String(info.timeouts),
        String(info.sendWindow), info.isRecovering ? "1" : "0", "\(info.waiting)",
      ]
      lines.withLock { $0.append(cells.joined(separator: "\t")) }
      try await loop.clock.sleep(for: Self.interval)
    }
  }
}
