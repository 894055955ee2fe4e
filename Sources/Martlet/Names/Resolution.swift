internal import MartletWire

/// What a host knows for a look-up, and the rules of `getaddrinfo` over it.
struct Resolution {
  var names: HostsTable
  var services: ServiceTable
  /// The host's own addresses, without the loopback interface's.
  var hostAddresses: [AddressInSubnet]

  func resolve(
    _ name: String?, service: String?, hints: AddressInfo.Hints
  ) throws(NameError) -> [AddressInfo] {
    guard name != nil || service != nil else { throw .malformed("") }
    let ports = try self.ports(of: service, hints)
    var zone: UInt32 = 0
    let addresses = try self.addresses(of: name, hints, zone: &zone)
    var canonicalName: String?
    if hints.flags.contains(.canonicalName), let name { canonicalName = names.canonicalName(of: name) ?? name }
    var answers: [AddressInfo] = []
    for address in addresses {
      for (type, port) in ports {
        answers.append(
          AddressInfo(
            address: SocketAddress(address, port: port, zone: zone), socketType: type,
            canonicalName: answers.isEmpty ? canonicalName : nil))
      }
    }
    return answers
  }

  private func ports(
    of service: String?, _ hints: AddressInfo.Hints
  ) throws(NameError) -> [(AddressInfo.SocketType, UInt16)] {
    let types = hints.socketType.map { [$0] } ?? [.stream, .datagram]
    guard let service else { return types.map { ($0, 0) } }
    if service.allSatisfy(\.isNumber), !service.isEmpty {
      guard let port = UInt16(service) else { throw .unknownService(service) }
      return types.map { ($0, port) }
    }
    if hints.flags.contains(.numericService) { throw .notNumeric(service) }
    var ports: [(AddressInfo.SocketType, UInt16)] = []
    for type in types {
      if let port = services.port(named: service, over: type.transport) { ports.append((type, port)) }
    }
    guard !ports.isEmpty else { throw .unknownService(service) }
    return ports
  }

  private func addresses(
    of name: String?, _ hints: AddressInfo.Hints, zone: inout UInt32
  ) throws(NameError) -> [IPAddress] {
    guard let name else {
      let versions = try self.versions(for: "", hints)
      let isPassive = hints.flags.contains(.passive)
      return versions.map { isPassive ? IPAddress.any($0) : IPAddress.loopback($0) }
    }
    if let literal = SocketAddress(host: name, port: 0) {
      zone = literal.zone
      return try wanted([literal.address], name, hints, versions: [.v6, .v4])
    }
    if hints.flags.contains(.numericHost) { throw .notNumeric(name) }
    var found = names.addresses(of: name)
    if found.isEmpty, isLocalhost(name) { found = [.loopback(.v6), .loopback(.v4)] }
    guard !found.isEmpty else { throw .unknownName(name) }
    let chosen = try wanted(found, name, hints, versions: versions(for: name, hints))
    return ordered(chosen)
  }

  /// A name under which every host knows itself (RFC 6761 section 6.3).
  private func isLocalhost(_ name: String) -> Bool {
    let folded = HostsTable.folded(name)
    return folded == "localhost" || folded.hasSuffix(".localhost")
  }

  /// The versions that may be answered, IPv6 first.
  private func versions(for name: String, _ hints: AddressInfo.Hints) throws(NameError) -> [IPVersion] {
    var versions: [IPVersion] = [.v6, .v4]
    if let family = hints.family, name.isEmpty { versions = [family] }
    guard hints.flags.contains(.addressConfig), !isLocalhost(name), !name.isEmpty else { return versions }
    versions.removeAll { version in
      !hostAddresses.contains { $0.version == version && !$0.address.isLoopback }
    }
    guard !versions.isEmpty else { throw .noAddress(name, hints.family) }
    return versions
  }

  /// What of `found` the hints let through.
  private func wanted(
    _ found: [IPAddress], _ name: String, _ hints: AddressInfo.Hints, versions: [IPVersion]
  ) throws(NameError) -> [IPAddress] {
    let usable = found.filter { versions.contains($0.version) }
    let chosen: [IPAddress]
    switch hints.family {
    case nil: chosen = usable
    case .v4: chosen = usable.filter(\.isIPv4)
    case .v6:
      let v6 = usable.filter { !$0.isIPv4 }
      // IPv4 addresses are kept in their mapped form, so that they pass as they are.
      if hints.flags.contains(.v4Mapped), v6.isEmpty || hints.flags.contains(.all) {
        chosen = v6 + usable.filter(\.isIPv4)
      } else {
        chosen = v6
      }
    }
    guard !chosen.isEmpty else { throw .noAddress(name, hints.family) }
    return chosen
  }

  /// Destinations that this host has an address for come first, then IPv6 before IPv4, else as they stood (after RFC
  /// 6724 section 6, rules 1, 6 and 10).
  private func ordered(_ addresses: [IPAddress]) -> [IPAddress] {
    func rank(_ address: IPAddress) -> Int {
      let isUsable = address.isLoopback || hostAddresses.contains { $0.version == address.version }
      return (isUsable ? 0 : 2) + (address.isIPv4 ? 1 : 0)
    }
    return addresses.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }
      .map(\.element)
  }

  /// The two halves of "name:service"; an IPv6 address stands in brackets.
  static func split(_ text: String) throws(NameError) -> (name: String, service: String) {
    let name: Substring
    let service: Substring
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { throw .malformed(text) }
      name = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      guard rest.hasPrefix(":") else { throw .malformed(text) }
      service = rest.dropFirst()
    } else {
      guard let colon = text.lastIndex(of: ":") else { throw .malformed(text) }
      name = text[..<colon]
      service = text[text.index(after: colon)...]
      guard !name.contains(":") else { throw .malformed(text) }
    }
    guard !name.isEmpty, !service.isEmpty else { throw .malformed(text) }
    return (String(name), String(service))
  }
}
