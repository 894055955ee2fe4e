import Testing

@testable import MartletCore

@Suite("TCP: simulation")
struct TCPSimulationTests {
  @Test("Whatever the network does, every byte arrives once and in order, and everything ends", arguments: 0..<20)
  func transfer(group: Int) {
    for offset in 0..<20 {
      let seed = UInt64(group * 20 + offset)
      let simulation = TCPSimulation(seed: seed)
      do {
        try simulation.run()
      } catch {
        Issue.record("seed \(seed): \(error)")
      }
    }
  }

  @Test("The network of the simulation does lose packets")
  func losesPackets() throws {
    var packets = 0
    var lost = 0
    for seed in 0..<10 {
      let simulation = TCPSimulation(seed: UInt64(seed))
      try? simulation.run()
      packets += simulation.packets
      lost += simulation.lostPackets
    }
    #expect(packets > 1_000)
    #expect(lost > packets / 100)
  }
}
