import MartletCore
import MartletWire

/// Two hosts on one thread, each other's only neighbour: what one transmits the other receives, at once.
struct Pair: ~Copyable {
  var client: Host
  var server: Host
  let pool: PacketPool
  let clientInterface: InterfaceID
  let serverInterface: InterfaceID
  var now = Instant.zero

  static let serverAddress: IPv4Address = "10.0.0.2"

  init(
    configuration: Host.Configuration = Host.Configuration(), mtu: Int = 1_500, offloads: LinkOffloads = []
  ) {
    pool = PacketPool()
    client = Host(name: "client", configuration: configuration, pool: pool, seed: 1)
    server = Host(name: "server", configuration: configuration, pool: pool, seed: 2)
    clientInterface = client.addInterface(
      InterfaceConfiguration(name: "eth0", macAddress: "02:00:00:00:00:01", mtu: mtu, offloads: offloads))
    serverInterface = server.addInterface(
      InterfaceConfiguration(name: "eth0", macAddress: "02:00:00:00:00:02", mtu: mtu, offloads: offloads))
    do {
      try client.addAddress("10.0.0.1/24", to: clientInterface)
      try server.addAddress("10.0.0.2/24", to: serverInterface)
    } catch {
      fatalError("the addresses are good: \(error)")
    }
  }

  /// Carries frames both ways until nobody has any, a microsecond of virtual time a turn. Timers are not
  /// fired: nothing is lost between these two.
  mutating func exchange() {
    var moved = true
    while moved {
      moved = false
      now.nanoseconds += 1_000
      client.transmit(from: clientInterface, at: now) { packet in
        server.receive(packet, on: serverInterface, at: now)
        moved = true
      }
      server.transmit(from: serverInterface, at: now) { packet in
        client.receive(packet, on: clientInterface, at: now)
        moved = true
      }
    }
  }

  /// A connection from the client to a listener on the server's `port`.
  mutating func connect(to listener: SocketID, port: UInt16) throws -> (client: SocketID, server: SocketID) {
    let clientSocket = try client.connect(
      to: SocketAddress(IPAddress(Pair.serverAddress), port: port), at: now)
    exchange()
    guard let serverSocket = try server.accept(from: listener) else { throw SocketError.notConnected }
    return (clientSocket, serverSocket)
  }
}
