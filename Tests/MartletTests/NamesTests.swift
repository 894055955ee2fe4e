import Martlet
import MartletCore
import MartletWire
import Testing

@Suite("Names")
struct NamesTests {
  static let table = HostsTable(
    """
    # a comment
    127.0.0.1\tlocalhost

    192.0.2.1   www.example www   # the web server
    2001:db8::1 www.example
    192.0.2.7 old
    not-an-address nobody
    192.0.2.9
    """)

  @Test("A hosts table is read as a file has it")
  func table() {
    #expect(Self.table.entries.count == 4)
    #expect(Self.table.addresses(of: "WWW.Example.") == ["192.0.2.1", "2001:db8::1"])
    #expect(Self.table.canonicalName(of: "www") == "www.example")
    #expect(Self.table.name(of: "192.0.2.7") == "old")
    #expect(Self.table.addresses(of: "nobody").isEmpty)
    #expect(HostsTable(Self.table.description).description == Self.table.description)
  }

  @Test(
    "Services have the ports everybody knows",
    arguments: [
      ("echo", 7), ("discard", 9), ("daytime", 13), ("chargen", 19), ("ftp-data", 20), ("ftp", 21), ("ssh", 22),
      ("telnet", 23), ("smtp", 25), ("domain", 53), ("bootps", 67), ("bootpc", 68), ("http", 80), ("www", 80),
      ("pop3", 110), ("sunrpc", 111), ("rpcbind", 111), ("ntp", 123), ("imap", 143), ("https", 443),
    ] as [(String, UInt16)])
  func services(name: String, port: UInt16) {
    #expect(ServiceTable.standard.port(named: name) == port)
  }

  @Test("A service is known for its transports alone")
  func transports() {
    #expect(ServiceTable.standard.port(named: "ntp", over: .udp) == 123)
    #expect(ServiceTable.standard.port(named: "ntp", over: .tcp) == nil)
    #expect(ServiceTable.standard.name(of: 25) == "smtp")
    #expect(ServiceTable.standard.name(of: 1_234) == nil)
  }

  /// A host with an IPv4 address alone, or with both.
  private func host(v6: Bool = true) throws -> VirtualHost {
    let net = try Network()
    let host = v6 ? net.client : net.loop.host("four")
    host.hosts = Self.table
    return host
  }

  private func addresses(
    _ host: VirtualHost, _ name: String?, _ hints: AddressInfo.Hints, service: String? = "80"
  ) async throws -> [IPAddress] {
    try await host.resolve(name, service: service, hints: hints).map(\.address.address)
  }

  @Test("The version asked for decides which addresses come")
  func family() async throws {
    let host = try host()
    let stream = AddressInfo.SocketType.stream
    #expect(try await addresses(host, "www", .init(socketType: stream)) == ["192.0.2.1"])
    #expect(try await addresses(host, "www.example", .init(socketType: stream)) == ["2001:db8::1", "192.0.2.1"])
    #expect(try await addresses(host, "www.example", .init(family: .v4, socketType: stream)) == ["192.0.2.1"])
    #expect(try await addresses(host, "www.example", .init(family: .v6, socketType: stream)) == ["2001:db8::1"])
    await #expect(throws: NameError.noAddress("old", .v6)) {
      try await host.resolve("old", service: "80", hints: .init(family: .v6))
    }
  }

  @Test("IPv4 addresses stand in for IPv6 where that is asked for")
  func mapped() async throws {
    let host = try host()
    #expect(
      try await addresses(host, "old", .init(family: .v6, socketType: .stream, .v4Mapped)).map(\.v6.description)
        == ["::ffff:192.0.2.7"])
    #expect(
      try await addresses(host, "www.example", .init(family: .v6, socketType: .stream, .v4Mapped)) == ["2001:db8::1"])
    #expect(
      try await addresses(host, "www.example", .init(family: .v6, socketType: .stream, [.v4Mapped, .all]))
        == ["2001:db8::1", "192.0.2.1"])
  }

  @Test("Versions the host does not have are left out where that is asked for")
  func addressConfiguration() async throws {
    let host = try host(v6: false)
    #expect(host.addresses.isEmpty)
    await #expect(throws: NameError.noAddress("www.example", nil)) {
      try await host.resolve("www.example", service: "80", hints: .init(.addressConfig))
    }
    #expect(
      try await addresses(host, "localhost", .init(family: .v4, socketType: .stream, .addressConfig)) == ["127.0.0.1"])
  }

  @Test("Without a name the host itself is meant: to listen, or to call")
  func passive() async throws {
    let host = try host()
    #expect(try await addresses(host, nil, .init(socketType: .stream, .passive)) == ["::", "0.0.0.0"])
    #expect(try await addresses(host, nil, .init(family: .v4, socketType: .stream)) == ["127.0.0.1"])
    await #expect(throws: NameError.malformed("")) { try await host.resolve(nil, service: nil) }
  }

  @Test("What has to be a number and is not is refused")
  func numeric() async throws {
    let host = try host()
    await #expect(throws: NameError.notNumeric("www")) {
      try await host.resolve("www", service: "80", hints: .init(.numericHost))
    }
    await #expect(throws: NameError.notNumeric("http")) {
      try await host.resolve("192.0.2.1", service: "http", hints: .init(.numericService))
    }
    await #expect(throws: NameError.unknownService("65536")) { try await host.resolve("192.0.2.1", service: "65536") }
    await #expect(throws: NameError.unknownService("nonsense")) { try await host.resolve("www", service: "nonsense") }
    await #expect(throws: NameError.unknownName("nowhere")) { try await host.resolve("nowhere", service: "80") }
    #expect(NameError.unknownName("nowhere").description.contains("nowhere"))
    let linkLocal = try await host.resolve("fe80::1%3", service: "http", hints: .init(socketType: .stream))
    #expect(linkLocal.map(\.address) == ["[fe80::1%3]:80"])
  }

  @Test("The canonical name comes with the first answer, and each kind of socket has its own")
  func canonicalName() async throws {
    let host = try host()
    let answers = try await host.resolve("www", service: "domain", hints: .init(.canonicalName))
    #expect(answers.map(\.socketType) == [.stream, .datagram])
    #expect(answers.map(\.canonicalName) == ["www.example", nil])
    let ntp = try await host.resolve("www", service: "ntp")
    #expect(ntp.map(\.socketType) == [.datagram])
  }

  @Test(
    "A name and a service stand in one text",
    arguments: [
      ("old:http", "192.0.2.7:80"), ("192.0.2.1:12000", "192.0.2.1:12000"), ("[2001:db8::5]:25", "[2001:db8::5]:25"),
    ] as [(String, SocketAddress)])
  func text(text: String, address: SocketAddress) async throws {
    let answers = try await host().resolve(text, hints: .init(socketType: .stream))
    #expect(answers.map(\.address) == [address])
  }

  @Test(
    "A text that is no name and service is refused",
    arguments: ["", "server", ":80", "server:", "::1:80", "[::1]80", "[::1"])
  func malformed(text: String) async throws {
    let host = try host()
    await #expect(throws: NameError.malformed(text)) { try await host.resolve(text, hints: .init()) }
  }
}
