public import Martlet
internal import MartletCore
public import MartletWire

extension WorldDescription {
  /// A port of this machine that leads to a port in the world. Only for a world that keeps real time.
  public struct PublishedPort: Sendable, Equatable {
    /// Where this machine listens; port 0 lets the system choose.
    public var outside: SocketAddress
    public var transport: Publication.Transport
    /// The host that is reached, and its port.
    public var host: String
    public var port: UInt16
    /// The host from which it is reached, across the world; nil is the host itself.
    public var client: String?

    public init(
      _ outside: SocketAddress, _ transport: Publication.Transport = .tcp, to host: String, port: UInt16,
      from client: String? = nil
    ) {
      self.outside = outside
      self.transport = transport
      self.host = host
      self.port = port
      self.client = client
    }

    /// Reads `[ADDRESS:]PORT:[CLIENT:]HOST:PORT[/udp]`, as "8080:server:80"; without an address that is 127.0.0.1.
    public init?(_ text: String) {
      var rest = text[...]
      transport = .tcp
      if let slash = rest.lastIndex(of: "/") {
        switch rest[rest.index(after: slash)...] {
        case "tcp": break
        case "udp": transport = .udp
        default: return nil
        }
        rest = rest[..<slash]
      }
      var address = IPAddress(IPv4Address(127, 0, 0, 1))
      if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
        guard let known = IPAddress(rest[rest.index(after: rest.startIndex)..<end]) else { return nil }
        address = known
        rest = rest[rest.index(after: end)...].dropFirst()
      }
      var parts = rest.split(separator: ":", omittingEmptySubsequences: false)
      if let first = parts.first, first.contains("."), let known = IPAddress(first) {
        address = known
        parts.removeFirst()
      }
      guard parts.count == 3 || parts.count == 4, let outside = UInt16(parts[0]),
        let port = UInt16(parts[parts.count - 1]),
        port > 0, parts[1...].allSatisfy({ !$0.isEmpty })
      else { return nil }
      self.outside = SocketAddress(address, port: outside)
      self.port = port
      host = String(parts[parts.count - 2])
      client = parts.count == 4 ? String(parts[1]) : nil
    }
  }

  /// Wires the TAP device `device` of this machine to `node`: its kernel is on the world's link as one more station. Only for a
  /// world that keeps real time.
  ///
  /// The device is a node of its own, so that the wire has faults and is recorded as any other. It is made if there is none.
  ///
  /// - Parameters:
  ///   - device: Its name, at most 15 bytes.
  ///   - end: The switch, segment, router or host. An address by hand leaves room for the kernel's own on the subnet.
  public mutating func tap(_ device: String, on end: End, _ both: LinkDirection = LinkDirection()) {
    nodes.append(Node(name: device, kind: .tap))
    wire(end, End(device), both)
  }

  /// Whether ports or TAP devices of this machine are part of the world, which then has to keep real time.
  public var reachesOut: Bool { !published.isEmpty || nodes.contains { $0.kind == .tap } }

  /// What reaches out of the world, for people; a world with any of it keeps real time and cannot be repeated.
  var bridges: [String] {
    published.map(\.bridgeWords) + nodes.filter { $0.kind == .tap }.map(\.bridgeWords)
  }
}

extension WorldDescription.PublishedPort {
  var bridgeWords: String {
    let way = client.map { ", by way of \($0)," } ?? ""
    let name = transport == .tcp ? "TCP" : "UDP"
    return "\(name) port \(outside) of this machine leads\(way) to \(host):\(port)"
  }
}

extension WorldDescription.Node {
  var bridgeWords: String { "the TAP device \(name) of this machine is a station" }
}
