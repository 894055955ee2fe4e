public import MartletWire

/// One Internet host as a value: interfaces, neighbours, routes, IPv4, IPv6, ICMP, UDP, TCP and sockets.
public struct Host: ~Copyable {
  public init(name: String, configuration: Configuration = Configuration(), pool: borrowing PacketPool, seed: UInt64) {}
  // Set-up
  public mutating func addInterface(_ interface: InterfaceConfiguration) -> InterfaceID { fatalError() }
  public mutating func addAddress(_ address: AddressInSubnet, to interface: InterfaceID) throws(SocketError) { fatalError() }
  public mutating func addRoute(to destination: Subnet, via gateway: IPAddress?, on interface: InterfaceID, metric: Int = 0) throws(SocketError) { fatalError() }
  // Packets
  public mutating func receive(_ packet: consuming Packet, on interface: InterfaceID, at now: Instant) { fatalError() }
  public mutating func advance(to now: Instant) { fatalError() }
  public var nextDeadline: Instant? { fatalError() }
  public mutating func transmit(from interface: InterfaceID, at now: Instant, into body: (consuming Packet) -> Void) { fatalError() }
  public mutating func nextEvent() -> SocketEvent? { fatalError() }
}
public struct InterfaceConfiguration: Sendable { public init(name: String, macAddress: MACAddress, mtu: Int = 1500, offloads: LinkOffloads = []) {} }
extension Host {
  // Datagram sockets. `local` any address/port 0 = ephemeral.
  public mutating func openDatagram(on local: SocketAddress, options: DatagramOptions = DatagramOptions()) throws(SocketError) -> SocketID { fatalError() }
  public mutating func connectDatagram(_ socket: SocketID, to remote: SocketAddress) throws(SocketError) { fatalError() }
  public mutating func send(_ payload: RawSpan, to remote: SocketAddress?, from socket: SocketID, at now: Instant) throws(SocketError) { fatalError() }
  /// nil: nothing waits (not an error).
  public mutating func receiveDatagram(from socket: SocketID, into buffer: inout MutableRawSpan) throws(SocketError) -> ReceivedDatagram? { fatalError() }
  // ICMP echo (ping): identifier is the socket's, sequence given
  public mutating func openEcho(version: IPVersion) throws(SocketError) -> SocketID { fatalError() }
  public mutating func sendEcho(_ payload: RawSpan, sequence: UInt16, to remote: SocketAddress, hopLimit: UInt8?, from socket: SocketID, at now: Instant) throws(SocketError) { fatalError() }
  public mutating func receiveEcho(from socket: SocketID, into buffer: inout MutableRawSpan) throws(SocketError) -> ReceivedEcho? { fatalError() }
  // TCP
  public mutating func listen(on local: SocketAddress, options: ListenerOptions = ListenerOptions()) throws(SocketError) -> SocketID { fatalError() }
  public mutating func accept(from listener: SocketID) throws(SocketError) -> SocketID? { fatalError() }
  public mutating func connect(to remote: SocketAddress, from local: SocketAddress? = nil, options: TCPSocketOptions = TCPSocketOptions(), at now: Instant) throws(SocketError) -> SocketID { fatalError() }
  public mutating func read(from socket: SocketID, into buffer: inout MutableRawSpan, at now: Instant) throws(SocketError) -> ReadResult { fatalError() }
  /// how many bytes were taken, 0 when the send buffer is full
  public mutating func write(_ bytes: RawSpan, to socket: SocketID, at now: Instant) throws(SocketError) -> Int { fatalError() }
  public mutating func shutdownWrite(_ socket: SocketID, at now: Instant) throws(SocketError) { fatalError() }
  public mutating func setOptions(_ options: TCPSocketOptions, of socket: SocketID) throws(SocketError) { fatalError() }
  public mutating func options(of socket: SocketID) throws(SocketError) -> TCPSocketOptions { fatalError() }
  // All kinds
  public mutating func close(_ socket: SocketID, at now: Instant) { fatalError() }
  public mutating func abort(_ socket: SocketID, at now: Instant) { fatalError() }
  /// Why the socket failed, or the last soft error; takes it
  public mutating func takeError(of socket: SocketID) -> SocketError? { fatalError() }
  public func localAddress(of socket: SocketID) -> SocketAddress? { fatalError() }
  public func remoteAddress(of socket: SocketID) -> SocketAddress? { fatalError() }
  /// What could be done now without waiting.
  public func readiness(of socket: SocketID) -> SocketEvent.Changes { fatalError() }
  /// All sockets, in a fixed order, for printing.
  public func socketTable() -> [SocketStatus] { fatalError() }
}
