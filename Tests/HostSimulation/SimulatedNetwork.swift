import MartletCore
import MartletLinks

/// Changes what one host says, behind its back: a tool for tests of the model check itself. False swallows the frame.
public typealias Tamper = (Schedule.Side, inout [UInt8]) -> Bool

/// Both directions of the network: what befalls each packet, and when what is left of it arrives.
final class SimulatedNetwork {
  /// A frame under way.
  struct Flight {
    var time: Instant
    var order: Int
    var to: Schedule.Side
    var frame: SimulatedFrame

    static func < (left: Flight, right: Flight) -> Bool {
      left.time == right.time ? left.order < right.order : left.time < right.time
    }
  }

  private struct Lane {
    let setup: LaneSetup
    /// What befalls packets, in their order.
    var faults: [(packet: Int, fault: Fault)]
    var nextFault = 0
    var packets = 0
    /// When the last frame that nothing delayed arrives: the next is not faster.
    var lastArrival = Instant.zero
    /// When the rate has sent what waits.
    var busyUntil = Instant.zero
    var jitter: RandomStream
  }

  private var lanes: [Lane]
  private let outages: [(side: Schedule.Side?, start: Instant, end: Instant)]
  private let pathMTUs: [(mtu: Int, reported: Bool, start: Instant, end: Instant)]
  /// A heap, the next to arrive in front.
  private var flights: [Flight] = []
  private var order = 0
  private let tamper: Tamper?
  private let tracer: SimulationTracer?
  private(set) var counts = FaultCounts()
  private(set) var packets = 0
  /// ARP and neighbour discovery that did not arrive.
  private(set) var lostNeighborDiscovery = 0

  init(_ schedule: Schedule, tamper: Tamper?, tracer: SimulationTracer?) {
    self.tamper = tamper
    self.tracer = tracer
    lanes = Schedule.Side.allCases.map { side in
      var faults: [(packet: Int, fault: Fault)] = []
      for case .fault(side, let packet, let fault) in schedule.events { faults.append((packet, fault)) }
      // Stable: what befalls one packet befalls it in the schedule's order.
      let sorted = faults.enumerated().sorted { ($0.element.packet, $0.offset) < ($1.element.packet, $1.offset) }
      return Lane(
        setup: schedule.lanes[side.rawValue], faults: sorted.map(\.element),
        jitter: RandomStream(seed: schedule.seed, forkedFor: side.laneName))
    }
    outages = schedule.events.compactMap { event in
      guard case .outage(let side, let start, let span) = event else { return nil }
      return (side, .microseconds(start), .microseconds(start + span))
    }
    pathMTUs = schedule.events.compactMap { event in
      guard case .pathMTU(let mtu, let reported, let start, let span) = event else { return nil }
      return (mtu, reported, .microseconds(start), .microseconds(start + span))
    }
  }

  var isEmpty: Bool { flights.isEmpty }
  var nextArrival: Instant { flights.first?.time ?? .distantFuture }

  /// Whether no outage has begun.
  func hadNoOutage(by now: Instant) -> Bool { !outages.contains { $0.start <= now } }

  /// The frame that arrives next, if it does by `now`.
  func popArrival(at now: Instant) -> Flight? {
    guard let first = flights.first, first.time <= now else { return nil }
    let last = flights.removeLast()
    if !flights.isEmpty {
      flights[0] = last
      siftDown()
    }
    return first
  }

  /// Takes a frame that a host sent. Offloads are done already, but for those that both ends know of.
  func take(_ packet: borrowing Packet, from side: Schedule.Side, at now: Instant) {
    var frame = SimulatedFrame(packet)
    let sent = tracer == nil ? [] : frame.bytes
    packets += 1
    let number = lanes[side.rawValue].packets
    lanes[side.rawValue].packets += 1
    var faults: [Fault] = []
    while lanes[side.rawValue].nextFault < lanes[side.rawValue].faults.count,
      lanes[side.rawValue].faults[lanes[side.rawValue].nextFault].packet <= number
    {
      faults.append(lanes[side.rawValue].faults[lanes[side.rawValue].nextFault].fault)
      lanes[side.rawValue].nextFault += 1
    }
    let layout = FrameLayout(frame.bytes)
    var notes: [String] = []
    let late = befall(&frame, layout, faults, from: side, at: now, &notes)
    tracer?.note(packet, sent, number: number, from: side, at: now, notes: notes)
    guard let late else {
      if layout.isNeighborDiscovery { lostNeighborDiscovery += 1 }
      return
    }
    let arrival = arrival(of: frame, from: side, at: now)
    guard let arrival else {
      if layout.isNeighborDiscovery { lostNeighborDiscovery += 1 }
      return
    }
    for fault in faults {
      guard case .duplicate(let span) = fault else { continue }
      counts.note(.duplicate)
      launch(frame, to: side.other, at: arrival + .microseconds(Int64(late + span)))
    }
    launch(frame, to: side.other, at: arrival + .microseconds(Int64(late)))
  }

  /// Does to a frame what is to befall it; by how much it is late, or nil if it is lost.
  private func befall(
    _ frame: inout SimulatedFrame, _ layout: FrameLayout, _ faults: [Fault], from side: Schedule.Side, at now: Instant,
    _ notes: inout [String]
  ) -> Int? {
    if let tamper, !tamper(side, &frame.bytes) {
      notes.append("swallowed")
      return nil
    }
    if outages.contains(where: { ($0.side ?? side) == side && $0.start <= now && now < $0.end }) {
      notes.append("outage")
      counts.note(.outage)
      return nil
    }
    let size = frame.networkByteCount(layout)
    if !layout.mayFragment,
      let path = pathMTUs.first(where: { $0.mtu < size && $0.start <= now && now < $0.end })
    {
      notes.append("too big for \(path.mtu)")
      counts.note(path.reported ? .tooBigReported : .tooBigSilent)
      if path.reported, let report = frame.tooBig(mtu: path.mtu, layout) {
        launch(report, to: side, at: now + .microseconds(Int64(lanes[side.rawValue].setup.delay)))
      }
      return nil
    }
    var late = 0
    for fault in faults {
      switch fault {
      case .drop:
        notes.append("lost")
        counts.note(.drop)
        return nil
      case .burstDrop:
        notes.append("lost in a burst")
        counts.note(.burstDrop)
        return nil
      case .late(let span):
        notes.append("late by \(Words.span(span))")
        counts.note(.late)
        late += span
      case .corrupt(let bit, let pattern):
        notes.append("corrupt")
        counts.note(.corrupt)
        // ARP has no checksum: the Ethernet one finds it.
        if layout.isNeighborDiscovery && !layout.isIPv6 { return nil }
        if layout.isNeighborDiscovery { lostNeighborDiscovery += 1 }
        frame.corrupt(at: bit, pattern: pattern, layout)
      case .clampWindow(let window):
        if frame.clampWindow(to: window, layout) {
          notes.append("window at most \(window)")
          counts.note(.clampWindow)
        }
      case .duplicate: notes.append("twice")
      }
    }
    return late
  }

  /// When the frame arrives; nil if it finds the queue full.
  private func arrival(of frame: SimulatedFrame, from side: Schedule.Side, at now: Instant) -> Instant? {
    let index = side.rawValue
    let setup = lanes[index].setup
    var departure = now
    if setup.rate > 0 {
      let waiting = max(0, lanes[index].busyUntil - now)
      // What is larger than the whole queue goes when the queue is empty.
      if waiting > 0, Int(waiting) * setup.rate / 8_000_000_000 + frame.bytes.count > setup.queue {
        counts.note(.queueFull)
        return nil
      }
      lanes[index].busyUntil =
        max(now, lanes[index].busyUntil) + Int64(frame.bytes.count * 8_000_000_000 / setup.rate)
      departure = lanes[index].busyUntil
    }
    var arrival = departure + .microseconds(Int64(setup.delay))
    if setup.jitter > 0 {
      arrival = arrival + .microseconds(Int64.random(in: 0...Int64(setup.jitter), using: &lanes[index].jitter))
    }
    arrival = max(arrival, lanes[index].lastArrival)
    lanes[index].lastArrival = arrival
    return arrival
  }

  private func launch(_ frame: SimulatedFrame, to side: Schedule.Side, at time: Instant) {
    order += 1
    flights.append(Flight(time: time, order: order, to: side, frame: frame))
    siftUp()
  }

  private func siftUp() {
    var place = flights.count - 1
    while place > 0, flights[place] < flights[(place - 1) / 2] {
      flights.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  private func siftDown() {
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < flights.count && flights[child] < flights[least] {
        least = child
      }
      guard least != place else { return }
      flights.swapAt(place, least)
      place = least
    }
  }
}

extension Instant {
  static func microseconds(_ count: Int) -> Instant { Instant(nanoseconds: Int64(count) * 1_000) }
}
