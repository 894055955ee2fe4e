import MartletCore
import MartletWire
import Testing

@Suite("UDP between two hosts")
struct UDPTests {
  static let versions = [IPVersion.v4, .v6]

  static func b(_ version: IPVersion) -> IPAddress { version == .v4 ? TwoHosts.b4 : TwoHosts.b6 }

  @Test("A datagram arrives with its sender's address, and the answer goes back there", arguments: versions)
  func echo(version: IPVersion) throws {
    var net = try TwoHosts()
    let server = try net.b.openDatagram(on: SocketAddress(.any(.v6), port: 7))
    let client = try net.a.openDatagram(on: SocketAddress(.any(.v6), port: 0))
    try net.a.send("hello", to: SocketAddress(Self.b(version), port: 7), from: client, at: net.now)
    net.exchange()
    let received = try net.b.receiveAll(server)
    #expect(received.map(\.0) == ["hello"])
    let record = try #require(received.first?.1)
    #expect(record.source.address == (version == .v4 ? TwoHosts.a4 : TwoHosts.a6))
    #expect(record.destination == SocketAddress(Self.b(version), port: 7))
    #expect((49_152...65_535).contains(record.source.port))
    try net.b.send("HELLO", to: record.source, from: server, at: net.now)
    net.exchange()
    #expect(try net.a.receiveAll(client).map(\.0) == ["HELLO"])
  }

  @Test("Of three sockets each gets what is sent to its port: 9157, 6428 and 5775")
  func threePorts() throws {
    var net = try TwoHosts()
    var sockets: [UInt16: SocketID] = [:]
    for port: UInt16 in [9_157, 6_428, 5_775] {
      sockets[port] = try net.b.openDatagram(on: SocketAddress(.any(.v4), port: port))
    }
    let client = try net.a.openDatagram(on: SocketAddress(.any(.v4), port: 0))
    for port: UInt16 in [5_775, 9_157, 6_428] {
      try net.a.send("to \(port)", to: SocketAddress(TwoHosts.b4, port: port), from: client, at: net.now)
    }
    net.exchange()
    for port: UInt16 in [9_157, 6_428, 5_775] {
      #expect(try net.b.receiveAll(try #require(sockets[port])).map(\.0) == ["to \(port)"])
    }
  }

  @Test("A connected socket is preferred to one bound to the address, that to one bound to the port")
  func mostSpecificWins() throws {
    var net = try TwoHosts()
    var options = DatagramOptions()
    options.reusesAddress = true
    let byPort = try net.b.openDatagram(on: SocketAddress(.any(.v4), port: 53), options: options)
    let byAddress = try net.b.openDatagram(on: SocketAddress(TwoHosts.b4, port: 53), options: options)
    let client = try net.a.openDatagram(on: SocketAddress(TwoHosts.a4, port: 4_000))
    try net.a.send("one", to: SocketAddress(TwoHosts.b4, port: 53), from: client, at: net.now)
    net.exchange()
    #expect(try net.b.receiveAll(byAddress).map(\.0) == ["one"])
    let connected = try net.b.openDatagram(on: SocketAddress(TwoHosts.b4, port: 53), options: options)
    try net.b.connectDatagram(connected, to: SocketAddress(TwoHosts.a4, port: 4_000))
    try net.a.send("two", to: SocketAddress(TwoHosts.b4, port: 53), from: client, at: net.now)
    net.exchange()
    #expect(try net.b.receiveAll(connected).map(\.0) == ["two"])
    net.b.close(connected, at: net.now)
    net.b.close(byAddress, at: net.now)
    try net.a.send("three", to: SocketAddress(TwoHosts.b4, port: 53), from: client, at: net.now)
    net.exchange()
    #expect(try net.b.receiveAll(byPort).map(\.0) == ["three"])
  }

  @Test("The same port twice is refused, on another address or protocol version it is not")
  func portReuse() throws {
    var net = try TwoHosts()
    _ = try net.b.openDatagram(on: SocketAddress(TwoHosts.b4, port: 7))
    #expect(throws: SocketError.addressInUse) { _ = try net.b.openDatagram(on: SocketAddress(TwoHosts.b4, port: 7)) }
    #expect(throws: SocketError.addressInUse) { _ = try net.b.openDatagram(on: SocketAddress(.any(.v4), port: 7)) }
    #expect(throws: SocketError.addressInUse) { _ = try net.b.openDatagram(on: SocketAddress(.any(.v6), port: 7)) }
    var only = DatagramOptions()
    only.ipv6Only = true
    _ = try net.b.openDatagram(on: SocketAddress(.any(.v6), port: 7), options: only)
    #expect(throws: SocketError.addressNotAvailable) {
      _ = try net.b.openDatagram(on: SocketAddress(TwoHosts.a4, port: 7))
    }
  }

  @Test("Closing frees the port at once")
  func closeFreesPort() throws {
    var net = try TwoHosts()
    let first = try net.b.openDatagram(on: SocketAddress(.any(.v4), port: 7))
    net.b.close(first, at: net.now)
    let second = try net.b.openDatagram(on: SocketAddress(.any(.v4), port: 7))
    #expect(first != second)
    #expect(throws: SocketError.notASocket) { _ = try net.b.receiveAll(first) }
  }

  @Test("A datagram longer than the buffer is cut off and says so")
  func truncation() throws {
    var net = try TwoHosts()
    let server = try net.b.openDatagram(on: SocketAddress(.any(.v4), port: 7))
    let client = try net.a.openDatagram(on: SocketAddress(.any(.v4), port: 0))
    try net.a.send("hello, world", to: SocketAddress(TwoHosts.b4, port: 7), from: client, at: net.now)
    net.exchange()
    let received = try net.b.receiveAll(server, bufferByteCount: 5)
    #expect(received.map(\.0) == ["hello"])
    #expect(received.first?.1.isTruncated == true)
    #expect(received.first?.1.byteCount == 12)
  }

  /// What is told of datagrams, with the values that only some of them have.
  private func records(_ version: IPVersion, takesShortWays: Bool) throws -> [ReceivedDatagram] {
    var net = try TwoHosts()
    net.b.takesShortWays = takesShortWays
    let server = try net.b.openDatagram(on: SocketAddress(.any(version), port: 7))
    var options = DatagramOptions()
    options.timeToLive = 37
    options.trafficClass = 0xb9
    let client = try net.a.openDatagram(on: SocketAddress(.any(version), port: 5_000), options: options)
    try net.a.connectDatagram(client, to: SocketAddress(Self.b(version), port: 7))
    var records: [ReceivedDatagram] = []
    for size in [0, 1, 64, 97, 1_452, 3_000, 64] {
      let payload = String(repeating: "r", count: size)
      try net.a.send(payload, from: client, at: net.now)
      try net.a.send(payload, from: client, at: net.now)
      net.exchange()
      guard let datagram = try net.b.receiveDatagram(from: server) else { continue }
      records.append(datagram.information)
      let bytes = datagram.payload.allBytes
      #expect(bytes == Array(payload.utf8))
      records += try net.b.receiveAll(server).map(\.1)
    }
    let readiness = net.b.readiness(of: server)
    #expect(readiness == .writable)
    return records
  }

  @Test("What is told of a datagram is the same by either way in, by copy or by reference", arguments: versions)
  func sameRecords(version: IPVersion) throws {
    let short = try records(version, takesShortWays: true)
    let long = try records(version, takesShortWays: false)
    #expect(short == long)
    #expect(short.count == 14)
    let last = try #require(short.last)
    #expect(last.source == SocketAddress(version == .v4 ? TwoHosts.a4 : TwoHosts.a6, port: 5_000))
    #expect(last.destination == SocketAddress(Self.b(version), port: 7))
    #expect(last.hopLimit == 37 && last.trafficClass == 0xb9 && last.byteCount == 64)
    #expect(last.interface == InterfaceID(index: 1))
  }

  @Test("A datagram taken by reference stays as it is when others come and its socket goes")
  func byReference() throws {
    var net = try TwoHosts()
    let server = try net.b.openDatagram(on: SocketAddress(.any(.v4), port: 7))
    let client = try net.a.openDatagram(on: SocketAddress(.any(.v4), port: 0))
    let there = SocketAddress(TwoHosts.b4, port: 7)
    try net.a.send("first", to: there, from: client, at: net.now)
    net.exchange()
    guard let datagram = try net.b.receiveDatagram(from: server) else {
      Issue.record("no datagram came")
      return
    }
    for _ in 0..<100 { try net.a.send("later", to: there, from: client, at: net.now) }
    net.exchange()
    net.b.close(server, at: net.now)
    let source = datagram.information.source.address
    #expect(source == TwoHosts.a4)
    let bytes = datagram.takePayload().allBytes
    #expect(bytes == Array("first".utf8))
  }

  @Test("A connected socket follows its peer's neighbour entry, its own new peer, and new routes")
  func connectedWay() throws {
    var net = try TwoHosts()
    let first = try net.b.openDatagram(on: SocketAddress(.any(.v4), port: 7))
    let second = try net.b.openDatagram(on: SocketAddress(.any(.v4), port: 8))
    let client = try net.a.openDatagram(on: SocketAddress(.any(.v4), port: 0))
    try net.a.connectDatagram(client, to: SocketAddress(TwoHosts.b4, port: 7))
    for _ in 0..<3 {
      try net.a.send("first", from: client, at: net.now)
      net.exchange()
    }
    #expect(try net.b.receiveAll(first).count == 3)
    try net.a.connectDatagram(client, to: SocketAddress(TwoHosts.b4, port: 8))
    for _ in 0..<3 {
      try net.a.send("second", from: client, at: net.now)
      net.exchange()
    }
    #expect(try net.b.receiveAll(second).count == 3)
    #expect(try net.b.receiveAll(first).isEmpty)
    // Past the life of the neighbour's entry somebody has to ask again.
    net.run(for: .seconds(300))
    net.frames = []
    try net.a.send("second", from: client, at: net.now)
    net.run(for: .seconds(10))
    #expect(try net.b.receiveAll(second).count == 1)
    #expect(net.frames.contains { $0.fromA && $0.bytes[12] == 8 && $0.bytes[13] == 6 })
  }

  @Test("A port nobody has is answered by ICMP, which a connected socket hears as refused", arguments: versions)
  func portUnreachable(version: IPVersion) throws {
    var net = try TwoHosts()
    let client = try net.a.openDatagram(on: SocketAddress(.any(version), port: 0))
    try net.a.connectDatagram(client, to: SocketAddress(Self.b(version), port: 9))
    try net.a.send("anybody?", from: client, at: net.now)
    net.exchange()
    #expect(throws: SocketError.refused) { _ = try net.a.receiveAll(client) }
    #expect(net.b.drops[.udpNoSocket] == 1)
  }

  @Test("A datagram of 65,507 bytes crosses in fragments; one more byte is too long", arguments: versions)
  func largest(version: IPVersion) throws {
    var net = try TwoHosts()
    let server = try net.b.openDatagram(on: SocketAddress(.any(.v6), port: 7))
    let client = try net.a.openDatagram(on: SocketAddress(.any(.v6), port: 0))
    let largest = version == .v4 ? 65_507 : 65_527
    let payload = String(repeating: "x", count: largest)
    try net.a.send(payload, to: SocketAddress(Self.b(version), port: 7), from: client, at: net.now)
    net.exchange()
    let received = try net.b.receiveAll(server)
    #expect(received.map(\.0.utf8.count) == [largest])
    #expect(received.first?.0 == payload)
    #expect(net.frames.count > 40)
    #expect(throws: SocketError.messageTooLong) {
      try net.a.send(payload + "x", to: SocketAddress(Self.b(version), port: 7), from: client, at: net.now)
    }
  }

  @Test("A full receive buffer drops the newest datagram and counts it")
  func receiveBufferFull() throws {
    var net = try TwoHosts()
    var options = DatagramOptions()
    options.receiveBufferByteCount = 3 * Packet.blockByteCount
    let server = try net.b.openDatagram(on: SocketAddress(.any(.v4), port: 7), options: options)
    let client = try net.a.openDatagram(on: SocketAddress(.any(.v4), port: 0))
    for index in 0..<5 {
      try net.a.send("\(index)", to: SocketAddress(TwoHosts.b4, port: 7), from: client, at: net.now)
    }
    net.exchange()
    #expect(try net.b.receiveAll(server).map(\.0) == ["0", "1", "2"])
    #expect(net.b.drops[.udpReceiveBufferFull] == 2)
  }

  @Test("An IPv6 socket sees IPv4 peers as mapped addresses, and IPv4 goes over the wire")
  func mappedAddresses() throws {
    var net = try TwoHosts()
    let server = try net.b.openDatagram(on: SocketAddress(.any(.v6), port: 7))
    let client = try net.a.openDatagram(on: SocketAddress(TwoHosts.a4, port: 0))
    try net.a.send("four", to: SocketAddress(TwoHosts.b4, port: 7), from: client, at: net.now)
    net.exchange()
    let record = try #require(try net.b.receiveAll(server).first?.1)
    #expect(record.source.address.v6 == "::ffff:192.0.2.1")
    #expect(net.frames.last.map { $0.bytes[12] } == 0x08)
  }

  @Test("What a host sends to itself does not touch the wire", arguments: versions)
  func loopback(version: IPVersion) throws {
    var net = try TwoHosts()
    let server = try net.a.openDatagram(on: SocketAddress(.any(version), port: 7))
    let client = try net.a.openDatagram(on: SocketAddress(.any(version), port: 0))
    try net.a.send("me", to: SocketAddress(.loopback(version), port: 7), from: client, at: net.now)
    try net.a.send(
      "my address", to: SocketAddress(version == .v4 ? TwoHosts.a4 : TwoHosts.a6, port: 7), from: client, at: net.now)
    net.exchange()
    #expect(try net.a.receiveAll(server).map(\.0) == ["me", "my address"])
    #expect(net.frames.isEmpty)
  }
}
