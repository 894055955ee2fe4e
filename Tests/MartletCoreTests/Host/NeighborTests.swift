import MartletCore
import MartletWire
import Testing

@Suite("Neighbours on the link")
struct NeighborTests {
  @Test("ARP asks once by broadcast, the answer comes back to the asker, and the packet that waited goes out")
  func arp() throws {
    var net = try TwoHosts()
    let server = try net.b.openDatagram(on: SocketAddress(.any(.v4), port: 7))
    let client = try net.a.openDatagram(on: SocketAddress(.any(.v4), port: 0))
    try net.a.send("first", to: SocketAddress(TwoHosts.b4, port: 7), from: client, at: net.now)
    net.exchange()
    #expect(try net.b.receiveAll(server).map(\.0) == ["first"])
    #expect(net.frames.count == 3)
    let request = try #require(net.frames.first)
    #expect(Array(request.bytes[0..<6]) == [0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
    #expect(Array(request.bytes[12..<14]) == [0x08, 0x06])
    #expect(net.frames[1].fromA == false)
    #expect(Array(net.frames[1].bytes[0..<6]) == [2, 0, 0, 0, 0, 0x0a])
    #expect(net.a.neighborTable().first { $0.address == TwoHosts.b4 }?.mac == TwoHosts.macB)
    #expect(net.b.neighborTable().first { $0.address == TwoHosts.a4 }?.mac == TwoHosts.macA)
  }

  @Test("Neighbour discovery asks the solicited-node group, with hop limit 255")
  func neighborDiscovery() throws {
    var net = try TwoHosts()
    let server = try net.b.openDatagram(on: SocketAddress(.any(.v6), port: 7))
    let client = try net.a.openDatagram(on: SocketAddress(.any(.v6), port: 0))
    try net.a.send("first", to: SocketAddress(TwoHosts.b6, port: 7), from: client, at: net.now)
    net.exchange()
    #expect(try net.b.receiveAll(server).map(\.0) == ["first"])
    let solicitation = try #require(net.frames.first)
    #expect(Array(solicitation.bytes[0..<6]) == [0x33, 0x33, 0xff, 0, 0, 2])
    #expect(solicitation.bytes[21] == 255)
    #expect(solicitation.bytes[54] == 135)
    #expect(net.a.neighborTable().first { $0.address == TwoHosts.b6 }?.mac == TwoHosts.macB)
  }

  @Test("A neighbour that never answers is asked three times, then what waited is given up and the socket told")
  func unresolved() throws {
    var net = try TwoHosts()
    let client = try net.a.openDatagram(on: SocketAddress(.any(.v4), port: 0))
    try net.a.connectDatagram(client, to: SocketAddress("192.0.2.77", port: 7))
    try net.a.send("hello?", from: client, at: net.now)
    net.run(for: .seconds(10))
    #expect(net.frames.filter { $0.bytes[12] == 8 && $0.bytes[13] == 6 }.count == 3)
    #expect(net.a.drops[.neighborUnresolved] == 1)
    #expect(throws: SocketError.self) { try net.a.send("again", from: client, at: net.now) }
    #expect(net.pool.statistics.blocksInUse == 0)
  }

  @Test("Somebody else with our address is noted, and told off once")
  func conflict() throws {
    var net = try TwoHosts()
    var frame: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 0x66, 8, 6]
    frame += [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 0x66, 192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2]
    net.inject(frame)
    #expect(net.b.lastConflict?.address == TwoHosts.b4)
    #expect(net.b.lastConflict?.mac == "02:00:00:00:00:66")
    #expect(net.frames.count == 1, "one announcement in defence")
    net.inject(frame)
    #expect(net.frames.count == 1, "not again within ten seconds (RFC 5227 section 2.4)")
  }
}
