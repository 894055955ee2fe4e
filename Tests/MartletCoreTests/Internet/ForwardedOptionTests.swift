import HostFuzzing
import MartletCore
import MartletWire
import Testing

@Suite("IPv4 options on their way through a router", .rfc(1812, "RR-1"))
struct ForwardedOptionTests {
  /// The options of the packet that the router sent on, or nil if it sent none on.
  private func options(after options: [UInt8]) throws -> [UInt8]? {
    var bench = try RouterBench()
    bench.now = Instant(nanoseconds: 5_000_000_000)
    let sent = bench.fromLeft(Routed.v4(options: options)).filter { $0.interface == RouterBench.right }
    guard let packet = sent.first?.packet else { return nil }
    #expect(Frames.checksum(Array(packet.prefix(20 + options.count))) == 0)
    #expect(packet[8] == 63)
    return Array(packet[20..<20 + options.count])
  }

  private static let here: [UInt8] = [198, 51, 100, 1]
  /// Five seconds, and that they are not since midnight.
  private static let time: [UInt8] = [0x80, 0, 0x13, 0x88]

  @Test("A route is recorded while there is room", .rfc(791, section: "3.1"))
  func recordRoute() throws {
    #expect(try options(after: [7, 7, 4, 0, 0, 0, 0, 0]) == [7, 7, 8] + Self.here + [0])
    #expect(
      try options(after: [7, 11, 8, 9, 9, 9, 9, 0, 0, 0, 0, 0]) == [7, 11, 12, 9, 9, 9, 9] + Self.here + [0])
    #expect(try options(after: [7, 7, 8, 1, 2, 3, 4, 0]) == [7, 7, 8, 1, 2, 3, 4, 0])
  }

  @Test(
    "Times are recorded, with addresses if that is asked for, and who finds no room is counted",
    .rfc(791, section: "3.1"))
  func timestamps() throws {
    #expect(try options(after: [68, 8, 5, 0, 0, 0, 0, 0]) == [68, 8, 9, 0] + Self.time)
    #expect(try options(after: [68, 8, 9, 0, 1, 2, 3, 4]) == [68, 8, 9, 0x10, 1, 2, 3, 4])
    #expect(
      try options(after: [68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0]) == [68, 12, 13, 1] + Self.here + Self.time)
    #expect(
      try options(after: [68, 12, 5, 3] + Self.here + [0, 0, 0, 0]) == [68, 12, 13, 3] + Self.here + Self.time)
    let others: [UInt8] = [68, 12, 5, 3, 9, 9, 9, 9, 0, 0, 0, 0]
    #expect(try options(after: others) == others)
  }

  @Test("Other options go along, router alert too", .rfc(2113, section: "2.1"))
  func others() throws {
    for options in [[148, 4, 0, 0], [1, 1, 1, 0], [200, 4, 7, 7]] as [[UInt8]] {
      #expect(try self.options(after: options) == options)
    }
  }

  @Test("A bad one is pointed at, and a source route is refused", .rfc(7126, section: "4.3"))
  func bad() throws {
    var bench = try RouterBench()
    let errors = bench.fromLeft(Routed.v4(options: [1, 7, 7, 2, 0, 0, 0, 0])).errors
    #expect(errors.map(\.type) == [12])
    #expect(errors.map(\.word) == [21 << 24])
    // No room for a whole time, and no way to say so.
    #expect(bench.fromLeft(Routed.v4(options: [68, 8, 9, 0xf0, 0, 0, 0, 0])).errors.map(\.type) == [12])
    #expect(bench.fromLeft(Routed.v4(options: [137, 7, 4, 203, 0, 113, 1, 0])) == [])
    #expect(
      bench.dropReasons
        == [.ipOptionMalformed, .ipOptionMalformed, .ipSourceRouted].sorted { $0.rawValue < $1.rawValue })
  }
}
