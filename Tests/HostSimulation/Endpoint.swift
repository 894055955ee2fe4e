import MartletCore
import MartletWire

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// One end of a connection, and the program that has it: a writer and a reader that do what the schedule says.
final class Endpoint {
  let plan: ConnectionPlan
  let side: Schedule.Side
  let isOpener: Bool
  let isRude: Bool
  let isImpatient: Bool
  /// Whether its listener answers with SYN cookies: when all of an opener's first segment is lost, what follows it cannot
  /// bring the cookie back, and is reset (RFC 4987 section 3.6).
  let meetsCookies: Bool
  private let setup: HostSetup
  private let keepAlive: Int
  private var options: TCPSocketOptions
  private let writing: [Action]
  private let reading: [Action]
  /// What the writer was to write in all, were nothing to break the connection.
  let planned: Int

  private(set) var socket: SocketID?
  /// When the program does something next.
  var wakeTime: Instant
  private(set) var isOver = false
  /// Whether the connection failed, or was broken off.
  private(set) var isBroken = false
  private var isEstablished = false
  private var openings = 0

  private var writeIndex = 0
  private var writtenOfAction = 0
  private var writePause = Instant.zero
  private(set) var written = 0
  private(set) var hasShutDown = false

  private var readIndex = 0
  private var readOfAction = 0
  private var readPause = Instant.zero
  private(set) var received = 0
  private(set) var sawEnd = false

  init(_ plan: ConnectionPlan, _ side: Schedule.Side, _ schedule: Schedule, keepAlive: Int) {
    self.plan = plan
    self.side = side
    isOpener = plan.opener == side || plan.isSimultaneous
    isRude = schedule.isRude(plan.id)
    isImpatient = schedule.isImpatient
    meetsCookies = !plan.isSimultaneous && schedule.hosts[plan.opener.other.rawValue].usesCookies
    setup = schedule.hosts[side.rawValue]
    self.keepAlive = keepAlive
    options = Self.options(setup, keepAlive: keepAlive)
    var writing: [Action] = []
    var reading: [Action] = []
    for case .action(plan.id, side, let action) in schedule.events {
      if action.isReading { reading.append(action) } else { writing.append(action) }
    }
    self.writing = writing
    self.reading = reading
    var planned = 0
    for action in writing {
      if case .write(let count, _) = action { planned += count }
      if action == .shutdown { break }
    }
    self.planned = planned
    wakeTime = isOpener ? .microseconds(plan.start) : .distantFuture
  }

  static func options(_ setup: HostSetup, keepAlive: Int) -> TCPSocketOptions {
    var options = TCPSocketOptions()
    options.noDelay = setup.noDelay
    guard keepAlive > 0 else { return options }
    options.keepAlive = true
    options.keepAliveIdle = .seconds(keepAlive)
    options.keepAliveInterval = .seconds(5)
    options.keepAliveProbes = 20
    return options
  }

  /// What streams are made of: bytes of chance, of which each stream begins at another place, so that a byte that was moved
  /// or is another stream's is mostly wrong. Its period is a prime, and what follows is its beginning once more.
  private static let pattern: [UInt8] = {
    var random = RandomStream(seed: 0, forkedFor: "pattern")
    let bytes = (0..<period / 8 + 1).flatMap { _ in
      let word = random.next()
      return (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }
    }
    return Array(bytes[..<period]) + bytes[..<longest]
  }()
  private static let period = 131_071
  /// The most bytes that are written or read at one time.
  private static let longest = 65_536

  /// Where in ``pattern`` byte `place` of the stream that `side` writes is.
  private func offset(of place: Int, _ side: Schedule.Side) -> Int {
    (place + (plan.id * 2 + side.rawValue + 1) * 7_919) % Self.period
  }

  var name: String { "\(side.name) \(plan.id)" }

  var description: String {
    """
    \(name): written \(written) of \(planned), read \(received)\(sawEnd ? " and the end" : "")\
    \(hasShutDown ? ", half-closed" : "")\(isOver ? ", over" : "")\(isBroken ? ", broken" : "")
    """
  }

  /// The program has its connection.
  func begin(_ socket: SocketID, at now: Instant) {
    self.socket = socket
    isEstablished = true
    wakeTime = now
  }

  // MARK: Its turn

  func run(_ station: Station, _ simulation: Simulation) throws(SimulationFailure) {
    wakeTime = .distantFuture
    guard !isOver else { return }
    do throws(SocketError) {
      guard let socket else { return try open(station, simulation) }
      let ready = station.host.readiness(of: socket)
      if !isEstablished, ready.contains(.closed), let error = station.host.takeError(of: socket) { throw error }
      // A slow program finds it closed already, with everything there to be read.
      if !isEstablished, ready.contains(.connected) || ready.contains(.closed) { isEstablished = true }
      if isEstablished { try read(socket, station, simulation) }
      if isEstablished || plan.writesEarly { try write(socket, station, simulation) }
    } catch {
      try fail(error, station, simulation)
    }
    if !isOver, let socket, sawEnd, hasShutDown {
      simulation.trace("\(name) closes")
      station.host.close(socket, at: simulation.now)
      isOver = true
    }
  }

  private func open(_ station: Station, _ simulation: Simulation) throws(SocketError) {
    guard isOpener else { return }
    openings += 1
    let mine = UInt16(Station.firstPort + plan.id + (plan.opener == side ? 0 : 1_000))
    let theirs =
      plan.isSimultaneous
      ? UInt16(Station.firstPort + plan.id + (plan.opener == side ? 1_000 : 0)) : Station.listenerPort
    let remote = SocketAddress(Station.address(side.other, isIPv6: plan.isIPv6), port: theirs)
    let local = SocketAddress(Station.address(side, isIPv6: plan.isIPv6), port: mine)
    simulation.trace("\(name) opens")
    socket = try station.host.connect(to: remote, from: local, options: options, at: simulation.now)
    if plan.writesEarly { wakeTime = simulation.now }
  }

  /// The connection failed: is there a cause?
  private func fail(_ error: SocketError, _ station: Station, _ simulation: Simulation) throws(SimulationFailure) {
    simulation.trace("\(name) fails: \(error)")
    if let socket { station.host.close(socket, at: simulation.now) }
    // Nobody answered for the neighbour's address: a program tries again.
    if !isEstablished, case .unreachable = error, !plan.isSimultaneous,
      simulation.network.lostNeighborDiscovery >= 3, openings < 200
    {
      socket = nil
      writeIndex = 0
      written = 0
      writtenOfAction = 0
      hasShutDown = false
      wakeTime = simulation.now + .seconds(1)
      return
    }
    isOver = true
    isBroken = true
    if isRude || isImpatient || (meetsCookies && error == .reset) { return }
    if plan.isSimultaneous, !isEstablished, simulation.network.lostNeighborDiscovery >= 3 { return }
    if plan.isSimultaneous, simulation.peer(of: self).isBroken { return }
    throw simulation.failure(.failed, "\(name): \(error)")
  }

  // MARK: Reading

  private func read(_ socket: SocketID, _ station: Station, _ simulation: Simulation) throws(SocketError) {
    let now = simulation.now
    while !sawEnd, !isOver {
      if readPause > now {
        wakeTime = min(wakeTime, readPause)
        return
      }
      var size = 16_384
      if readIndex < reading.count {
        switch reading[readIndex] {
        case .pauseReading(let span):
          readIndex += 1
          readPause = now + Int64(span) * 1_000
          continue
        case .read(let count, let by):
          guard readOfAction < count else {
            readIndex += 1
            readOfAction = 0
            continue
          }
          size = min(by, count - readOfAction, Self.longest)
        default: readIndex += 1
        }
      }
      switch try station.host.readForSimulation(socket, &simulation.buffer, size, at: now) {
      case .bytes(let count):
        let start = offset(of: received, side.other)
        let expected = Self.pattern[start..<start + count]
        let isRight = unsafe simulation.buffer.withUnsafeBytes { read in
          unsafe expected.withUnsafeBytes { wanted in
            guard let read = read.baseAddress, let wanted = wanted.baseAddress else { return false }
            return unsafe memcmp(read, wanted, count) == 0
          }
        }
        if !isRight {
          let place = zip(simulation.buffer, expected).prefix { $0 == $1 }.reduce(0) { count, _ in count + 1 }
          simulation.note(.content, "\(name) read a wrong byte at \(received + place)")
        }
        received += count
        readOfAction += count
        simulation.noteProgress(bytes: count)
      case .wouldBlock: return
      case .endOfStream:
        sawEnd = true
        simulation.trace("\(name) read the end after \(received) bytes")
        simulation.noteProgress()
      }
    }
  }

  // MARK: Writing

  private func write(_ socket: SocketID, _ station: Station, _ simulation: Simulation) throws(SocketError) {
    let now = simulation.now
    while !hasShutDown, !isOver {
      if writePause > now {
        wakeTime = min(wakeTime, writePause)
        return
      }
      guard writeIndex < writing.count else { return try shutDown(socket, station, simulation) }
      switch writing[writeIndex] {
      case .write(let count, let bySlice):
        let left = count - writtenOfAction
        let taken = try give(left, bySlice, socket, station, simulation)
        writtenOfAction += taken
        written += taken
        if taken > 0 { simulation.noteProgress() }
        guard taken == min(left, Self.longest) else { return }
        if taken < left { continue }
        simulation.trace("\(name) wrote \(count)")
        writtenOfAction = 0
      case .pauseWriting(let span): writePause = now + Int64(span) * 1_000
      case .noDelay(let isOn):
        options.noDelay = isOn
        try station.host.setOptions(options, of: socket)
      case .cork(let isOn): try station.host.setCorked(isOn, of: socket)
      case .shutdown: return try shutDown(socket, station, simulation)
      case .letGo, .abort:
        let isAbort = writing[writeIndex] == .abort
        simulation.trace("\(name) \(isAbort ? "aborts" : "lets go")")
        if isAbort { station.host.abort(socket, at: now) } else { station.host.close(socket, at: now) }
        simulation.noteProgress()
        isOver = true
        isBroken = true
      case .read, .pauseReading: break
      }
      writeIndex += 1
    }
  }

  /// Writes `count` bytes, and returns how many there was room for.
  private func give(
    _ count: Int, _ bySlice: Bool, _ socket: SocketID, _ station: Station, _ simulation: Simulation
  ) throws(SocketError) -> Int {
    let start = offset(of: written, side)
    let bytes = Array(Self.pattern[start..<start + min(count, Self.longest)])
    guard bySlice else { return try station.host.write(unsafe bytes.span.bytes, to: socket, at: simulation.now) }
    guard let region = station.pool.allocateRegion(large: true) else { throw .noResources }
    let size = min(count, PacketPool.largeRegionByteCount)
    unsafe bytes.withUnsafeBytes { source in
      if let base = source.baseAddress { unsafe region.bytes.copyMemory(from: base, byteCount: size) }
    }
    let isTaken = try station.host.write(Slice(region, offset: 0, count: size), to: socket, at: simulation.now)
    return isTaken ? size : 0
  }

  private func shutDown(_ socket: SocketID, _ station: Station, _ simulation: Simulation) throws(SocketError) {
    try station.host.shutdownWrite(socket, at: simulation.now)
    hasShutDown = true
    simulation.trace("\(name) ends its stream after \(written) bytes")
    simulation.noteProgress()
  }
}

extension Host {
  /// Reads up to `size` bytes into `buffer`, which has that size afterwards.
  mutating func readForSimulation(
    _ socket: SocketID, _ buffer: inout [UInt8], _ size: Int, at now: Instant
  ) throws(SocketError) -> ReadResult {
    if buffer.count != size { buffer = [UInt8](repeating: 0, count: size) }
    var span = buffer.mutableSpan
    var bytes = unsafe span.mutableBytes
    return try read(from: socket, into: &bytes, at: now)
  }
}
