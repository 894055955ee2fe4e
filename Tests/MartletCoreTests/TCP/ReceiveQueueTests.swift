import MartletWire
import Testing

@testable import MartletCore

@Suite("The receive queue")
struct ReceiveQueueTests {
  @Test("A reader that never catches up does not use up the memory for pieces out of order")
  func slowReader() {
    let pool = PacketPool()
    var configuration = Host.Configuration.TCP()
    configuration.receiveBufferByteCount = 65_536
    let limits = TCPLimits(configuration)
    var queue = ReceiveQueue()
    let block = [UInt8](repeating: 7, count: 1_460)
    var buffer = [UInt8](repeating: 0, count: 1_460)
    for turn in 0..<1_000 {
      guard var packet = pool.allocate() else {
        Issue.record("no memory")
        return
      }
      unsafe packet.append(copying: block.span.bytes)
      queue.appendInOrder(packet)
      guard turn > 0 else { continue }
      var span = buffer.mutableSpan
      var raw = unsafe span.mutableBytes
      let count = queue.read(into: &raw)
      #expect(count == 1_460)
    }
    #expect(queue.byteCount == 1_460, "one packet is always left")
    guard var piece = pool.allocate() else {
      Issue.record("no memory")
      return
    }
    unsafe piece.append(copying: block.span.bytes)
    let outcome = queue.insert(piece, at: SequenceNumber(3_000), next: SequenceNumber(1_000), limits: limits)
    guard case .outOfOrder = outcome else {
      Issue.record("refused: \(outcome)")
      return
    }
  }
}
