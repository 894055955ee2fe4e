import ArgumentParser
import MartletWire
import Testing

@testable import MartletCommand

@Suite("Options")
struct OptionTests {
  @Test("Network options take addresses of both versions, a router for each, and impairments")
  func network() throws {
    let options = try NetworkOptions.parse([
      "--tap", "tap0", "--address", "192.0.2.1/24", "--address", "2001:db8::1/64", "--gateway", "192.0.2.254",
      "--gateway", "2001:db8::ffff", "--mtu", "9000", "--drop", "2", "--reorder", "0.5", "--seed", "7", "--json",
    ])
    #expect(options.tap == "tap0")
    #expect(options.address == ["192.0.2.1/24", "2001:db8::1/64"])
    #expect(options.gateway == ["192.0.2.254", "2001:db8::ffff"])
    #expect(options.mtu == 9_000)
    #expect(options.drop == 2)
    #expect(options.reorder == 0.5)
    #expect(options.seed == 7)
    #expect(options.json)
  }

  @Test(
    "What cannot be is refused with the exit code for usage",
    arguments: [
      ["--tap", "a", "--interface", "b"], ["--address", "192.0.2.1/33"], ["--address", "nowhere/24"],
      ["--drop", "101"], ["--reorder", "-1"], ["--mtu", "20"], ["--mtu", "1000", "--address", "2001:db8::1/64"],
      ["--gateway", "192.0.2.1", "--gateway", "192.0.2.2"], ["--mac", "ff:ff:ff:ff:ff:ff"], ["--seed", "x"],
    ])
  func refused(_ arguments: [String]) {
    let error = #expect(throws: (any Error).self) { try NetworkOptions.parse(arguments) }
    if let error { #expect(NetworkOptions.exitCode(for: error).rawValue == 64) }
  }

  @Test("A station's address is local, is one station's, and depends on device and address alone")
  func stationAddress() throws {
    let one = try NetworkOptions.parse(["--tap", "tap0", "--address", "192.0.2.1/24"]).stationAddress
    let same = try NetworkOptions.parse(["--tap", "tap0", "--address", "192.0.2.1/24"]).stationAddress
    let other = try NetworkOptions.parse(["--tap", "tap0", "--address", "192.0.2.2/24"]).stationAddress
    #expect(one == same)
    #expect(one != other)
    #expect(one.isUnicast && one.isLocallyAdministered)
    #expect(try NetworkOptions.parse(["--mac", "02:00:00:00:00:09"]).stationAddress == "02:00:00:00:00:09")
  }

  @Test("A publication names this machine's address and the host's port")
  func publication() throws {
    let publication = try #require(PublishedPort(argument: "127.0.0.1:12000=tcp/12001"))
    #expect(publication.outside == SocketAddress("127.0.0.1", port: 12_000))
    #expect(publication.transport == .tcp)
    #expect(publication.port == 12_001)
    #expect(PublishedPort(argument: "[::1]:53=udp/53")?.transport == .udp)
    for text in [
      "", "12000=tcp/1", "127.0.0.1:1", "127.0.0.1:1=tcp", "127.0.0.1:1=sctp/1", "127.0.0.1:1=tcp/0", "a=b=c",
    ] {
      #expect(PublishedPort(argument: text) == nil, "\(text)")
    }
  }

  @Test("JSON keeps the order of its keys and escapes what RFC 8259 wants escaped")
  func json() {
    let value: JSON = ["text": "a\"b\\c\n\u{1}", "count": 3, "list": [true, 1.5]]
    #expect(value.line == #"{"text":"a\"b\\c\n\u0001","count":3,"list":[true,1.5]}"#)
  }

  @Test(
    "Numbers have the digits they were asked for",
    arguments: [(2.0, "2.00"), (0.999, "1.00"), (-1.5, "-1.50"), (0, "0.00")])
  func numbers(_ value: Double, _ text: String) {
    #expect(fixed(value, 2) == text)
  }
}
