public import Martlet
public import MartletCore
public import MartletWire

/// What a world is made of: nodes, links and addresses. A value that Swift code or a file (``init(yaml:file:)``) makes alike.
public struct WorldDescription: Sendable, Equatable {
  /// As the report and the recording call it.
  public var name: String
  /// What the world is for, in a sentence or two.
  public var summary = ""
  /// What all that is random follows from, unless whoever runs the world says otherwise.
  public var seed: UInt64 = 1
  /// In the order in which they were added.
  public internal(set) var nodes: [Node] = []
  /// In the order in which they were put.
  public internal(set) var links: [Link] = []
  /// From where every subnet without addresses given by hand takes a prefix: /24 or /64 each. Default 10.0.0.0/8.
  public var addressPools: [Subnet] = [Subnet(IPAddress(IPv4Address(10, 0, 0, 0)), prefixLength: 8)]
  /// Whether hosts and routers get routes along the shortest paths, beside those by hand. Default true.
  public var computesRoutes = true
  /// What is to happen when, in any order.
  public var schedule: [ScheduledFault] = []
  /// Whether rings of switches without a spanning tree are no mistake: for whoever wants to see frames circle for ever. Default
  /// false.
  public var allowsRings = false
  /// How time passes, unless whoever runs the world says otherwise. Default virtual.
  public var pace = WorldPace.virtual
  /// Ports of this machine that lead into the world, which then has to keep real time.
  public var published: [PublishedPort] = []

  /// A world without anything in it.
  public init(_ name: String, summary: String = "", seed: UInt64 = 1) {
    self.name = name
    self.summary = summary
    self.seed = seed
  }

  /// A computer or a box on the way.
  public struct Node: Sendable, Equatable {
    /// What it does with frames.
    public typealias Kind = Recording.Node.Kind

    /// Unlike every other node's.
    public let name: String
    /// What it is.
    public let kind: Kind
    /// What runs on it.
    public var services: [Service] = []
    /// Beside the computed ones.
    public var routes: [RouteByHand] = []
    /// What every frame waits in the node before it is looked at: the "processing" of the delay budget.
    public var processing = Duration.zero
    /// How fast the node works on what it receives, one frame after the other. Default: as fast as it comes.
    public var cpu = Processor()
    /// How many received frames each interface keeps for the processor; those that find no place are dropped. Default: all.
    public var ring: Int?
    /// What is wrong with a host's or router's clock. Default: nothing.
    public var clock = ClockFault()
    /// After how long a switch forgets a station that it does not hear. Default 300 s (IEEE 802.1D).
    public var ageing = Duration.seconds(300)
    /// Whether and how a switch takes part in the spanning tree; nil, the default, if it knows nothing of one.
    public var spanningTree: SpanningTree?
    /// What the stations of a segment share; nil for all else.
    public internal(set) var medium: Medium?
    /// A host's or router's bounds and defaults.
    public var tuning = Tuning()

    init(name: String, kind: Kind) {
      self.name = name
      self.kind = kind
    }

    var hasStack: Bool { kind == .host || kind == .router }
  }

  /// What of a host's configuration a world may choose.
  public struct Tuning: Sendable, Equatable {
    /// Default CUBIC.
    public var congestionControl: TCPCongestionControl?
    /// In segments (RFC 6928). Default 10.
    public var initialWindow: Int?
    /// A connection's, in bytes: it then does not grow.
    public var receiveBuffer: Int?
    /// A connection's, in bytes: it then does not grow.
    public var sendBuffer: Int?
    /// How long an acknowledgement may wait for company; zero: not at all (RFC 1122 section 4.2.3.2).
    public var delayedAcknowledgment: Duration?
    /// Whether a window's segments are spread over the round trip.
    public var pacing: Bool?
    /// RFC 2018.
    public var selectiveAcknowledgments: Bool?
    /// RFC 7323.
    public var timestamps: Bool?
    /// RFC 8985 section 7.
    public var tailLossProbes: Bool?
    /// Whether it asks routers to mark instead of to drop (RFC 3168).
    public var congestionNotification: Bool?
    /// What packets begin with. Default 64.
    public var timeToLive: UInt8?
    /// Half of what TIME-WAIT takes (RFC 9293 section 3.4.2).
    public var maximumSegmentLifetime: Duration?

    /// Everything as the stack has it.
    public init() {}
  }

  /// A service by name, and its port if that is not the usual one.
  public struct Service: Sendable, Equatable {
    /// `echo`, `discard`, `daytime`, `chargen`, `uppercase` or `http`.
    public var name: String
    /// Nil for the usual one.
    public var port: UInt16?
    /// What `http` serves: the path of a directory, read when the world is put up.
    public var root: String?
    /// What `http` serves instead: bytes by path, as `index.html`.
    public var files: [String: [UInt8]]?

    /// The service called `name`.
    public init(_ name: String, port: UInt16? = nil) {
      self.name = name
      self.port = port
    }

    /// Files over HTTP, bytes by path.
    public static func http(files: [String: [UInt8]], port: UInt16? = nil) -> Service {
      var service = Service("http", port: port)
      service.files = files
      return service
    }

    /// The files of a directory over HTTP, as they are when the world is put up.
    public static func http(root: String, port: UInt16? = nil) -> Service {
      var service = Service("http", port: port)
      service.root = root
      return service
    }
  }

  /// A route by hand: to `destination` by way of `gateway`.
  public struct RouteByHand: Sendable, Equatable {
    /// Whose packets take it.
    public var destination: Subnet
    /// Nil: the hosts are on the link itself.
    public var gateway: IPAddress?
    /// By name, as `eth0`; nil takes the one on whose link the gateway is.
    public var interface: String?

    /// A route to `destination`.
    public init(to destination: Subnet, via gateway: IPAddress?, on interface: String? = nil) {
      self.destination = destination
      self.gateway = gateway
      self.interface = interface
    }
  }

  /// Two nodes on a wire.
  public struct Link: Sendable, Equatable {
    /// As faults and the report call it.
    public var name: String
    /// The end that ``there`` leads away from.
    public var first: End
    /// The other.
    public var second: End
    /// From the first end to the second.
    public var there: LinkDirection
    /// From the second end to the first.
    public var back: LinkDirection
  }

  /// Where a link meets a node.
  public struct End: Sendable, Equatable {
    /// Its name.
    public var node: String
    /// By hand; empty takes them from the pools.
    public var addresses: [AddressInSubnet]
    /// Nil takes one that follows from the node's place.
    public var macAddress: MACAddress?
    /// As `eth0`; nil counts.
    public var interface: String?

    /// An end at the node called `node`.
    /// Where on a bus it is, in metres from its beginning; nil is at its beginning.
    public var position: Int?

    public init(
      _ node: String, addresses: [AddressInSubnet] = [], macAddress: MACAddress? = nil, interface: String? = nil,
      position: Int? = nil
    ) {
      self.node = node
      self.addresses = addresses
      self.macAddress = macAddress
      self.interface = interface
      self.position = position
    }
  }

  /// Something that happens to the world from outside at a time.
  public struct ScheduledFault: Sendable, Equatable {
    /// From the world's beginning.
    public var time: Duration
    /// What happens.
    public var fault: Fault

    /// `fault` at `time`.
    public init(at time: Duration, _ fault: Fault) {
      self.time = time
      self.fault = fault
    }
  }

  /// What can happen to a world from outside.
  public enum Fault: Sendable, Equatable {
    /// The link carries nothing from now on.
    case down(link: String)
    /// The link carries frames again.
    case up(link: String)
    /// The link keeps what it carries, until it is released.
    case hold(link: String)
    /// What was kept arrives.
    case release(link: String)
    /// The host loses its memory and is gone.
    case crash(String)
    /// The crashed host begins anew, its programs too.
    case restart(String)
    /// The host stands still; what arrives waits.
    case pause(String)
    /// The paused host goes on.
    case resume(String)
    /// The host's clock runs so from now on.
    case clock(String, ClockFault)
    /// The node works so fast from now on, or keeps so many received frames an interface (nil: all).
    case cpu(String, Processor)
    case ring(String, Int?)
    /// Nothing gets from a node of the first list to one of the second, and, unless it is one-way, back.
    case partition([String], from: [String], isOneWay: Bool)
    /// Everything gets everywhere again.
    case heal
  }
}

extension WorldDescription: ExpressibleByStringLiteral {
  /// A world of that name.
  public init(stringLiteral value: String) { self.init(value) }
}

// MARK: - Building

extension WorldDescription.End: ExpressibleByStringLiteral {
  /// An end at the node of that name.
  public init(stringLiteral value: String) { self.init(value) }
}

extension WorldDescription {
  /// Adds a computer that programs run on.
  public mutating func host(_ name: String, services: [Service] = [], _ change: (inout Node) -> Void = { _ in }) {
    add(name, .host) { node in
      node.services = services
      change(&node)
    }
  }

  /// Adds a host that forwards what is for others; programs do not run on it.
  public mutating func router(_ name: String, _ change: (inout Node) -> Void = { _ in }) { add(name, .router, change) }

  /// Adds a switch that learns behind which of its ports a station is.
  public mutating func `switch`(_ name: String, _ change: (inout Node) -> Void = { _ in }) {
    add(name, .switch, change)
  }

  /// Adds a segment whose stations share `medium`: what one sends the others hear, if they are lucky.
  ///
  /// Nodes are put on it with ``wire(_:_:_:name:)``, without a rate or a delay.
  public mutating func segment(_ name: String, _ medium: Medium = .bus(EthernetBus())) {
    add(name, .hub) { $0.medium = medium }
  }

  private mutating func add(_ name: String, _ kind: Node.Kind, _ change: (inout Node) -> Void) {
    var node = Node(name: name, kind: kind)
    change(&node)
    nodes.append(node)
  }

  /// Puts a wire between two nodes; `there` is the way from the first to the second.
  ///
  /// - Parameter name: How faults and the report call it; nil takes "first–second".
  public mutating func wire(
    _ first: End, _ second: End, _ both: LinkDirection = LinkDirection(), name: String? = nil
  ) {
    wire(first, second, there: both, back: both, name: name)
  }

  /// Puts a wire whose two ways differ between two nodes.
  public mutating func wire(
    _ first: End, _ second: End, there: LinkDirection, back: LinkDirection, name: String? = nil
  ) {
    let usual = "\(first.node)-\(second.node)"
    let count = links.count { $0.first.node == first.node && $0.second.node == second.node }
    links.append(
      Link(
        name: name ?? (count == 0 ? usual : "\(usual)#\(count + 1)"), first: first, second: second, there: there,
        back: back))
  }
}

/// What is wrong with a world, and the way out.
public struct WorldError: Error, Equatable, CustomStringConvertible {
  /// As "world.yaml", if the world came from a file.
  public var file: String?
  /// From 1.
  public var line: Int?
  /// What is wrong.
  public var problem: String
  /// What to do about it.
  public var remedy: String

  /// A mistake and its remedy.
  public init(_ problem: String, remedy: String, file: String? = nil, line: Int? = nil) {
    self.problem = problem
    self.remedy = remedy
    self.file = file
    self.line = line
  }

  /// "world.yaml:12: what is wrong. What to do."
  public var description: String {
    let place = [file, line.map { "\($0)" }].compactMap { $0 }.joined(separator: ":")
    return (place.isEmpty ? "" : place + ": ") + "\(problem). \(remedy)"
  }
}
