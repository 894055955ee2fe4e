public import MartletCore
public import MartletWire

/// A host under test (B) that serves upper-case over UDP and TCP, an honest client (A), and a place on the link (C) from
/// which a test sends whatever it likes.
public struct Bench: ~Copyable {
  public static let macA: MACAddress = "02:00:00:00:00:0a"
  public static let macB: MACAddress = "02:00:00:00:00:0b"
  /// Of B's second interface, if it forwards.
  public static let macB2: MACAddress = "02:00:00:00:01:0b"
  public static let macC: MACAddress = "02:00:00:00:00:0c"
  public static let a4: IPv4Address = "192.0.2.1"
  public static let b4: IPv4Address = "192.0.2.2"
  public static let c4: IPv4Address = "192.0.2.3"
  public static let a6: IPv6Address = "2001:db8::1"
  public static let b6: IPv6Address = "2001:db8::2"
  public static let c6: IPv6Address = "2001:db8::3"
  public static let eth = InterfaceID(index: 1)
  /// The port of B's servers.
  public static let port: UInt16 = 7

  public let pool: PacketPool
  public var a: Host
  public var b: Host
  public var now = Instant.zero
  /// B's servers.
  public private(set) var udpServer: SocketID?
  public private(set) var listener: SocketID?
  /// Connections that B's server has accepted and not closed.
  public private(set) var accepted: [SocketID] = []
  /// What A and B were once found to say to each other without end in no time.
  public private(set) var endlessTalk: [[UInt8]] = []
  /// What A sent last.
  private var lastOfA: [UInt8] = []
  /// What B has sent since somebody last looked.
  public var sent: [[UInt8]] = []
  /// What B has sent by its second interface since somebody last looked.
  public var elsewhere: [[UInt8]] = []

  public init(configuration: Host.Configuration = Host.Configuration(), seed: UInt64 = 1) throws {
    pool = PacketPool()
    a = Host(name: "a", pool: pool, seed: seed)
    b = Host(name: "b", configuration: configuration, pool: pool, seed: seed &+ 1)
    _ = a.addInterface(InterfaceConfiguration(name: "eth0", macAddress: Self.macA))
    _ = b.addInterface(InterfaceConfiguration(name: "eth0", macAddress: Self.macB))
    try a.addAddress(AddressInSubnet(IPAddress(Self.a4), prefixLength: 24), to: Self.eth)
    try b.addAddress(AddressInSubnet(IPAddress(Self.b4), prefixLength: 24), to: Self.eth)
    try a.addAddress(AddressInSubnet(IPAddress(Self.a6), prefixLength: 64), to: Self.eth)
    try b.addAddress(AddressInSubnet(IPAddress(Self.b6), prefixLength: 64), to: Self.eth)
    udpServer = try b.openDatagram(on: SocketAddress(.any(.v6), port: Self.port))
    listener = try b.listen(on: SocketAddress(.any(.v6), port: Self.port))
    if configuration.forwarding.isOn { try addSecondLink() }
    exchange()
    introduceC()
  }

  /// Gives B a second link for what it forwards, narrower than the first, with one neighbour that is there and one that is
  /// not; a way to far off networks there, and one that leads back.
  private mutating func addSecondLink() throws {
    let eth1 = b.addInterface(InterfaceConfiguration(name: "eth1", macAddress: Self.macB2, mtu: 1_280))
    try b.addAddress("198.51.100.1/24", to: eth1)
    try b.addAddress("2001:db8:2::1/64", to: eth1)
    try b.addRoute(to: "203.0.113.0/24", via: "198.51.100.9", on: eth1)
    try b.addRoute(to: "203.0.112.0/24", via: IPAddress(Self.a4), on: Self.eth)
    try b.addRoute(to: "2001:db8:3::/48", via: "2001:db8:2::9", on: eth1)
    let question = Frames.ethernet(
      to: .broadcast, from: Self.macC, type: 0x0806,
      Frames.arp(operation: 1, senderMAC: Self.macC, sender: "198.51.100.9", target: "198.51.100.1"))
    if let packet = pool.packet(question) { b.receive(packet, on: eth1, at: now) }
    var solicitation = IPv6Frame(from: "2001:db8:2::9", to: "2001:db8:2::1", protocol: 58, [])
    solicitation.hopLimit = 255
    let body = Frames.bytes(of: "2001:db8:2::1" as IPAddress) + [1, 1] + Frames.bytes(of: Self.macC)
    solicitation.payload = ICMPFrame(type: 135, body).bytes(from: "2001:db8:2::9", to: "2001:db8:2::1")
    let asked = Frames.ethernet(to: Self.macB2, from: Self.macC, type: 0x86dd, solicitation.bytes)
    if let packet = pool.packet(asked) { b.receive(packet, on: eth1, at: now) }
  }

  /// Makes C known to B, so that answers to it go out at once.
  public mutating func introduceC() {
    inject(
      Frames.ethernet(
        to: .broadcast, from: Self.macC, type: 0x0806,
        Frames.arp(operation: 1, senderMAC: Self.macC, sender: Self.c4, target: Self.b4)))
    let option = [1, 1] + Frames.bytes(of: Self.macC)
    var solicitation = IPv6Frame(from: Self.c6, to: Self.b6, protocol: 58, [])
    solicitation.hopLimit = 255
    solicitation.payload = ICMPFrame(type: 135, Frames.bytes(of: IPAddress(Self.b6)) + option)
      .bytes(from: IPAddress(Self.c6), to: IPAddress(Self.b6))
    inject(Self.frame(solicitation))
    sent = []
  }
}

// MARK: - Frames from C to B

extension Bench {
  public static func ip(_ version: IPVersion) -> (c: IPAddress, b: IPAddress) {
    version == .v4 ? (IPAddress(c4), IPAddress(b4)) : (IPAddress(c6), IPAddress(b6))
  }

  public static func frame(_ packet: IPv4Frame, to mac: MACAddress = macB) -> [UInt8] {
    Frames.ethernet(to: mac, from: macC, type: 0x0800, packet.bytes)
  }

  public static func frame(_ packet: IPv6Frame, to mac: MACAddress = macB) -> [UInt8] {
    Frames.ethernet(to: mac, from: macC, type: 0x86dd, packet.bytes)
  }

  /// A frame with `payload` of `protocol`, which already has its checksum.
  public static func frame(_ version: IPVersion, _ protocol: UInt8, _ payload: [UInt8]) -> [UInt8] {
    version == .v4
      ? frame(IPv4Frame(from: c4, to: b4, protocol: `protocol`, payload))
      : frame(IPv6Frame(from: c6, to: b6, protocol: `protocol`, payload))
  }

  public static func frame(_ version: IPVersion, _ datagram: UDPFrame) -> [UInt8] {
    frame(version, 17, datagram.bytes(from: ip(version).c, to: ip(version).b))
  }

  public static func frame(_ version: IPVersion, _ segment: TCPFrame) -> [UInt8] {
    frame(version, 6, segment.bytes(from: ip(version).c, to: ip(version).b))
  }

  public static func frame(_ version: IPVersion, _ message: ICMPFrame) -> [UInt8] {
    frame(version, version == .v4 ? 1 : 58, message.bytes(from: ip(version).c, to: ip(version).b))
  }
}

// MARK: - Time and frames

extension Bench {
  /// Gives B a frame, lets everybody answer, and returns what B sent.
  @discardableResult
  public mutating func inject(_ frame: [UInt8]) -> [[UInt8]] {
    let before = sent.count
    deliver(frame)
    exchange()
    return Array(sent[before...])
  }

  /// Gives B a frame and lets it sit.
  public mutating func deliver(_ frame: [UInt8]) {
    guard let packet = pool.packet(frame) else { return }
    b.receive(packet, on: Self.eth, at: now)
  }

  /// Carries frames between A and B until there are none, or notes that there is no end to it.
  public mutating func exchange() {
    var rounds = 0
    while rounds < 50_000 {
      guard exchangeOnce() else { return }
      rounds += 1
    }
    if endlessTalk.isEmpty { endlessTalk = [lastOfA, sent.last ?? []] }
  }

  /// Carries what A and B have to say now; false if that was nothing.
  public mutating func exchangeOnce() -> Bool {
    now.nanoseconds += 1_000
    var moved = false
    a.advance(to: now)
    var fromA: [[UInt8]] = []
    a.transmit(from: Self.eth, at: now) { fromA.append($0.bytesForFuzzing) }
    for frame in fromA {
      moved = true
      deliver(frame)
      lastOfA = frame
    }
    while a.nextEvent() != nil {}
    serve()
    b.advance(to: now)
    var fromB: [[UInt8]] = []
    b.transmit(from: Self.eth, at: now) { fromB.append($0.bytesForFuzzing) }
    // Nobody answers on the second link.
    if b.interfaceCount > 2 {
      b.transmit(from: InterfaceID(index: 2), at: now) { elsewhere.append($0.bytesForFuzzing) }
    }
    for frame in fromB {
      moved = true
      if let packet = pool.packet(frame) { a.receive(packet, on: Self.eth, at: now) }
    }
    sent += fromB
    return moved
  }

  /// Lets `duration` pass, stopping wherever a host has something to do.
  public mutating func run(for duration: Duration) {
    let end = now.advanced(by: duration)
    exchange()
    while endlessTalk.isEmpty {
      let next = min(a.nextDeadline ?? .distantFuture, b.nextDeadline ?? .distantFuture)
      guard next <= end else { break }
      now = max(now, next)
      exchange()
    }
    now = max(now, end)
    exchange()
  }

  /// B's program: everything that comes goes back in upper case.
  private mutating func serve() {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while let event = b.nextEvent() {
      if event.socket == udpServer {
        serveDatagrams(event.socket, &buffer)
      } else if event.socket == listener {
        while let connection = try? b.accept(from: event.socket) {
          accepted.append(connection)
          serveConnection(connection, &buffer)
        }
      } else if accepted.contains(event.socket) {
        serveConnection(event.socket, &buffer)
      }
    }
  }

  private mutating func serveDatagrams(_ server: SocketID, _ buffer: inout [UInt8]) {
    while true {
      var span = buffer.mutableSpan
      var bytes = unsafe span.mutableBytes
      guard let record = try? b.receiveDatagram(from: server, into: &bytes) else { return }
      let answer = Self.upperCase(buffer.prefix(record.byteCount))
      try? b.send(unsafe answer.span.bytes, to: record.source, from: server, at: now)
    }
  }

  private mutating func serveConnection(_ connection: SocketID, _ buffer: inout [UInt8]) {
    while true {
      var result: ReadResult?
      do {
        var span = buffer.mutableSpan
        var bytes = unsafe span.mutableBytes
        result = try b.read(from: connection, into: &bytes, at: now)
      } catch { result = nil }
      switch result {
      case .wouldBlock: return
      case .bytes(let count):
        // What does not fit is left out: the clients here send little and read at once.
        let answer = Self.upperCase(buffer.prefix(count))
        _ = try? b.write(unsafe answer.span.bytes, to: connection, at: now)
      case .endOfStream, nil:
        b.close(connection, at: now)
        accepted.removeAll { $0 == connection }
        return
      }
    }
  }

  private static func upperCase(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    bytes.map { (97...122).contains($0) ? $0 - 32 : $0 }
  }
}

// MARK: - Health

extension Bench {
  /// What B no longer does as it should: a new client's exchange over UDP and TCP, IPv4 and IPv6. Nil if all is well.
  public mutating func complaint() -> String? {
    for version in IPVersion.allCases {
      if let complaint = datagramComplaint(version) ?? streamComplaint(version) { return "IP\(version): \(complaint)" }
    }
    return nil
  }

  /// Ends every connection, lets every timer run out, and says what is still held that should not be.
  public mutating func drainComplaint(after duration: Duration = .seconds(400)) -> String? {
    for connection in accepted { b.abort(connection, at: now) }
    accepted = []
    run(for: duration)
    if !endlessTalk.isEmpty { return "A and B do not come to rest: \(endlessTalk)" }
    let use = pool.statistics
    guard use.blocksInUse == 0, use.smallRegionsInUse == 0, use.largeRegionsInUse == 0 else {
      return "\(use.blocksInUse) blocks, \(use.smallRegionsInUse)+\(use.largeRegionsInUse) regions still in use"
    }
    for row in b.socketTable() where row.kind == .tcp { return "connection left over: \(row)" }
    return nil
  }

  private mutating func datagramComplaint(_ version: IPVersion) -> String? {
    do {
      let server = SocketAddress(Self.ip(version).b, port: Self.port)
      let client = try a.openDatagram(on: SocketAddress(.any(version), port: 0))
      defer { a.close(client, at: now) }
      try a.send(unsafe Array("hello".utf8).span.bytes, to: server, from: client, at: now)
      exchange()
      var buffer = [UInt8](repeating: 0, count: 64)
      var span = buffer.mutableSpan
      var bytes = unsafe span.mutableBytes
      guard let record = try a.receiveDatagram(from: client, into: &bytes) else { return "no answer over UDP" }
      let text = String(decoding: buffer.prefix(record.byteCount), as: UTF8.self)
      return text == "HELLO" ? nil : "UDP answered \(text)"
    } catch { return "UDP: \(error)" }
  }

  private mutating func streamComplaint(_ version: IPVersion) -> String? {
    do {
      let client = try a.connect(to: SocketAddress(Self.ip(version).b, port: Self.port), at: now)
      defer { a.close(client, at: now) }
      exchange()
      guard try a.write(unsafe Array("hello".utf8).span.bytes, to: client, at: now) == 5 else {
        return "TCP takes nothing"
      }
      // Delayed acknowledgements and a slow start are no illness.
      run(for: .milliseconds(300))
      guard try readText(client) == "HELLO" else { return "TCP answered something else" }
      try a.shutdownWrite(client, at: now)
      run(for: .milliseconds(300))
      return try readText(client) == nil ? nil : "TCP did not end"
    } catch { return "TCP: \(error)" }
  }

  /// What waits on a connection of A's; nil at its end.
  public mutating func readText(_ client: SocketID) throws(SocketError) -> String? {
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      var span = buffer.mutableSpan
      var bytes = unsafe span.mutableBytes
      switch try a.read(from: client, into: &bytes, at: now) {
      case .bytes(let count): text += String(decoding: buffer.prefix(count), as: UTF8.self)
      case .wouldBlock: return text
      case .endOfStream: return text.isEmpty ? nil : text
      }
    }
  }
}

extension Packet {
  /// All bytes in one array.
  var bytesForFuzzing: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    var raw = unsafe span.mutableBytes
    _ = copyBytes(into: &raw)
    return bytes
  }
}

extension PacketPool {
  /// A packet with `bytes`, in slices if they do not fit into a block.
  func packet(_ bytes: [UInt8]) -> Packet? {
    guard var packet = allocate() else { return nil }
    let inLinear = bytes.count <= packet.tailRoom ? bytes.count : 64
    packet.append(copying: unsafe bytes.span.bytes.extracting(0..<inLinear))
    guard inLinear < bytes.count else { return packet }
    guard bytes.count - inLinear <= PacketPool.largeRegionByteCount, let region = allocateRegion(large: true) else {
      return nil
    }
    unsafe bytes.withUnsafeBytes { source in
      guard let base = source.baseAddress else { return }
      unsafe region.bytes.copyMemory(from: base + inLinear, byteCount: bytes.count - inLinear)
    }
    packet.append(Slice(region, offset: 0, count: bytes.count - inLinear))
    return packet
  }
}
