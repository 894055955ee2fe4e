import HostFuzzing
import MartletCore
import MartletWire
import Testing
@Suite struct Probe {
  @Test func probe() throws {
    var bench = try Bench()
    let socket = try bench.a.openEcho(version: .v4)
    try bench.a.sendEcho(unsafe [UInt8](repeating: 0, count: 4000).span.bytes, sequence: 3, to: SocketAddress(IPAddress(Bench.b4), port: 0), from: socket, at: bench.now)
    bench.exchange()
    print("A", bench.a.drops.names, "B", bench.b.drops.names, bench.sent.map { $0.prefix(60) })
  }
}
extension Drop.Counters { var names: [Drop.Reason] { Drop.Reason.allCases.filter { self[$0] > 0 } } }
