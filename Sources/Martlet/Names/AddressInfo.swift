public import MartletCore
public import MartletWire

/// One answer of a look-up: where to connect to, or what to bind.
public struct AddressInfo: Hashable, Sendable {
  /// The address and port.
  public var address: SocketAddress
  /// The kind of socket.
  public var socketType: SocketType
  /// The name under which the host is known best, if it was asked for.
  public var canonicalName: String?

  /// The kind of socket an address is for.
  public enum SocketType: Hashable, Sendable, CaseIterable {
    /// TCP.
    case stream
    /// UDP.
    case datagram

    var transport: ServiceTable.Transport { self == .stream ? .tcp : .udp }
  }

  /// What to look for, as RFC 3493 section 6.1 has it for `getaddrinfo`.
  public struct Hints: Hashable, Sendable {
    /// The version wanted; nil takes both.
    public var family: IPVersion?
    /// The kind of socket wanted; nil takes both.
    public var socketType: SocketType?
    public var flags: Flags

    public init(family: IPVersion? = nil, socketType: SocketType? = nil, _ flags: Flags = []) {
      self.family = family
      self.socketType = socketType
      self.flags = flags
    }
  }

  /// The flags of RFC 3493 section 6.1.
  public struct Flags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// AI_PASSIVE: without a name, the unspecified address to listen at, not the loopback address.
    public static let passive = Flags(rawValue: 1)
    /// AI_CANONNAME: the canonical name with the first answer.
    public static let canonicalName = Flags(rawValue: 2)
    /// AI_NUMERICHOST: the name has to be an address; nothing is looked up.
    public static let numericHost = Flags(rawValue: 4)
    /// AI_NUMERICSERV: the service has to be a port number; nothing is looked up.
    public static let numericService = Flags(rawValue: 8)
    /// AI_V4MAPPED: when IPv6 is wanted and the name has no such address, its IPv4 addresses. Those are their
    /// IPv4-mapped form already (``IPAddress``).
    public static let v4Mapped = Flags(rawValue: 16)
    /// AI_ALL: with ``v4Mapped``, the IPv4 addresses as well.
    public static let all = Flags(rawValue: 32)
    /// AI_ADDRCONFIG: only versions of which the host has an address, the loopback interface's not counted.
    public static let addressConfig = Flags(rawValue: 64)
  }
}

/// Why a look-up gave nothing.
public enum NameError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Nobody knows the name (EAI_NONAME).
  case unknownName(String)
  /// The name is known, but has no address of the version asked for (EAI_ADDRFAMILY, EAI_NODATA).
  case noAddress(String, IPVersion?)
  /// The service is not known for that kind of socket (EAI_SERVICE).
  case unknownService(String)
  /// A name or port was to be numeric and is not, or neither name nor service was given (EAI_NONAME).
  case notNumeric(String)
  /// The text is no `name:service`.
  case malformed(String)
  /// Whoever was asked did not answer in time; asking again may help (EAI_AGAIN).
  case temporaryFailure(String)

  /// What happened, in words for a person.
  public var description: String {
    switch self {
    case .unknownName(let name): "no host is named \"\(name)\""
    case .noAddress(let name, let version?): "\"\(name)\" has no IPv\(version.rawValue) address"
    case .noAddress(let name, nil): "\"\(name)\" has no address that could be used here"
    case .unknownService(let service): "no service is named \"\(service)\""
    case .notNumeric(let text): "\"\(text)\" is not a number, and looking up was forbidden"
    case .malformed(let text): "\"\(text)\" is not a name and a service, as in \"server:80\""
    case .temporaryFailure(let name): "nobody answered when asked for \"\(name)\""
    }
  }
}

extension VirtualHost {
  /// Looks up a host by name and a service by name or number: what `getaddrinfo` does (RFC 3493 section 6.1).
  ///
  /// - Parameters:
  ///   - name: A name or an address, with a zone if it has one; nil stands for this host itself, see
  ///     ``AddressInfo/Flags/passive``.
  ///   - service: A name or a port number; nil is port 0. Name and service cannot both be nil.
  ///   - hints: What is wanted.
  /// - Returns: At least one answer. IPv6 and IPv4 addresses stand in the order in which to try them.
  public func resolve(
    _ name: String?, service: String? = nil, hints: AddressInfo.Hints = AddressInfo.Hints()
  ) async throws(NameError) -> [AddressInfo] {
    let known = withBox { _, box in (box.names, box.services, box.addresses.map(\.address)) }
    return try Resolution(names: known.0, services: known.1, hostAddresses: known.2)
      .resolve(name, service: service, hints: hints)
  }

  /// Looks up `name:service`: "server:12000", "192.0.2.1:http", "[2001:db8::1]:80".
  public func resolve(
    _ text: String, hints: AddressInfo.Hints
  ) async throws(NameError) -> [AddressInfo] {
    let (name, service) = try Resolution.split(text)
    return try await resolve(name, service: service, hints: hints)
  }

  /// Opens a TCP connection to the host and service that `remote` names ("server:12000"), trying its addresses in
  /// order.
  ///
  /// - Throws: ``NameError``, or the ``SocketError`` of the last address tried.
  public func connect(
    to remote: String, from local: SocketAddress? = nil, options: TCPSocketOptions = TCPSocketOptions()
  ) async throws -> TCPSocket {
    var failure: any Error = NameError.unknownName(remote)
    let hints = AddressInfo.Hints(socketType: .stream, .addressConfig)
    for answer in try await resolve(remote, hints: hints) {
      do throws(SocketError) {
        return try await connect(to: answer.address, from: local, options: options)
      } catch {
        if error == .cancelled || error == .stalled { throw error }
        failure = error
      }
    }
    throw failure
  }

  /// As ``withTCP(to:options:_:)``, for a name and service: "server:12000".
  public func withTCP<T: Sendable>(
    to remote: String, options: TCPSocketOptions = TCPSocketOptions(), _ body: (TCPSocket) async throws -> T
  ) async throws -> T {
    let socket = try await connect(to: remote, options: options)
    defer { socket.close() }
    return try await body(socket)
  }
}
