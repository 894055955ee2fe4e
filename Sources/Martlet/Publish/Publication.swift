public import MartletWire

/// Why a port of this machine could not be published.
public enum PublishError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The loop keeps virtual time, and the machine's programs do not.
  case virtualLoop
  /// The system refused: what was asked of it and its error number.
  case system(String, CInt)

  /// What happened, in words for a person.
  public var description: String {
    switch self {
    case .virtualLoop: "a loop in virtual time cannot serve programs that live in real time"
    case .system(let call, let number): "the system refused to \(call) (errno \(number))"
    }
  }
}

/// A port of this machine that leads to a port in a virtual network, until it is closed.
public final class Publication: Sendable {
  /// A transport protocol.
  public enum Transport: Hashable, Sendable { case tcp, udp }

  /// Bounds of what is carried.
  public struct Limits: Hashable, Sendable {
    /// The most TCP connections at one time; more are reset. Default 4,096.
    public var maximumConnections = 4_096
    /// The most UDP flows, one for each peer on this machine; the one silent longest gives way. Default 1,024.
    public var maximumFlows = 1_024
    /// How long a UDP flow may be silent. Default 60 s.
    public var flowTimeout = Duration.seconds(60)

    public init() {}
  }

  private let socket: SystemSocket
  private let core: LoopCore
  private let task: Task<Void, any Error>
  /// Where this machine's programs reach it, with the port that the system chose if 0 was asked for.
  public let address: SocketAddress

  init(socket: SystemSocket, core: LoopCore, address: SocketAddress, task: Task<Void, any Error>) {
    self.socket = socket
    self.core = core
    self.address = address
    self.task = task
  }

  deinit { close() }

  /// Frees the port; TCP connections that are there go on, UDP flows end.
  public func close() {
    task.cancel()
    let socket = socket
    core.execute { socket.close() }
  }
}

extension Loop {
  /// Lets programs of this machine reach a service in the virtual network, until the publication is closed or let go.
  ///
  /// Each connection, or each peer's datagrams, go on from `host` as if a program there had opened a socket to
  /// `target`: name the server itself as `host` to go by its loopback interface, or another host (a gateway) to cross
  /// the network. Bytes wait on both sides for whoever is slower; the end of a stream and a reset are passed on.
  ///
  /// - Parameters:
  ///   - local: An address of this machine, as a rule of its loopback interface; port 0 lets the system choose.
  ///   - transport: TCP or UDP.
  ///   - host: Where the connections come from in the virtual network.
  ///   - target: Where they go to.
  ///   - limits: Bounds of what is carried.
  /// - Throws: ``PublishError/virtualLoop`` on a loop in virtual time that does not keep to
  ///   the system's clock; ``PublishError/system(_:_:)``, as when the port
  ///   is taken.
  public func publish(
    _ local: SocketAddress, _ transport: Publication.Transport = .tcp, on host: VirtualHost, to target: SocketAddress,
    limits: Publication.Limits = Publication.Limits()
  ) throws(PublishError) -> Publication {
    guard keepsRealTime else { throw .virtualLoop }
    let core = core
    let (socket, address) = try core.sync { [self] () throws(PublishError) -> (SystemSocket, SocketAddress) in
      let socket = try SystemSocket.bound(to: local, stream: transport == .tcp, core: core)
      if isVirtual { open() }
      return (socket, socket.localAddress ?? local)
    }
    let task: Task<Void, any Error>
    switch transport {
    case .tcp:
      let forwarder = StreamForwarder(host: host, target: target, limits: limits, logger: logger)
      task = core.entering { self.task { await forwarder.run(socket) } }
    case .udp:
      let forwarder = DatagramForwarder(host: host, target: target, limits: limits, socket: socket, logger: logger)
      task = core.entering { self.task { await forwarder.run() } }
    }
    return Publication(socket: socket, core: core, address: address, task: task)
  }
}
