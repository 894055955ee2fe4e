public import MartletCore
public import MartletWire

/// What there is in a world at a moment: sockets and tables of its nodes, and what waits and travels on its links.
///
/// Two snapshots are equal if the network is in the same state at the same time; ``differences(from:)`` leaves the time out.
public struct WorldSnapshot: Sendable, Equatable {
  /// When it was taken, in the world's time.
  public var time: Instant
  /// In the order of the description.
  public var nodes: [Node]
  /// In the order of the description.
  public var links: [Link]
}

extension WorldSnapshot {
  /// A host, a router or a switch.
  public struct Node: Sendable, Equatable {
    /// Whether it does anything.
    public enum Condition: String, Sendable {
      /// It receives, sends and runs its programs.
      case running
      /// It stands still, and will go on.
      case paused
      /// It has lost its memory and is gone.
      case crashed
    }
    /// As the description calls it.
    public var name: String
    /// What it is.
    public var kind: Recording.Node.Kind
    /// Whether it does anything.
    public var condition: Condition
    /// In the order of the host's own table.
    public var sockets: [Socket]
    /// By interface and address.
    public var neighbors: [Neighbor]
    /// By destination, metric and age.
    public var routes: [Route]
    /// What a switch has learnt; empty for all else.
    public var stations: [Station]
  }

  /// A socket, and what waits in it.
  public struct Socket: Sendable, Equatable {
    /// TCP connection, listener, UDP or echo.
    public var kind: SocketStatus.Kind
    /// The unspecified address says any.
    public var local: SocketAddress
    /// Nil: none.
    public var remote: SocketAddress?
    /// TCP's state by the RFC's name; nil for all else.
    public var state: String?
    /// Bytes (of a listener: connections) that wait for the program.
    public var receiveQueue: Int
    /// Bytes written and not yet acknowledged.
    public var sendQueue: Int
  }

  /// What a host knows of a neighbour. Its age is left out, so that a table at rest stays the same.
  public struct Neighbor: Sendable, Equatable {
    /// Its IP address.
    public var address: IPAddress
    /// Nil while it is being asked for.
    public var mac: MACAddress?
    /// As RFC 4861 section 7.3.2 calls it; ARP's too.
    public var state: MartletCore.Neighbor.State
    /// By name, as `eth0`.
    public var interface: String
  }

  /// A row of a routing table; those to the host itself are left out.
  public struct Route: Sendable, Equatable {
    /// Whose packets take it.
    public var destination: Subnet
    /// Nil: on the link itself.
    public var gateway: IPAddress?
    /// By name, as `eth0`.
    public var interface: String
    /// Of two routes to one prefix the smaller wins.
    public var metric: UInt32
  }

  /// Behind which port of a switch a station is.
  public struct Station: Sendable, Equatable {
    /// Its Ethernet address.
    public var address: String
    /// By name, as `port0`.
    public var port: String
  }

  /// Two nodes on a wire.
  public struct Link: Sendable, Equatable {
    /// As the description calls it.
    public var name: String
    /// From the first end to the second.
    public var there: Direction
    /// From the second end to the first.
    public var back: Direction
  }

  /// One direction of a link.
  public struct Direction: Sendable, Equatable {
    /// Who sends.
    public var source: String
    /// Who receives.
    public var destination: String
    /// Whether what is sent is carried at all.
    public var isUp: Bool
    /// Whether what it carries is held back until it is released.
    public var isHeld: Bool
    /// Frames before the line.
    public var waitingFrames: Int
    /// Their bytes.
    public var waitingBytes: Int
    /// Frames on the line and on their way.
    public var travelingFrames: Int
    /// What it has done since the world began.
    public var counters: World.LinkCounters
    /// What goes wrong on it, in words; empty if nothing does.
    public var faults: String
  }
}

extension WorldSnapshot {
  /// The node called `name`, if there is one.
  public func node(_ name: String) -> Node? { nodes.first { $0.name == name } }

  /// The link called `name`, if there is one.
  public func link(_ name: String) -> Link? { links.first { $0.name == name } }

  /// What keeps the network from being quiet: frames that wait or travel, and bytes and connections that wait for an answer. Empty
  /// when all that was sent has arrived, or is lost and forgotten.
  public var unrest: [String] {
    var unrest: [String] = []
    for link in links {
      for direction in [link.there, link.back] where direction.waitingFrames + direction.travelingFrames > 0 {
        unrest.append("\(link.name): \(direction.line)")
      }
    }
    for node in nodes where node.condition != .crashed {
      for socket in node.sockets where socket.isRestless { unrest.append("\(node.name): \(socket.line)") }
    }
    return unrest
  }
}

extension WorldSnapshot.Socket {
  /// Whether something is to come from the network, or goes on being sent.
  var isRestless: Bool {
    guard kind == .tcp, let state else { return false }
    return sendQueue > 0 || !["ESTABLISHED", "FIN-WAIT-2", "CLOSE-WAIT", "TIME-WAIT", "CLOSED"].contains(state)
  }
}
