import Martlet
import MartletCore
import MartletLinks
import MartletWire
import Synchronization
import Testing

/// Two hosts with a wire between them on which a file takes its time.
private struct SlowNetwork {
  let loop: Loop
  let client: VirtualHost
  let server: VirtualHost

  static let address: IPAddress = "10.0.0.2"

  /// - Parameter offloads: Whether the wire fills in checksums and cuts segments; otherwise the host does.
  init(offloads: Bool, megabitsPerSecond: UInt64? = 100, delay: Duration = .milliseconds(10)) throws {
    loop = Loop(.virtual(seed: 3))
    client = loop.host("client")
    server = loop.host("server")
    var wire = VirtualWire.Configuration()
    wire.delay = delay
    wire.bitsPerSecond = megabitsPerSecond.map { $0 * 1_000_000 }
    if offloads { wire.offloads = [.transmitChecksum, .segmentTCPv4, .segmentTCPv6] }
    let cable = VirtualWire(wire)
    try client.attach(cable.left, addresses: ["10.0.0.1/24"])
    try server.attach(cable.right, addresses: ["10.0.0.2/24"])
  }

  /// What a client gets of a file while `meddle` is called once, when about `moment` bytes have arrived.
  func fetch(
    _ file: TemporaryFile, way: FileWay, offset: Int64 = 0, count: Int64? = nil, moment: Int = .max,
    meddle: @escaping @Sendable () -> Void = {}
  ) async throws -> Fetched {
    let (loop, server, client) = (loop, server, client)
    let outcome = Mutex<Result<TransferStatistics, FileTransferError>?>(nil)
    let fetched = try await loop.run {
      let listener = try server.listen(on: 80)
      loop.task {
        let socket = try await listener.accept()
        do throws(FileTransferError) {
          let statistics = try await socket.sendFile(file.descriptor, offset: offset, count: count, way: way)
          outcome.withLock { $0 = .success(statistics) }
        } catch { outcome.withLock { $0 = .failure(error) } }
        socket.close()
        listener.close()
      }
      let socket = try await client.connect(to: SocketAddress(Self.address, port: 80))
      var bytes: [UInt8] = []
      var isWhole = true
      var isMeddled = false
      do {
        while true {
          if bytes.count >= moment, !isMeddled {
            isMeddled = true
            meddle()
          }
          let more = try await socket.read()
          if more.isEmpty { break }
          bytes += more
        }
      } catch { isWhole = false }
      socket.close()
      return (bytes, isWhole)
    }
    loop.shutdown()
    return Fetched(bytes: fetched.0, isWhole: fetched.1, outcome: outcome.withLock { $0 })
  }

  struct Fetched {
    /// What arrived.
    var bytes: [UInt8]
    /// Whether the stream ended as it should; otherwise the connection was reset.
    var isWhole: Bool
    var outcome: Result<TransferStatistics, FileTransferError>?
  }
}

@Suite("Sending files")
struct SendFileTests {
  @Test(
    "A file arrives whole, in whatever way it is sent",
    arguments: [0, 1, 1_000, 65_536, 65_537, 200_000, 131_072 + 16_384, 2_500_001], FileWay.allCases)
  func arrives(count: Int, way: FileWay) async throws {
    let bytes = TemporaryFile.pattern(count)
    let file = TemporaryFile(bytes)
    let fetched = try await SlowNetwork(offloads: count % 2 == 0).fetch(file, way: way)
    #expect(fetched.bytes == bytes)
    #expect(fetched.isWhole)
    let statistics = try #require(try fetched.outcome?.get())
    #expect(statistics.bytesSent == UInt64(count))
  }

  @Test("A part of a file is sent from where it begins, and nothing behind it")
  func range() async throws {
    let bytes = TemporaryFile.pattern(4_500_000)
    let file = TemporaryFile(bytes)
    for way in FileWay.allCases {
      let fetched = try await SlowNetwork(offloads: false).fetch(file, way: way, offset: 1_234_567, count: 2_000_003)
      #expect(fetched.bytes == Array(bytes[1_234_567..<3_234_570]))
    }
  }

  @Test("A part that the file does not have is refused, and the connection stays as it is")
  func outOfRange() async throws {
    let file = TemporaryFile(TemporaryFile.pattern(1_000))
    for (offset, count) in [(Int64(900), Int64(101)), (-1, 10), (1_001, 0), (0, -1), (.max, .max)] {
      let fetched = try await SlowNetwork(offloads: false).fetch(file, way: .byReference, offset: offset, count: count)
      guard case .failure(.outOfRange) = fetched.outcome else {
        Issue.record("\(offset), \(count): \(String(describing: fetched.outcome))")
        continue
      }
      #expect(fetched.isWhole && fetched.bytes.isEmpty)
    }
  }

  @Test("A file that is not the one it was taken for is not sent")
  func identity() async throws {
    let (one, other) = (TemporaryFile([1, 2, 3]), TemporaryFile([4, 5, 6]))
    let identity = try FileIdentity(descriptor: one.descriptor)
    let network = try SlowNetwork(offloads: false)
    try await network.loop.run {
      let listener = try network.server.listen(on: 80)
      async let accepted = listener.accept()
      let socket = try await network.client.connect(to: SocketAddress(SlowNetwork.address, port: 80))
      let connection = try await accepted
      await #expect(throws: FileTransferError.changed) {
        try await connection.sendFile(other.descriptor, identity: identity)
      }
      try await connection.sendFile(one.descriptor, identity: identity)
      #expect(try await socket.read() == [1, 2, 3])
    }
    network.loop.shutdown()
  }

  @Test("By reference nearly nothing is copied, mapped once, read and written twice")
  func copies() async throws {
    let count = 2 << 20
    let file = TemporaryFile(TemporaryFile.pattern(count))
    var copies: [FileWay: Double] = [:]
    for way in FileWay.allCases {
      let fetched = try await SlowNetwork(offloads: true, megabitsPerSecond: nil).fetch(file, way: way)
      copies[way] = try fetched.outcome?.get().copiesPerByte
    }
    // The last 128 KiB are copied by every way.
    #expect(try #require(copies[.byReference]) == 1.0 / 16)
    #expect(try #require(copies[.mappedCopy]) == 1)
    #expect(try #require(copies[.readAndWrite]) > 1.98)
  }

  @Test("A second client's checksums come from the sums of the first one's blocks")
  func checksums() async throws {
    let bytes = TemporaryFile.pattern(1_000_000)
    let file = TemporaryFile(bytes)
    let network = try SlowNetwork(offloads: false, megabitsPerSecond: nil, delay: .microseconds(100))
    let statistics = try await network.loop.run {
      let listener = try network.server.listen(on: 80)
      var all: [TransferStatistics] = []
      for _ in 0..<2 {
        async let accepted = listener.accept()
        let socket = try await network.client.connect(to: SocketAddress(SlowNetwork.address, port: 80))
        let connection = try await accepted
        async let sent = connection.sendFile(file.descriptor)
        var received: [UInt8] = []
        while received.count < bytes.count { received += try await socket.read() }
        #expect(received == bytes)
        all.append(try await sent)
        socket.close()
        connection.close()
      }
      return all
    }
    network.loop.shutdown()
    let byReference = UInt64(1_000_000 - 131_072)
    #expect(statistics[0].checksumBytesComputed + statistics[0].checksumBytesCached >= byReference)
    #expect(statistics[0].checksumBytesComputed >= byReference * 9 / 10)
    #expect(statistics[1].checksumBytesCached >= byReference * 17 / 20)
    #expect(statistics[1].checksumBytesComputed <= byReference * 3 / 20)
  }

  // MARK: Files that change

  /// What happens to a file of 1,000,000 bytes in mid-transfer.
  enum Meddling: String, CaseIterable {
    case cutBehind, cutToNothing, cutInPage, lengthened, rewritten, rewrittenAtTheEnd, lastByte

    func apply(to file: TemporaryFile) {
      switch self {
      // At a page's end: what the system leaves of a page behind a file's end it fills with zeros.
      case .cutBehind: file.truncate(to: 122 * 4_096)
      case .cutToNothing: file.truncate(to: 0)
      case .cutInPage: file.truncate(to: 999_000)
      case .lengthened: file.overwrite([1, 2, 3], at: 1_000_000)
      case .rewritten: file.overwrite(TemporaryFile.pattern(1_000_000, seed: 99), at: 0)
      case .rewrittenAtTheEnd: file.overwrite(TemporaryFile.pattern(250_000, seed: 99), at: 750_000)
      case .lastByte: file.overwrite([0], at: 999_999)
      }
    }
  }

  @Test(
    "A file that is changed while it is sent ends the connection without its last bytes", arguments: Meddling.allCases,
    FileWay.allCases)
  func changed(meddling: Meddling, way: FileWay) async throws {
    let bytes = TemporaryFile.pattern(1_000_000)
    for offloads in [false, true] {
      for moment in [1, 300_000, 900_000] {
        let file = TemporaryFile(bytes)
        let fetched = try await SlowNetwork(offloads: offloads).fetch(file, way: way, moment: moment) {
          meddling.apply(to: file)
        }
        // Whoever has everything has it from one state; the copying ways may be done before the change.
        if fetched.bytes.count == bytes.count {
          #expect(way != .byReference || moment > 868_928)
          #expect(fetched.bytes == bytes, "\(meddling) at \(moment)")
        } else {
          #expect(!fetched.isWhole, "an answer that is not complete ended as if it were: \(meddling) at \(moment)")
          #expect(fetched.bytes.count < bytes.count)
        }
        let isCut = meddling == .cutBehind || meddling == .cutToNothing
        if isCut { #expect(fetched.bytes.elementsEqual(bytes[..<fetched.bytes.count])) }
      }
    }
  }

  @Test("A file that is changed before it is sent is sent as it is then, over connections that share its pages")
  func changedBetween() async throws {
    let file = TemporaryFile(TemporaryFile.pattern(1_000_000))
    let network = try SlowNetwork(offloads: false, megabitsPerSecond: nil)
    try await network.loop.run {
      let listener = try network.server.listen(on: 80)
      for seed in 0..<3 {
        let bytes = TemporaryFile.pattern(1_000_000, seed: seed)
        file.overwrite(bytes, at: 0)
        async let accepted = listener.accept()
        let socket = try await network.client.connect(to: SocketAddress(SlowNetwork.address, port: 80))
        let connection = try await accepted
        async let sent = connection.sendFile(file.descriptor)
        var received: [UInt8] = []
        while received.count < bytes.count { received += try await socket.read() }
        #expect(received == bytes)
        _ = try await sent
      }
    }
    network.loop.shutdown()
  }
}
