import Martlet
import MartletCore
import MartletLinks
import MartletWire

/// A segment at work: takes what its stations send, has the model say what becomes of it, and hands it to those who hear it.
final class SharedMedium: LoopDevice {
  private struct Frame {
    var bytes: [UInt8]
    /// By which the recording knows the current attempt.
    var tag: UInt32
    var hasBegun = false
  }

  private struct Flight {
    var bytes: [UInt8]
    var tag: UInt32
  }

  /// Where a station is plugged in.
  struct Tap {
    var name: String
    /// The way to it.
    var outgoing: Lane
    var incoming: Lane
    /// How many frames wait before the one that is on.
    var limit: Int
  }

  let node: Int
  private(set) var model: any MediumModel
  let taps: [Tap]
  private let pool: PacketPool
  private let recorder: Recorder?
  private var current: [Frame?]
  private var waiting: [[Frame]]
  private var flights: [Int: Flight] = [:]
  /// Why the current attempt was made, for the recording.
  private var causes: [Recorder.Cause?]
  /// Behind which tap a station is: from the plan, or from what it sent.
  private var stations: [MACAddress: Int]
  var wake: (() -> Void)?

  init(
    node: Int, model: any MediumModel, taps: [Tap], stations: [MACAddress: Int], pool: borrowing PacketPool,
    recorder: Recorder?
  ) {
    self.node = node
    self.model = model
    self.taps = taps
    self.stations = stations
    self.pool = pool.share()
    self.recorder = recorder
    current = taps.map { _ in nil }
    waiting = taps.map { _ in [] }
    causes = taps.map { _ in nil }
    for (index, tap) in taps.enumerated() { self.model.counters[index].station = tap.name }
  }

  var nextDeadline: Instant? { model.nextDeadline.map(Instant.init(nanoseconds:)) }

  func advance(to now: Instant) {
    while let next = model.nextDeadline, next <= now.nanoseconds { perform(model.step()) }
  }

  // MARK: From stations

  func take(_ packet: borrowing Packet, from station: Int, at now: Instant) {
    let time = now.nanoseconds
    let tag = packet.metadata.tag
    recorder?.received(tag, at: time)
    let bytes = Recorder.bytes(of: packet)
    guard bytes.count >= EthernetHeader.untaggedByteCount else {
      return lose(tag, station, "shorter than a header", time)
    }
    let source = unsafe MACAddress(reading: bytes.span.bytes, at: 6)
    if source.isUnicast { stations[source] = station }
    let frame = Frame(bytes: bytes, tag: tag)
    guard current[station] == nil else {
      guard waiting[station].count < taps[station].limit else {
        model.counters[station].drops += 1
        return lose(tag, station, "queue full", time)
      }
      recorder?.waits(tag)
      waiting[station].append(frame)
      noteQueue(station, at: time)
      return
    }
    recorder?.waits(tag)
    offer(frame, by: station, at: time)
    wake?()
  }

  private func lose(_ tag: UInt32, _ station: Int, _ reason: String, _ time: Int64) {
    taps[station].incoming.counters.lost &+= 1
    recorder?.lost(tag, reason, at: time)
  }

  private func noteQueue(_ station: Int, at time: Int64) {
    recorder?.queue(
      of: taps[station].incoming, frames: waiting[station].count,
      bytes: waiting[station].reduce(0) { $0 + $1.bytes.count }, at: time)
  }

  private func offer(_ frame: Frame, by station: Int, at time: Int64) {
    current[station] = frame
    causes[station] = nil
    let destination = unsafe MACAddress(reading: frame.bytes.span.bytes, at: 0)
    let receiver = destination.isMulticast ? nil : stations[destination]
    perform(model.offer(frame.bytes.count, by: station, to: receiver == station ? nil : receiver, at: time))
  }

  /// What the station had to send is gone with its memory.
  func forget(_ station: Int, at time: Int64) {
    model.withdraw(station)
    for frame in waiting[station] { lose(frame.tag, station, "its sender is gone", time) }
    waiting[station] = []
    wake?()
  }

  // MARK: What happens

  private func perform(_ events: [MediumEvent]) {
    for event in events { perform(event.kind, at: event.time) }
  }

  private func perform(_ kind: MediumEvent.Kind, at time: Int64) {
    switch kind {
    case .deferred(let station):
      note("deferred", "\(taps[station].name) hears another and waits", current[station]?.tag, nil, at: time)
    case .began(let station, let signal, let attempt): begin(station, signal, attempt, at: time)
    case .left(_, let signal):
      guard let flight = flights[signal] else { return }
      recorder?.arrives(flight.tag, at: time)
    case .failed(let station, let signal, let reason):
      guard let signal, let flight = flights[signal] ?? current[station].map({ Flight(bytes: $0.bytes, tag: $0.tag) })
      else {
        causes[station] = note("collision", "\(taps[station].name)'s request to send: \(reason)", nil, nil, at: time)
        return
      }
      _ = signal
      if reason == "not acknowledged" {
        recorder?.comment(flight.tag, reason)
        causes[station] = note("timeout", "\(taps[station].name)'s frame was \(reason)", flight.tag, nil, at: time)
      } else {
        recorder?.died(flight.tag, reason, at: time)
        causes[station] = flight.tag > 0 ? .sent(Int(flight.tag) - 1) : nil
      }
    case .backedOff(let station, let slots):
      causes[station] = note(
        "backoff", "\(taps[station].name) waits for \(slots) slot\(slots == 1 ? "" : "s")", current[station]?.tag,
        causes[station], at: time)
    case .sent(let station): finish(station, at: time)
    case .dropped(let station, let reason):
      if let frame = current[station] { lose(frame.tag, station, reason, time) }
      finish(station, at: time)
    case .heard(let station, let signal, let start): deliver(signal, to: station, since: start, at: time)
    case .garbled(let station, let signal, let start): garble(signal, at: station, since: start, at: time)
    case .ended(let signal): flights[signal] = nil
    case .control(let station, let receiver, let word):
      _ = note("control", "\(taps[station].name) to \(taps[receiver].name): \(word)", nil, nil, at: time)
    }
  }

  @discardableResult
  private func note(
    _ kind: String, _ text: String, _ tag: UInt32?, _ cause: Recorder.Cause?, at time: Int64
  ) -> Recorder.Cause? {
    guard let recorder else { return nil }
    let frame = tag.flatMap { $0 > 0 ? Int($0) - 1 : nil }
    return .event(
      recorder.note(
        kind, text, node: node, flow: frame.flatMap { recorder.frames[$0].flow }, frame: frame, cause: cause, at: time))
  }

  private func begin(_ station: Int, _ signal: Int, _ attempt: Int, at time: Int64) {
    guard var frame = current[station] else { return }
    if let recorder {
      if frame.hasBegun {
        frame.tag = recorder.again(frame.tag, attempt: attempt, cause: causes[station], at: time)
      } else {
        recorder.departed(frame.tag, at: time)
      }
    }
    frame.hasBegun = true
    current[station] = frame
    flights[signal] = Flight(bytes: frame.bytes, tag: frame.tag)
  }

  private func finish(_ station: Int, at time: Int64) {
    current[station] = nil
    guard !waiting[station].isEmpty else { return }
    let next = waiting[station].removeFirst()
    noteQueue(station, at: time)
    offer(next, by: station, at: time)
  }

  private func deliver(_ signal: Int, to station: Int, since start: Int64, at time: Int64) {
    guard let flight = flights[signal], var packet = pool.allocate() else { return }
    unsafe packet.append(copying: flight.bytes.span.bytes)
    packet.metadata.tag = flight.tag
    let number = recorder?.frames.count ?? 0
    taps[station].outgoing.send(packet, at: Instant(nanoseconds: time))
    recorder?.heard(number, from: flight.tag, since: start)
  }

  /// What met others on its way to a station for which it was.
  private func garble(_ signal: Int, at station: Int, since start: Int64, at time: Int64) {
    guard let recorder, let flight = flights[signal] else { return }
    let destination = unsafe MACAddress(reading: flight.bytes.span.bytes, at: 0)
    guard destination.isMulticast || stations[destination] == station, var packet = pool.allocate() else { return }
    unsafe packet.append(copying: flight.bytes.span.bytes)
    packet.metadata.tag = flight.tag
    let lane = taps[station].outgoing
    let tag = recorder.sent(packet, on: lane, at: time)
    recorder.heard(Int(tag) - 1, from: flight.tag, since: start)
    recorder.lost(tag, "collision", at: time)
  }
}

/// Where a station's frames come onto a segment; the loop calls it when one is there.
final class MediumPort: LoopDevice {
  private unowned let medium: SharedMedium
  private let station: Int

  init(_ medium: SharedMedium, station: Int) {
    self.medium = medium
    self.station = station
  }

  var nextDeadline: Instant? { medium.taps[station].incoming.nextArrival }

  func advance(to now: Instant) {
    let lane = medium.taps[station].incoming
    while let packet = lane.popArrived(at: now) { medium.take(packet, from: station, at: now) }
    lane.settle()
  }
}
