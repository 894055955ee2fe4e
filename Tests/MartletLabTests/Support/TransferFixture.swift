import MartletLab
import MartletWire

/// A run that nobody ran: a client behind a switch takes a file from a server two routers away, over a slow link that
/// loses what it is told to lose. The sender is a simple Reno. Made without the laboratory, so that what shows
/// recordings is tested alone.
struct TransferFixture {
  static let client = 0
  static let server = 4
  private static let segmentSize = 1460
  private static let clientMAC = "02:4d:00:00:00:01"
  private static let serverMAC = "02:4d:00:00:00:05"
  private static let r1MACs = ["02:4d:00:00:00:21", "02:4d:00:00:00:22"]
  private static let r2MACs = ["02:4d:00:00:00:31", "02:4d:00:00:00:32"]
  private static let clientAddress: IPv4Address = "192.0.2.10"
  private static let serverAddress: IPv4Address = "198.51.100.80"

  /// What a packet arrives for: the model's next step.
  private struct Arrival {
    var time: Int64
    var order: Int
    var isAtServer: Bool
    var segment: Segment
    var event: Int
  }

  private struct Segment {
    var sequence: UInt32
    var acknowledgment: UInt32?
    var flags: TCPFlags = []
    var options: [UInt8] = []
    var payload: [UInt8] = []
    var comment = ""

    var end: UInt32 {
      sequence + UInt32(payload.count) + (flags.contains(.syn) || flags.contains(.fin) ? 1 : 0)
    }
  }

  private(set) var recording: Recording
  private let losses: Set<Int>
  private let total: Int
  private var arrivals: [Arrival] = []
  private var order = 0
  private var free: [[Int64]] = [[0, 0], [0, 0], [0, 0], [0, 0]]
  private var waiting: [[[Int64]]] = [[[], []], [[], []], [[], []], [[], []]]
  private var identification: UInt16 = 1
  private var dataSent = 0
  private var hasRequest = false

  // The server's sender and the client's receiver.
  private static let serverISN: UInt32 = 900_000
  private static let clientISN: UInt32 = 5_000
  private var next: UInt32 = serverISN + 1
  private var unacknowledged: UInt32 = serverISN + 1
  private var window = 4 * segmentSize
  private var threshold = Int.max
  private var duplicates = 0
  private var recoverUntil: UInt32?
  private var phase = "slow start"
  private var expected: UInt32 = serverISN + 1
  private var held: [(UInt32, UInt32)] = []
  private var clientNext: UInt32 = clientISN + 1

  /// - Parameters:
  ///   - segments: How many full segments the file has.
  ///   - losses: Which data segments die on the slow link, counted from 0 as they are sent.
  static func recording(segments: Int = 40, losses: Set<Int> = [9]) -> Recording {
    var fixture = TransferFixture(segments: segments, losses: losses)
    fixture.run()
    fixture.sort()
    return fixture.recording
  }

  private init(segments: Int, losses: Set<Int>) {
    self.losses = losses
    total = segments * Self.segmentSize
    recording = Recording(name: "a file through two routers", seed: 42)
    recording.summary =
      "A client behind a switch takes a file from a server two routers away; the slow link loses a segment."
    recording.nodes = Self.nodes
    recording.links = Self.links
    recording.flows = [
      Recording.Flow(name: "TCP 192.0.2.10:49152 > 198.51.100.80:80", transport: "TCP", client: 0, server: 4)
    ]
  }

  private static var nodes: [Recording.Node] {
    typealias I = Recording.Interface
    return [
      .init(
        name: "client", kind: .host,
        interfaces: [I(name: "eth0", mac: clientMAC, addresses: ["192.0.2.10/24"], link: 0)]),
      .init(
        name: "s1", kind: .switch,
        interfaces: [I(name: "p1", mac: "", addresses: [], link: 0), I(name: "p2", mac: "", addresses: [], link: 1)]),
      .init(
        name: "r1", kind: .router,
        interfaces: [
          I(name: "eth0", mac: r1MACs[0], addresses: ["192.0.2.1/24"], link: 1),
          I(name: "eth1", mac: r1MACs[1], addresses: ["203.0.113.1/30"], link: 2),
        ]),
      .init(
        name: "r2", kind: .router,
        interfaces: [
          I(name: "eth0", mac: r2MACs[0], addresses: ["203.0.113.2/30"], link: 2),
          I(name: "eth1", mac: r2MACs[1], addresses: ["198.51.100.1/24"], link: 3),
        ]),
      .init(
        name: "server", kind: .host,
        interfaces: [I(name: "eth0", mac: serverMAC, addresses: ["198.51.100.80/24"], link: 3)]),
    ]
  }

  private static var links: [Recording.Link] {
    func link(_ name: String, _ a: (Int, Int), _ b: (Int, Int), _ rate: UInt64, _ delay: Int64, _ faults: String = "")
      -> Recording.Link
    {
      .init(
        name: name, ends: [.init(node: a.0, interface: a.1), .init(node: b.0, interface: b.1)], rate: rate,
        delay: delay, mtu: 1500, faults: faults)
    }
    return [
      link("client-s1", (0, 0), (1, 0), 100_000_000, 5_000), link("s1-r1", (1, 1), (2, 0), 100_000_000, 5_000),
      link("r1-r2", (2, 1), (3, 0), 5_000_000, 10_000_000, "loses what it is told to"),
      link("r2-server", (3, 1), (4, 0), 100_000_000, 20_000),
    ]
  }

  // MARK: Events

  @discardableResult
  private mutating func note(
    _ time: Int64, _ node: Int, _ interface: Int?, _ kind: String, _ text: String, frame: Int? = nil,
    cause: Int? = nil, isOfFlow: Bool = true
  ) -> Int {
    recording.events.append(
      .init(
        time: time, node: node, interface: interface, flow: isOfFlow ? 0 : nil, frame: frame, kind: kind, text: text,
        cause: cause))
    return recording.events.count - 1
  }

  /// Puts a frame on a link; the result is the frame, its arrival, and whether it arrives.
  private mutating func put(
    _ bytes: [UInt8], on link: Int, end: Int, at now: Int64, origin: Int?, cause: Int?, comment: String,
    isOfFlow: Bool, losing: Bool
  ) -> (frame: Int, arrival: Int64) {
    let description = recording.links[link]
    let departure = max(now, free[link][end])
    let sent = departure + Int64(bytes.count + 4) * 8 * 1_000_000_000 / Int64(description.rate ?? 1)
    free[link][end] = sent
    let arrival = losing ? sent + description.delay / 2 : sent + description.delay
    var frame = Recording.Frame(
      link: link, end: end, queued: now, departure: departure, arrival: arrival,
      fate: losing ? .lost("loss") : .delivered, bytes: bytes, flow: isOfFlow ? 0 : nil, origin: origin, cause: cause)
    frame.comment = comment
    recording.frames.append(frame)
    // The queue grows when the frame comes and shrinks when it leaves.
    waiting[link][end].removeAll { $0 <= now }
    if departure > now {
      waiting[link][end].append(departure)
      let size = bytes.count
      let count = waiting[link][end].count
      recording.queues.append(.init(time: now, link: link, end: end, frames: count, bytes: count * size))
      recording.queues.append(
        .init(time: departure, link: link, end: end, frames: count - 1, bytes: (count - 1) * size))
    }
    return (recording.frames.count - 1, arrival)
  }

  // MARK: The way of a packet

  private mutating func send(_ segment: Segment, fromServer: Bool, at now: Int64, cause: Int?) {
    let isData = !segment.payload.isEmpty && fromServer
    let isLost = isData && losses.contains(dataSent)
    if isData { dataSent += 1 }
    identification += 1
    let me = (fromServer ? Self.serverAddress : Self.clientAddress, fromServer ? 80 as UInt16 : 49152)
    let other = (fromServer ? Self.clientAddress : Self.serverAddress, fromServer ? 49152 as UInt16 : 80)
    let body = FrameBytes.tcp(
      from: me, to: other, sequence: segment.sequence, acknowledgment: segment.acknowledgment, flags: segment.flags,
      window: 64_240, options: segment.options, segment.payload)
    // Link, sending end, sending node and interface, and the two stations of each hop.
    let hops: [(Int, Int, Int, Int, String, String)] =
      fromServer
      ? [
        (3, 1, 4, 0, Self.serverMAC, Self.r2MACs[1]), (2, 1, 3, 0, Self.r2MACs[0], Self.r1MACs[1]),
        (1, 1, 2, 0, Self.r1MACs[0], Self.clientMAC), (0, 1, 1, 0, Self.r1MACs[0], Self.clientMAC),
      ]
      : [
        (0, 0, 0, 0, Self.clientMAC, Self.r1MACs[0]), (1, 0, 1, 1, Self.clientMAC, Self.r1MACs[0]),
        (2, 0, 2, 1, Self.r1MACs[1], Self.r2MACs[0]), (3, 0, 3, 1, Self.r2MACs[1], Self.serverMAC),
      ]
    var time = now
    var origin: Int?
    var last = cause
    var timeToLive: UInt8 = 64
    for (number, hop) in hops.enumerated() {
      if number > 0, recording.nodes[hop.2].kind == .router { timeToLive -= 1 }
      let packet = FrameBytes.ipv4(
        from: me.0, to: other.0, protocol: .tcp, timeToLive: timeToLive, identification: identification, body)
      let bytes = FrameBytes.ethernet(from: hop.4, to: hop.5, type: 0x0800, packet)
      let losing = isLost && hop.0 == 2
      let (frame, arrival) = put(
        bytes, on: hop.0, end: hop.1, at: time, origin: origin, cause: number == 0 ? cause : nil,
        comment: number == 0 ? segment.comment : "", isOfFlow: true, losing: losing)
      let kind = number == 0 ? segment.comment.isEmpty ? "sent" : "retransmitted" : "forwarded"
      let words =
        number == 0 && !segment.comment.isEmpty ? segment.comment : "\(segment.payload.count) bytes of payload"
      last = note(time, hop.2, hop.3, kind, words, frame: frame, cause: last)
      origin = frame
      time = arrival
      if losing {
        let event = note(arrival, hop.2, hop.3, "dropped", "lost on r1-r2: loss", frame: frame, cause: last)
        recording.frames[frame].cause = event
        return
      }
      // A node takes a moment.
      time += number < hops.count - 1 ? 2_000 : 0
    }
    let here = fromServer ? Self.client : Self.server
    let event = note(time, here, 0, "received", "\(segment.payload.count) bytes of payload", frame: origin, cause: last)
    order += 1
    arrivals.append(Arrival(time: time, order: order, isAtServer: !fromServer, segment: segment, event: event))
  }

  private mutating func resolve() {
    let everyone = "ff:ff:ff:ff:ff:ff"
    let gateway: IPv4Address = "192.0.2.1"
    let request = FrameBytes.arp(
      isReply: false, sender: (Self.clientMAC, Self.clientAddress), target: ("00:00:00:00:00:00", gateway),
      to: everyone)
    let reply = FrameBytes.arp(
      isReply: true, sender: (Self.r1MACs[0], gateway), target: (Self.clientMAC, Self.clientAddress),
      to: Self.clientMAC)
    tables(at: 0, isResolved: false)
    let why = note(0, 0, 0, "route", "198.51.100.80 is reached by 192.0.2.1 on eth0", isOfFlow: false)
    var (frame, time) = put(
      request, on: 0, end: 0, at: 0, origin: nil, cause: why, comment: "", isOfFlow: false, losing: false)
    var cause = note(0, 0, 0, "sent", "who has 192.0.2.1?", frame: frame, cause: why, isOfFlow: false)
    cause = note(time, 1, 0, "forwarded", "to every port", frame: frame, cause: cause, isOfFlow: false)
    (frame, time) = put(
      request, on: 1, end: 0, at: time, origin: frame, cause: nil, comment: "", isOfFlow: false, losing: false)
    cause = note(time, 2, 0, "received", "who has 192.0.2.1?", frame: frame, cause: cause, isOfFlow: false)
    (frame, time) = put(
      reply, on: 1, end: 1, at: time, origin: nil, cause: cause, comment: "", isOfFlow: false, losing: false)
    cause = note(time, 1, 1, "forwarded", "to p1", frame: frame, cause: cause, isOfFlow: false)
    (frame, time) = put(
      reply, on: 0, end: 1, at: time, origin: frame, cause: nil, comment: "", isOfFlow: false, losing: false)
    cause = note(time, 0, 0, "received", "192.0.2.1 is at \(Self.r1MACs[0])", frame: frame, cause: cause)
    tables(at: time, isResolved: true)
    note(time, 0, nil, "state", "SYN-SENT", cause: cause)
    let options: [UInt8] = [2, 4, 5, 0xb4, 4, 2, 1, 1]
    send(
      Segment(sequence: Self.clientISN, flags: .syn, options: options), fromServer: false, at: time, cause: cause)
  }

  private mutating func run() {
    resolve()
    while let index = arrivals.indices.min(by: {
      (arrivals[$0].time, arrivals[$0].order) < (arrivals[$1].time, arrivals[$1].order)
    }) {
      let arrival = arrivals.remove(at: index)
      recording.duration = max(recording.duration, arrival.time)
      if arrival.isAtServer { serve(arrival) } else { take(arrival) }
    }
    for (node, name, value) in [
      (0, "frames received", UInt64(recording.frames.count / 4)), (0, "bytes copied", UInt64(total)),
      (0, "bytes copied on the way in", 0), (4, "bytes copied", UInt64(total)),
      (4, "segments retransmitted", UInt64(losses.count)),
      (2, "packets forwarded", UInt64(recording.frames.count / 4)),
      (3, "packets forwarded", UInt64(recording.frames.count / 4)),
    ] { recording.counters.append(.init(node: node, name: name, value: value)) }
  }

  // MARK: The two ends

  private mutating func take(_ arrival: Arrival) {
    let segment = arrival.segment
    let now = arrival.time
    if segment.flags.contains(.syn) {
      note(now, 0, nil, "state", "ESTABLISHED", cause: arrival.event)
      socket(now, "ESTABLISHED")
      send(
        Segment(sequence: clientNext, acknowledgment: expected), fromServer: false, at: now, cause: arrival.event)
      let request = Array("GET /swift.html HTTP/1.1\r\nHost: server\r\n\r\n".utf8)
      send(
        Segment(sequence: clientNext, acknowledgment: expected, flags: .psh, payload: request), fromServer: false,
        at: now, cause: arrival.event)
      clientNext += UInt32(request.count)
      return
    }
    guard segment.end != segment.sequence else { return }
    var options: [UInt8] = []
    if segment.sequence == expected {
      expected = segment.end
      while let index = held.firstIndex(where: { $0.0 == expected }) { expected = held.remove(at: index).1 }
    } else if segment.sequence > expected {
      held.append((segment.sequence, segment.end))
      if let last = held.map(\.1).max() {
        options = [1, 1, 5, 10] + FrameBytes.long(held[0].0) + FrameBytes.long(last)
      }
    }
    send(
      Segment(sequence: clientNext, acknowledgment: expected, options: options), fromServer: false, at: now,
      cause: arrival.event)
  }

  private mutating func serve(_ arrival: Arrival) {
    let segment = arrival.segment
    let now = arrival.time
    if segment.flags.contains(.syn) {
      note(now, 4, nil, "state", "SYN-RECEIVED", cause: arrival.event)
      send(
        Segment(
          sequence: Self.serverISN, acknowledgment: Self.clientISN + 1, flags: .syn,
          options: [2, 4, 5, 0xb4, 4, 2, 1, 1]
        ), fromServer: true, at: now, cause: arrival.event)
      return
    }
    if !segment.payload.isEmpty {
      hasRequest = true
      note(now, 4, nil, "said", "200 OK for /swift.html", cause: arrival.event)
      socket(now, "ESTABLISHED")
    }
    guard hasRequest else { return }
    guard let acknowledgment = segment.acknowledgment else { return }
    var cause = arrival.event
    if acknowledgment > unacknowledged {
      acknowledged(acknowledgment)
    } else if acknowledgment == unacknowledged, next > unacknowledged, segment.payload.isEmpty {
      duplicates += 1
      if duplicates == 3, recoverUntil == nil {
        threshold = max(2 * Self.segmentSize, Int(next - unacknowledged) / 2)
        window = threshold + 3 * Self.segmentSize
        recoverUntil = next
        phase = "recovery"
        cause = note(now, 4, nil, "lost", "three duplicate acknowledgments: segment is lost", cause: cause)
        sendData(
          from: unacknowledged, at: now, cause: cause, comment: "retransmission: three duplicate acknowledgments")
      } else if recoverUntil != nil {
        window += Self.segmentSize
      }
    }
    transmit(now, cause)
    sample(now)
  }

  private mutating func acknowledged(_ acknowledgment: UInt32) {
    let count = Int(acknowledgment - unacknowledged)
    unacknowledged = acknowledgment
    duplicates = 0
    if let until = recoverUntil {
      guard acknowledgment >= until else { return }
      recoverUntil = nil
      window = threshold
      phase = "congestion avoidance"
    } else if window < threshold {
      window += min(count, Self.segmentSize)
    } else {
      window += max(1, Self.segmentSize * Self.segmentSize / window)
      phase = "congestion avoidance"
    }
  }

  private mutating func transmit(_ now: Int64, _ cause: Int) {
    let end = Self.serverISN + 1 + UInt32(total)
    while next < end, Int(next - unacknowledged) + Self.segmentSize <= min(window, 64_240) {
      sendData(from: next, at: now, cause: cause, comment: "")
      next += UInt32(Self.segmentSize)
    }
    if next == end, unacknowledged == end {
      note(now, 4, nil, "state", "FIN-WAIT-1", cause: cause)
      socket(now, "FIN-WAIT-1")
      send(Segment(sequence: next, acknowledgment: clientNext, flags: .fin), fromServer: true, at: now, cause: cause)
      next += 1
    }
  }

  private mutating func sendData(from sequence: UInt32, at now: Int64, cause: Int, comment: String) {
    let start = Int(sequence - Self.serverISN - 1)
    let payload = (start..<start + Self.segmentSize).map { UInt8(truncatingIfNeeded: 32 + $0 % 95) }
    send(
      Segment(sequence: sequence, acknowledgment: clientNext, payload: payload, comment: comment), fromServer: true,
      at: now, cause: cause)
  }

  private mutating func sample(_ now: Int64) {
    let trip: Int64 = 20_060_000 + (free[2][1] > now ? free[2][1] - now : 0)
    recording.flows[0].samples.append(
      .init(
        time: now, isClient: false, congestionWindow: window, slowStartThreshold: threshold, receiveWindow: 64_240,
        inFlight: Int(next - unacknowledged), roundTrip: trip, retransmissionTimeout: max(200_000_000, 3 * trip),
        phase: phase, sendQueue: total - Int(min(next - Self.serverISN - 1, UInt32(total)))))
  }

  // MARK: Tables

  private mutating func tables(at time: Int64, isResolved: Bool) {
    func add(_ node: Int, _ kind: Recording.Table.Kind, _ columns: [String], _ rows: [[String]]) {
      recording.tables.append(.init(time: time, node: node, kind: kind, columns: columns, rows: rows))
    }
    let routes = ["destination", "gateway", "interface", "metric"]
    let neighbors = ["address", "MAC", "interface", "state"]
    if !isResolved {
      add(0, .routes, routes, [["192.0.2.0/24", "on link", "eth0", "0"], ["0.0.0.0/0", "192.0.2.1", "eth0", "100"]])
      add(
        2, .routes, routes,
        [
          ["192.0.2.0/24", "on link", "eth0", "0"], ["203.0.113.0/30", "on link", "eth1", "0"],
          ["198.51.100.0/24", "203.0.113.2", "eth1", "10"],
        ])
      add(
        3, .routes, routes,
        [
          ["198.51.100.0/24", "on link", "eth1", "0"], ["203.0.113.0/30", "on link", "eth0", "0"],
          ["192.0.2.0/24", "203.0.113.1", "eth0", "10"],
        ])
      add(
        4, .routes, routes,
        [["198.51.100.0/24", "on link", "eth0", "0"], ["0.0.0.0/0", "198.51.100.1", "eth0", "100"]])
      add(0, .neighbors, neighbors, [["192.0.2.1", "?", "eth0", "incomplete"]])
      add(1, .stations, ["MAC", "port", "age"], [])
      add(2, .neighbors, neighbors, [["203.0.113.2", Self.r2MACs[0], "eth1", "reachable"]])
      add(
        3, .neighbors, neighbors,
        [
          ["198.51.100.80", Self.serverMAC, "eth1", "reachable"], ["203.0.113.1", Self.r1MACs[1], "eth0", "reachable"],
        ])
      add(4, .neighbors, neighbors, [["198.51.100.1", Self.r2MACs[1], "eth0", "reachable"]])
      add(
        4, .sockets, ["protocol", "local", "remote", "state"],
        [["TCP", "*:80", "*:*", "LISTEN"], ["UDP", "*:7", "*:*", ""]])
    } else {
      add(0, .neighbors, neighbors, [["192.0.2.1", Self.r1MACs[0], "eth0", "reachable"]])
      add(1, .stations, ["MAC", "port", "age"], [[Self.clientMAC, "p1", "0 s"], [Self.r1MACs[0], "p2", "0 s"]])
      socket(time, "SYN-SENT")
    }
  }

  private mutating func socket(_ time: Int64, _ state: String) {
    let columns = ["protocol", "local", "remote", "state"]
    recording.tables.append(
      .init(
        time: time, node: 0, kind: .sockets, columns: columns,
        rows: [["TCP", "192.0.2.10:49152", "198.51.100.80:80", state]]))
    guard state != "SYN-SENT" else { return }
    recording.tables.append(
      .init(
        time: time, node: 4, kind: .sockets, columns: columns,
        rows: [
          ["TCP", "*:80", "*:*", "LISTEN"], ["UDP", "*:7", "*:*", ""],
          ["TCP", "198.51.100.80:80", "192.0.2.10:49152", state],
        ]))
  }

  // MARK: Order

  /// Puts frames in the order of departure and events in that of time, and mends the numbers that refer to them.
  private mutating func sort() {
    let frames = recording.frames.indices.sorted {
      (recording.frames[$0].departure, $0) < (recording.frames[$1].departure, $1)
    }
    let events = recording.events.indices.sorted {
      (recording.events[$0].time, $0) < (recording.events[$1].time, $1)
    }
    var frameNumber = [Int](repeating: 0, count: frames.count)
    for (new, old) in frames.enumerated() { frameNumber[old] = new }
    var eventNumber = [Int](repeating: 0, count: events.count)
    for (new, old) in events.enumerated() { eventNumber[old] = new }
    recording.frames = frames.map { old in
      var frame = recording.frames[old]
      frame.origin = frame.origin.map { frameNumber[$0] }
      frame.cause = frame.cause.map { eventNumber[$0] }
      return frame
    }
    recording.events = events.map { old in
      var event = recording.events[old]
      event.frame = event.frame.map { frameNumber[$0] }
      event.cause = event.cause.map { eventNumber[$0] }
      return event
    }
    recording.tables.sort { $0.time < $1.time }
    recording.queues.sort { $0.time < $1.time }
  }
}
