import ArgumentParser
import Glibc
import Martlet
import MartletCore
import MartletWire

/// Carries standard input and output over a connection.
struct Netcat: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nc",
    abstract: "Connect standard input and output to a TCP or UDP peer, or wait for one.",
    usage: """
      martlet nc [<network options>] [-u] <address> <port>
      martlet nc [<network options>] [-u] -l [<address>] <port>
      """)

  @OptionGroup var network: NetworkOptions

  @Flag(name: .customShort("u"), help: "UDP instead of TCP.")
  var datagrams = false

  @Flag(name: .customShort("l"), help: "Wait for a peer: one connection, or whoever sends the first datagram.")
  var listens = false

  @Argument(help: ArgumentHelp("Address and port; the port may be the name of a service.", valueName: "address port"))
  var peer: [String]

  /// Where to connect to or to listen.
  private func endpoint() throws -> SocketAddress {
    guard let portText = peer.last, peer.count == 2 || (listens && peer.count == 1) else {
      throw ValidationError(listens ? "Give a port, or an address and a port." : "Give an address and a port.")
    }
    let transport: ServiceTable.Transport = datagrams ? .udp : .tcp
    guard let port = UInt16(portText) ?? ServiceTable.standard.port(named: portText, over: transport), port != 0 else {
      throw ValidationError("\(portText) is neither a port (1 to 65535) nor the name of a service.")
    }
    guard peer.count == 2 else { return SocketAddress(.any(.v6), port: port) }
    guard let address = IPAddress(peer[0]) else { throw ValidationError("\(peer[0]) is not an address.") }
    return SocketAddress(address, port: port)
  }

  func validate() throws { _ = try endpoint() }

  func run() throws {
    // A reader that went away is an error of the write, not the end of the program.
    signal(SIGPIPE, SIG_IGN)
    let endpoint = try endpoint()
    try reportingFailure {
      let computer = try CommandHost(network)
      let host = computer.host
      let options = (listens: listens, datagrams: datagrams)
      try computer.loop.runAndWait {
        switch (options.datagrams, options.listens) {
        case (false, false): try await Self.carry(host.connect(to: endpoint))
        case (false, true):
          let listener = try host.listen(on: endpoint)
          let connection = try await listener.accept()
          listener.close()
          try await Self.carry(connection)
        case (true, false):
          let socket = try host.bindUDP(on: SocketAddress(.any(endpoint.version), port: 0))
          try socket.connect(to: endpoint)
          try await Self.carry(socket, first: nil)
        case (true, true):
          let socket = try host.bindUDP(on: endpoint)
          let first = try await socket.receive()
          try socket.connect(to: first.source)
          try await Self.carry(socket, first: first.bytes)
        }
      }
      computer.finish()
    }
  }

  /// Both directions until both have ended.
  private static func carry(_ connection: TCPSocket) async throws {
    let sender = connection.host.loop.task {
      // The next block is read while this one is sent.
      var blocks = StandardInput()
      while let block = await blocks.next() { try await connection.write(block) }
      try connection.shutdownWrite()
    }
    // When this fails nobody waits for the sender, which may hang on a terminal.
    let output = StandardOutput()
    while true {
      let bytes = try await connection.read(upTo: 262_144)
      if bytes.isEmpty { break }
      guard await output.write(bytes) else { throw CommandFailure(.network, "nobody reads standard output") }
    }
    try await sender.value
    await close(connection)
  }

  /// Closes, and waits until the peer has everything: what this process has not sent by its end is lost.
  private static func close(_ connection: TCPSocket) async {
    let host = connection.host
    let local = connection.localAddress
    let remote = connection.remoteAddress
    connection.close()
    let patience = host.loop.now.advanced(by: .seconds(30))
    while host.loop.now < patience {
      let isOpen = host.socketTable().contains { row in
        row.kind == .tcp && row.local == local && row.remote == remote && row.state != "TIME-WAIT"
      }
      if !isOpen { return }
      try? await host.loop.clock.sleep(for: .milliseconds(5))
    }
  }

  /// A datagram for each block of input; answers are written as they come. At the end of the input answers are waited
  /// for a while longer.
  private static func carry(_ socket: UDPSocket, first: [UInt8]?) async throws {
    let loop = socket.host.loop
    let output = StandardOutput()
    if let first { _ = await output.write(first) }
    let receiver = loop.task {
      while true { _ = await output.write(try await socket.receive().bytes) }
    }
    defer { receiver.cancel() }
    var blocks = StandardInput(limit: 16_384)
    while let block = await blocks.next() { try socket.send(block) }
    do {
      try await loop.withTimeout(.seconds(1)) {
        try await withTaskCancellationHandler {
          try await receiver.value
        } onCancel: {
          receiver.cancel()
        }
      }
    } catch SocketError.timedOut, SocketError.cancelled {
      // Nobody has more to say.
    }
    await output.finish()
  }
}
