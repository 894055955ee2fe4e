public import Martlet
internal import MartletCore
internal import MartletWire

/// One server of a key-value store: the primary takes writes and sends them to its followers; clients may read from each.
public actor Replica {
  /// What a follower does with the table that it asked for.
  public enum TableRule: Sendable {
    /// Takes it in place of its own, which must be older: that is why it asked. (It need not be.)
    case replaces
    /// Takes of it what is newer than what it has.
    case merges
  }

  /// For datagrams between replicas and for connections of clients.
  public static let port: UInt16 = 4_000

  private struct Follower {
    let address: SocketAddress
    /// What it was sent and has not answered, by the write's number.
    var unanswered: [Int: Message] = [:]
    var heard: MartletCore.Instant
  }

  private let host: VirtualHost
  private let rule: TableRule
  private let socket: UDPSocket
  /// Nil on the primary.
  private let primary: SocketAddress?
  private var followers: [Follower]
  private var table: [String: Message.Entry] = [:]
  private var writes = 0
  /// When the primary was last heard of, and whether something may have been missed since.
  private var heard: MartletCore.Instant
  private var mayHaveMissed = false
  /// How often a table brought something older than what was there.
  public private(set) var staleEntries = 0

  /// Its host's loop: what it does, it does on the thread and by the clock of the network.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { host.loop.executor.asUnownedSerialExecutor() }

  /// - Parameter primary: Whom it follows; nil makes it the primary of `followers`.
  public init(on host: VirtualHost, following primary: IPAddress?, followers: [IPAddress] = [], rule: TableRule) throws
  {
    self.host = host
    self.rule = rule
    self.primary = primary.map { SocketAddress($0, port: Self.port) }
    let now = host.loop.now
    self.followers = followers.map { Follower(address: SocketAddress($0, port: Self.port), heard: now) }
    heard = now
    socket = try host.bindUDP(on: Self.port)
  }

  /// What it has.
  public var contents: [String: String] { table.mapValues(\.value) }

  // MARK: Clients

  /// Serves clients until it is cancelled: "set KEY VALUE" and "get KEY", a line each.
  public func serve() async throws {
    let listener = try host.listen(on: Self.port)
    defer { listener.close() }
    while true {
      let connection = try await listener.accept()
      host.loop.task { try await self.serve(connection) }
    }
  }

  private func serve(_ connection: TCPSocket) async throws {
    defer { connection.close() }
    while let line = try await connection.readLine() {
      let words = line.split(separator: " ").map(String.init)
      switch (words.first, words.count) {
      case ("set", 3) where primary == nil: try await connection.write("\(set(words[1], to: words[2]))\n")
      case ("get", 2): try await connection.write("\(table[words[1]]?.value ?? "?")\n")
      default: try await connection.write("what?\n")
      }
    }
  }

  /// Returns the number of the write.
  private func set(_ key: String, to value: String) -> Int {
    writes += 1
    table[key] = Message.Entry(value: value, version: writes)
    let message = Message.put(writes, key: key, value: value)
    for index in followers.indices {
      followers[index].unanswered[writes] = message
      send(message, to: followers[index].address)
    }
    return writes
  }

  // MARK: Replicas

  private func send(_ message: Message, to address: SocketAddress) { try? socket.send(message.text, to: address) }

  /// Says ten times a second that it lives, and repeats what was not answered. A follower that was silent for a second is sent
  /// nothing more: it will ask for everything.
  public func beat() async throws {
    while true {
      try await host.loop.clock.sleep(for: .milliseconds(100))
      for index in followers.indices {
        if followers[index].heard.duration(to: host.loop.now) > .seconds(1) { followers[index].unanswered = [:] }
        for (_, message) in followers[index].unanswered.sorted(by: { $0.key < $1.key }) {
          send(message, to: followers[index].address)
        }
        send(.beat(writes), to: followers[index].address)
      }
    }
  }

  /// Hears what other replicas say until it is cancelled.
  public func listen() async throws {
    while true {
      let datagram: UDPSocket.Datagram
      do throws(SocketError) {
        datagram = try await socket.receive()
      } catch {
        // That a peer could not be reached shows by its silence.
        if error == .cancelled { return }
        continue
      }
      guard let message = Message(datagram.bytes) else { continue }
      if let primary { hear(message, from: primary) } else { answer(message, from: datagram.source) }
    }
  }

  private func answer(_ message: Message, from source: SocketAddress) {
    guard let index = followers.firstIndex(where: { $0.address == source }) else { return }
    followers[index].heard = host.loop.now
    switch message {
    case .have(let number): followers[index].unanswered[number] = nil
    case .sync:
      followers[index].unanswered = [:]
      send(.table(writes, table), to: source)
    default: break
    }
  }

  private func hear(_ message: Message, from primary: SocketAddress) {
    if heard.duration(to: host.loop.now) > .milliseconds(300) { mayHaveMissed = true }
    heard = host.loop.now
    switch message {
    case .beat: send(mayHaveMissed ? .sync : .here, to: primary)
    case .put(let number, let key, let value):
      take(key, Message.Entry(value: value, version: number))
      send(.have(number), to: primary)
    case .table(_, let entries):
      mayHaveMissed = false
      staleEntries += table.count { key, entry in entries[key]?.version ?? 0 < entry.version }
      switch rule {
      case .replaces: table = entries
      case .merges: for (key, entry) in entries { take(key, entry) }
      }
    default: break
    }
  }

  /// An older write that arrives later changes nothing.
  private func take(_ key: String, _ entry: Message.Entry) {
    if entry.version > table[key]?.version ?? 0 { table[key] = entry }
  }
}
