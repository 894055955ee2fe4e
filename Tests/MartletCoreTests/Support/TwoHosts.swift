import MartletCore
import MartletWire

/// Two hosts joined by nothing but a loop that carries frames: what one transmits the other receives, a microsecond later.
struct TwoHosts: ~Copyable {
  static let macA: MACAddress = "02:00:00:00:00:0a"
  static let macB: MACAddress = "02:00:00:00:00:0b"
  static let a4: IPAddress = "192.0.2.1"
  static let b4: IPAddress = "192.0.2.2"
  static let a6: IPAddress = "2001:db8::1"
  static let b6: IPAddress = "2001:db8::2"

  let pool: PacketPool
  var a: Host
  var b: Host
  let eth = InterfaceID(index: 1)
  var now = Instant.zero
  /// Every frame that crossed, as bytes, with whether A sent it.
  var frames: [(fromA: Bool, bytes: [UInt8])] = []
  /// Says of each frame whether it arrives.
  var delivers: (_ fromA: Bool, _ bytes: [UInt8]) -> Bool = { _, _ in true }

  init(
    configuration: Host.Configuration = Host.Configuration(), mtu: Int = 1_500, offloads: LinkOffloads = [],
    seed: UInt64 = 1
  ) throws {
    pool = PacketPool()
    a = Host(name: "a", configuration: configuration, pool: pool, seed: seed)
    b = Host(name: "b", configuration: configuration, pool: pool, seed: seed &+ 1)
    _ = a.addInterface(InterfaceConfiguration(name: "eth0", macAddress: Self.macA, mtu: mtu, offloads: offloads))
    _ = b.addInterface(InterfaceConfiguration(name: "eth0", macAddress: Self.macB, mtu: mtu, offloads: offloads))
    try a.addAddress(AddressInSubnet(Self.a4, prefixLength: 24), to: eth)
    try b.addAddress(AddressInSubnet(Self.b4, prefixLength: 24), to: eth)
    try a.addAddress(AddressInSubnet(Self.a6, prefixLength: 64), to: eth)
    try b.addAddress(AddressInSubnet(Self.b6, prefixLength: 64), to: eth)
    exchange()
    frames = []
  }

  /// Carries frames both ways until there are none.
  mutating func exchange() {
    var moved = true
    while moved {
      moved = false
      now.nanoseconds += 1_000
      for fromA in [true, false] {
        var batch = PacketQueue()
        if fromA {
          a.advance(to: now)
          a.transmit(from: eth, at: now) { batch.append($0) }
        } else {
          b.advance(to: now)
          b.transmit(from: eth, at: now) { batch.append($0) }
        }
        while let packet = batch.popFirst() {
          moved = true
          let bytes = packet.allBytes
          frames.append((fromA, bytes))
          guard delivers(fromA, bytes) else { continue }
          if fromA { b.receive(packet, on: eth, at: now) } else { a.receive(packet, on: eth, at: now) }
        }
      }
    }
  }

  /// Lets `duration` pass, stopping wherever a host has something to do.
  mutating func run(for duration: Duration) {
    let end = now.advanced(by: duration)
    exchange()
    while true {
      let next = min(a.nextDeadline ?? .distantFuture, b.nextDeadline ?? .distantFuture)
      guard next <= end else { break }
      now = max(now, next)
      exchange()
    }
    now = max(now, end)
    exchange()
  }

  /// Gives B a frame of the test's own making, and carries the answers.
  mutating func inject(_ bytes: [UInt8]) {
    guard let packet = pool.packet(bytes) else { return }
    b.receive(packet, on: eth, at: now)
    exchange()
  }
}

extension Packet {
  /// All bytes in one array.
  var allBytes: [UInt8] {
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
    if bytes.count <= packet.tailRoom {
      unsafe packet.append(copying: bytes.span.bytes)
    } else {
      unsafe packet.append(copying: bytes.span.bytes.extracting(0..<64))
      guard let region = allocateRegion(large: true) else { return nil }
      unsafe bytes.withUnsafeBytes { source in
        guard let base = source.baseAddress else { return }
        unsafe region.bytes.copyMemory(from: base + 64, byteCount: bytes.count - 64)
      }
      packet.append(Slice(region, offset: 0, count: bytes.count - 64))
    }
    return packet
  }
}

extension Host {
  /// Every datagram that waits on `socket`, as text with its record.
  mutating func receiveAll(_ socket: SocketID, bufferByteCount: Int = 65_536) throws -> [(String, ReceivedDatagram)] {
    var result: [(String, ReceivedDatagram)] = []
    var buffer = [UInt8](repeating: 0, count: bufferByteCount)
    while true {
      var span = buffer.mutableSpan
      var raw = unsafe span.mutableBytes
      guard let record = try receiveDatagram(from: socket, into: &raw) else { return result }
      result.append((String(decoding: buffer.prefix(min(record.byteCount, bufferByteCount)), as: UTF8.self), record))
    }
  }

  /// Sends text as one datagram.
  mutating func send(_ text: String, to remote: SocketAddress? = nil, from socket: SocketID, at now: Instant) throws {
    unsafe try send(Array(text.utf8).span.bytes, to: remote, from: socket, at: now)
  }
}
