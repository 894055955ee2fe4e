import MartletWire

@testable import MartletCore

/// Two connections with a bad network between them, both programs writing, reading and closing as a seed says.
final class TCPSimulation {
  enum Failure: Error, CustomStringConvertible {
    case wrongByte(side: Int, at: Int)
    case failed(side: Int, SocketError?)
    case lost(side: Int, delivered: Int, of: Int)
    case stuck(String)
    case leak(String)
    case invariant(String)

    var description: String {
      switch self {
      case .wrongByte(let side, let place): "side \(side) read a wrong byte at \(place)"
      case .failed(let side, let error): "side \(side) failed: \(String(describing: error))"
      case .lost(let side, let delivered, let total): "side \(side) read \(delivered) of \(total) bytes"
      case .stuck(let text): "it does not end: \(text)"
      case .leak(let text): "leak: \(text)"
      case .invariant(let text): "invariant: \(text)"
      }
    }
  }

  struct Network {
    var loss = 0.0
    var duplication = 0.0
    var reordering = 0.0
    var delay: ClosedRange<Double> = 0.001...0.050
    /// No packet gets through between these times.
    var partition: Range<Double>?
  }

  /// A packet under way.
  struct Flight {
    var time: Instant
    var order: Int
    var side: Int
    var bytes: [UInt8]
    var segmentSize: UInt16
  }

  /// One end and its program.
  final class End {
    var connection: TCPConnection?
    let toWrite: Int
    var written = 0
    var received = 0
    var sawEnd = false
    var hasClosed = false
    var nextAction = Instant.zero

    init(toWrite: Int) { self.toWrite = toWrite }
  }

  var random: RandomStream
  let network: Network
  let pool = PacketPool()
  let ends: (End, End)
  var now = Instant.zero
  var flights: [Flight] = []
  var order = 0
  private(set) var packets = 0
  private(set) var lostPackets = 0
  let configurations: (Host.Configuration.TCP, Host.Configuration.TCP)
  let segmentSizes: (Int, Int)
  let superSegment: UInt16
  let actionGap: Double

  init(seed: UInt64) {
    var random = RandomStream(seed: seed, forkedFor: "tcp simulation")
    func chance(_ p: Double) -> Bool { Double.random(in: 0..<1, using: &random) < p }
    var network = Network()
    if chance(0.8) { network.loss = Double.random(in: 0..<0.15, using: &random) }
    if chance(0.5) { network.duplication = Double.random(in: 0..<0.2, using: &random) }
    if chance(0.6) { network.reordering = Double.random(in: 0..<0.5, using: &random) }
    if chance(0.2) {
      let start = Double.random(in: 0..<3, using: &random)
      network.partition = start..<start + Double.random(in: 0..<20, using: &random)
    }
    if chance(0.3) { network.delay = 0.000_01...0.000_1 }
    self.network = network
    func configuration() -> Host.Configuration.TCP {
      var configuration = Host.Configuration.TCP()
      configuration.receiveBufferByteCount = Int.random(in: 2_000...200_000, using: &random)
      configuration.sendBufferByteCount = Int.random(in: 2_000...200_000, using: &random)
      configuration.timestamps = chance(0.6)
      configuration.selectiveAcknowledgments = chance(0.7)
      configuration.windowScaling = chance(0.7)
      configuration.maximumReassemblyPieces = chance(0.2) ? 3 : 512
      return configuration
    }
    configurations = (configuration(), configuration())
    segmentSizes = (Int.random(in: 200...1_480, using: &random), Int.random(in: 200...1_480, using: &random))
    superSegment = chance(0.5) ? 65_000 : 0
    actionGap = chance(0.5) ? 0.000_5 : 0.02
    func end() -> End {
      End(toWrite: chance(0.15) ? 0 : Int.random(in: 1...150_000, using: &random))
    }
    ends = (end(), end())
    var options = TCPSocketOptions()
    options.noDelay = chance(0.3)
    let isSimultaneous = chance(0.15)
    let flow = TCPScript.flow
    ends.0.connection = TCPConnection(
      connecting: flow, options: options, configuration: configurations.0,
      initialSequence: SequenceNumber(UInt32.random(in: 0 ... .max, using: &random)),
      timestampOffset: UInt32.random(in: 0 ... .max, using: &random), maximumSegmentSize: segmentSizes.0, now: now)
    ends.0.connection?.maximumSuperSegment = superSegment
    if isSimultaneous {
      ends.1.connection = TCPConnection(
        connecting: flow.reversed, configuration: configurations.1,
        initialSequence: SequenceNumber(UInt32.random(in: 0 ... .max, using: &random)),
        maximumSegmentSize: segmentSizes.1, now: now)
      ends.1.connection?.maximumSuperSegment = superSegment
    }
    self.random = random
  }

  static func byte(_ place: Int, side: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: place &* 31 &+ place >> 8 &+ side * 7)
  }

  private func chance(_ p: Double) -> Bool { p > 0 && Double.random(in: 0..<1, using: &random) < p }

  private func seconds(_ range: ClosedRange<Double>) -> Nanoseconds {
    Nanoseconds(Double.random(in: range, using: &random) * 1e9)
  }

  // MARK: Running

  func run() throws {
    var steps = 0
    while true {
      steps += 1
      let first = step(0)
      let second = step(1)
      try first.get()
      try second.get()
      if isOver(ends.0), isOver(ends.1) { break }
      var next = Instant.distantFuture
      for flight in flights { next = min(next, flight.time) }
      for time in [wakeUp(ends.0), wakeUp(ends.1)] { if let time { next = min(next, time) } }
      if next == .distantFuture || steps > 400_000 || next > Instant(nanoseconds: .seconds(7_200)) {
        throw Failure.stuck("\(steps) steps, \(now), \(describe(ends.0)) | \(describe(ends.1))")
      }
      now = max(now, next)
      try deliver()
    }
    for side in 0..<2 {
      let delivered = side == 0 ? ends.0.received : ends.1.received
      let total = side == 0 ? ends.1.toWrite : ends.0.toWrite
      if delivered != total { throw Failure.lost(side: side, delivered: delivered, of: total) }
    }
    flights = []
    ends.0.connection = nil
    ends.1.connection = nil
    let statistics = pool.statistics
    if statistics.blocksInUse + statistics.smallRegionsInUse + statistics.largeRegionsInUse != 0 {
      throw Failure.leak("\(statistics)")
    }
  }

  private func describe(_ end: End) -> String {
    switch end.connection {
    case .some(let connection):
      "\(connection.info) written \(end.written)/\(end.toWrite) read \(end.received) timers \(connection.timers)"
    case .none: "none"
    }
  }

  private func isOver(_ end: End) -> Bool {
    switch end.connection {
    case .some(let connection): connection.isFinished
    case .none: false
    }
  }

  private func wakeUp(_ end: End) -> Instant? {
    switch end.connection {
    case .some(let connection):
      if connection.isFinished { return nil }
      guard let deadline = connection.deadline else {
        return end.hasClosed || end.nextAction == .distantFuture ? nil : end.nextAction
      }
      return end.hasClosed ? deadline : min(deadline, end.nextAction)
    case .none: return nil
    }
  }

  private func step(_ side: Int) -> Result<Void, Failure> {
    do {
      if side == 0 { try act(ends.0, side: 0) } else { try act(ends.1, side: 1) }
      return .success(())
    } catch { return .failure(error) }
  }

  /// Fires timers, lets the program do something, and puts what goes out on the network.
  private func act(_ end: End, side: Int) throws(Failure) {
    guard var connection = end.connection.take() else { return }
    if let deadline = connection.deadline, deadline <= now { connection.advance(to: now) }
    var failure: Failure?
    if end.nextAction <= now, !end.hasClosed {
      // A program that could do nothing waits for an event.
      end.nextAction = .distantFuture
      do throws(Failure) {
        if try runProgram(end, &connection, side: side) { end.nextAction = now + seconds(0...actionGap) }
      } catch { failure = error }
    }
    var output = PacketQueue()
    if connection.wantsTransmit { connection.transmit(from: pool, at: now, into: &output) }
    if connection.sendUnacknowledged > connection.sendNext || connection.sendNext > connection.sendMaximum {
      failure = .invariant("SND.UNA <= SND.NXT")
    }
    if !connection.takeChanges().isEmpty, !end.hasClosed {
      end.nextAction = min(end.nextAction, now + seconds(0...actionGap))
    }
    end.connection = consume connection
    while let packet = output.popFirst() { send(packet, from: side) }
    if let failure { throw failure }
  }

  private func runProgram(_ end: End, _ connection: inout TCPConnection, side: Int) throws(Failure) -> Bool {
    var didSomething = false
    do throws(SocketError) {
      if connection.state.isSynchronized, end.written < end.toWrite {
        let count = min(Int.random(in: 1...8_000, using: &random), end.toWrite - end.written)
        let start = end.written
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
          for index in 0..<count { unsafe buffer[index] = Self.byte(start + index, side: side) }
          used = count
        }
        let taken = unsafe try connection.write(bytes.span.bytes, from: pool, at: now)
        end.written += taken
        didSomething = taken == count
      }
      if end.written == end.toWrite, connection.state.isSynchronized { try connection.shutdownWrite(at: now) }
      if chance(0.3) {
        didSomething = true
      } else {
        var buffer = [UInt8](repeating: 0, count: Int.random(in: 1...20_000, using: &random))
        var span = buffer.mutableSpan
        var bytes = unsafe span.mutableBytes
        switch try connection.read(into: &bytes, at: now) {
        case .bytes(let count):
          for index in 0..<count where buffer[index] != Self.byte(end.received + index, side: 1 - side) {
            throw SocketError.messageTooLong
          }
          end.received += count
          didSomething = true
        case .endOfStream: end.sawEnd = true
        case .wouldBlock: break
        }
      }
    } catch {
      if error == .messageTooLong { throw .wrongByte(side: side, at: end.received) }
      // The peer is gone for good after it closed and everything was read: fine.
      throw .failed(side: side, error)
    }
    if end.sawEnd, end.written == end.toWrite {
      connection.close(at: now)
      end.hasClosed = true
    }
    return didSomething
  }

  // MARK: The network

  private func send(_ packet: borrowing Packet, from side: Int) {
    packets += 1
    let time = Double(now.nanoseconds) / 1e9
    if chance(network.loss) || network.partition?.contains(time) == true {
      lostPackets += 1
      return
    }
    var bytes = [UInt8](repeating: 0, count: packet.count)
    unsafe bytes.withUnsafeMutableBytes { target in
      if let start = target.baseAddress { unsafe packet.copyBytes(from: 0, count: target.count, to: start) }
    }
    for _ in 0..<(chance(network.duplication) ? 2 : 1) {
      let base = (network.delay.lowerBound + network.delay.upperBound) / 2
      let delay = chance(network.reordering) ? seconds(network.delay) : Nanoseconds(base * 1e9)
      order += 1
      flights.append(
        Flight(
          time: now + delay, order: order, side: 1 - side, bytes: bytes, segmentSize: packet.metadata.segmentSize))
    }
  }

  private func deliver() throws {
    let due = flights.filter { $0.time <= now }.sorted { ($0.time, $0.order) < ($1.time, $1.order) }
    flights.removeAll { $0.time <= now }
    for flight in due {
      let header = unsafe try TCPHeader(parsing: flight.bytes.span.bytes)
      let options = unsafe try TCPOptions(of: header, in: flight.bytes.span.bytes)
      guard let payload = packet(of: flight.bytes.dropFirst(Int(header.headerByteCount)), flight.segmentSize) else {
        throw Failure.leak("no memory: \(pool.statistics)")
      }
      if flight.side == 1, ends.1.connection == nil, header.flags == .syn {
        ends.1.connection = TCPConnection(
          accepting: TCPScript.flow.reversed, syn: header, options: options, configuration: configurations.1,
          initialSequence: SequenceNumber(UInt32.random(in: 0 ... .max, using: &random)),
          maximumSegmentSize: segmentSizes.1, now: now)
        ends.1.connection?.maximumSuperSegment = superSegment
        continue
      }
      _ =
        flight.side == 0
        ? ends.0.connection?.receive(header, options, payload: payload, at: now)
        : ends.1.connection?.receive(header, options, payload: payload, at: now)
    }
  }

  private func packet(of bytes: ArraySlice<UInt8>, _ segmentSize: UInt16) -> Packet? {
    guard var packet = pool.allocate() else { return nil }
    packet.metadata.segmentSize = segmentSize
    if bytes.count <= packet.tailRoom {
      unsafe packet.append(copying: bytes.span.bytes)
    } else {
      guard let region = pool.allocateRegion(large: true) else { return nil }
      unsafe bytes.withUnsafeBytes { source in
        if let start = source.baseAddress { unsafe region.bytes.copyMemory(from: start, byteCount: source.count) }
      }
      packet.append(Slice(region, offset: 0, count: bytes.count))
    }
    return packet
  }
}
