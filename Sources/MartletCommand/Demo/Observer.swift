import MartletCore
import MartletLinks
import MartletWire
import Synchronization

/// Sees every frame that a host sends and puts it into words.
final class Observer: Sendable {
  /// A frame as it went out.
  struct Sighting {
    var time: Instant
    var frame: PacketDescription
  }

  private struct State {
    var describer: PacketDescriber
    var sightings: [Sighting] = []
    var isWatching = true
    var byteCount = 0
    var frameCount = 0
  }
  private let state: Mutex<State>

  init(names: [MACAddress: String]) { state = Mutex(State(describer: PacketDescriber(names: names))) }

  /// Whether frames are put into words; they are counted always.
  var isWatching: Bool {
    get { state.withLock { $0.isWatching } }
    set { state.withLock { $0.isWatching = newValue } }
  }

  /// How many frames there were, and how many bytes they had.
  var totals: (frames: Int, bytes: Int) { state.withLock { ($0.frameCount, $0.byteCount) } }

  /// What was seen since the last call, in order.
  func takeSightings() -> [Sighting] {
    state.withLock { state in
      defer { state.sightings = [] }
      return state.sightings
    }
  }

  fileprivate func see(_ packet: borrowing Packet, at now: Instant) {
    state.withLock { state in
      state.frameCount += 1
      state.byteCount += packet.count
      guard state.isWatching else { return }
      // Headers and the short texts of the demonstration; a longer payload is told by its size.
      var bytes = [UInt8](repeating: 0, count: min(packet.count, 512))
      var elements = bytes.mutableSpan
      var span = unsafe elements.mutableBytes
      _ = packet.copyBytes(into: &span)
      let frame = unsafe state.describer.describe(bytes.span.bytes, byteCount: packet.count)
      state.sightings.append(Sighting(time: now, frame: frame))
    }
  }
}

/// A link whose sender is watched.
final class ObservedLink: Link {
  private let base: any Link
  private let observer: Observer

  init(_ base: any Link, by observer: Observer) {
    self.base = base
    self.observer = observer
  }

  var macAddressHint: UInt64? { base.macAddressHint }
  var mtu: Int { base.mtu }
  var offloads: LinkOffloads { base.offloads }
  var descriptor: CInt? { base.descriptor }
  var nextDeadline: Instant? { base.nextDeadline }

  func attach(wake: @escaping () -> Void) { base.attach(wake: wake) }

  func send(_ packet: consuming Packet, at now: Instant) {
    observer.see(packet, at: now)
    base.send(packet, at: now)
  }

  func flush(at now: Instant) { base.flush(at: now) }

  func receive(at now: Instant, limit: Int, into body: (consuming Packet) -> Void) -> Int {
    base.receive(at: now, limit: limit, into: body)
  }
}
