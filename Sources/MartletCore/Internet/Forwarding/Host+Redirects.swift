internal import BasicContainers
internal import MartletWire

// Redirects: a router tells hosts on a link who else there is nearer to a destination, and hosts heed it (RFC 1122 section
// 3.2.2.2, RFC 1812 section 5.2.7.2, RFC 4861 section 8).

// MARK: - As a router

extension Host {
  /// Tells the sender of a packet, which begins with its IP header and is about to leave by the interface that it came in by,
  /// to send the next one straight to `hop`, if that one is a neighbour of both.
  @inline(never)
  mutating func redirectSource(of packet: inout Packet, _ context: InternetContext, _ hop: ForwardingHop) {
    guard forwarding.sendsRedirects, context.source != hop.nextHop,
      areNeighbors(context.source, hop.nextHop, on: hop.interface)
    else { return }
    guard redirectsSent.take(at: now) else { return ledger.count(.icmpRateLimited) }
    if let gateway = hop.nextHop.v4 {
      // Only ever for one host: a network's mask is not in the message (RFC 1812 section 5.2.7.2).
      let sent = forwardingCounters.sentErrors
      sendForwardingError(.v4(.redirect(code: .host, gateway: gateway)), about: &packet, context)
      if forwardingCounters.sentErrors != sent {
        forwardingCounters.sentErrors = sent
        forwardingCounters.sentRedirects &+= 1
      }
    } else {
      sendRedirect(about: packet, context, hop)
    }
  }

  /// Whether two addresses are on the link of `interface`, as far as its own addresses tell.
  private func areNeighbors(_ a: IPAddress, _ b: IPAddress, on interface: InterfaceID) -> Bool {
    if !a.isIPv4 { return isOnLink(a, interface) && isOnLink(b, interface) }
    // RFC 1812 asks for one subnet that has both.
    for index in 0..<addresses.entries.count where addresses.entries[index].interface == interface {
      let subnet = addresses.entries[index].address.subnet
      if subnet.contains(a), subnet.contains(b) { return true }
    }
    return false
  }

  private func isOnLink(_ address: IPAddress, _ interface: InterfaceID) -> Bool {
    if address.isLinkLocal { return true }
    for index in 0..<addresses.entries.count
    where addresses.entries[index].interface == interface && addresses.entries[index].address.subnet.contains(address) {
      return true
    }
    return false
  }

  /// RFC 4861 section 8.2.
  private mutating func sendRedirect(about packet: borrowing Packet, _ context: InternetContext, _ hop: ForwardingHop) {
    // Routers are known by their link-local addresses alone.
    guard hop.nextHop == context.destination || hop.nextHop.isLinkLocal, !carriesICMPv6Error(packet),
      let source = linkLocalAddress(of: hop.interface), icmpErrors.take(at: now)
    else { return }
    guard var message = pool.allocate() else { return ledger.count(.poolExhausted) }
    let fields = NeighborDiscoveryMessage.redirect(target: hop.nextHop.v6, destination: context.destination.v6)
    let mac = neighbors.lookup(hop.nextHop, on: hop.interface, at: now)
    let head = fields.byteCount + (mac == nil ? 0 : 8)
    // As much of the packet as fits into 1,280 bytes, in units of eight.
    let quoted = min(packet.count, 1_280 - IPv6Header.byteCount - head - 8) & ~7
    message.extend(head + 8 + quoted)
    var bytes = message.mutableBytes
    fields.write(to: &bytes)
    if let mac { NDPOption.targetLinkLayerAddress(mac).write(to: &bytes, at: fields.byteCount) }
    NDPOption.redirectedHeader(offset: 0, byteCount: quoted).write(to: &bytes, at: head)
    unsafe packet.copyBytes(from: 0, count: quoted, to: message.pointer + head + 8)
    forwardingCounters.sentRedirects &+= 1
    // To the packet's source, which is on the link.
    sendICMP(
      message,
      Outgoing(
        source: source, destination: context.source, protocol: .icmpv6, hopLimit: 255, interface: hop.interface,
        nextHop: context.source))
  }

  private func linkLocalAddress(of interface: InterfaceID) -> IPAddress? {
    for index in 0..<addresses.entries.count where addresses.entries[index].interface == interface {
      let address = addresses.entries[index].address.address
      if !address.isIPv4, address.isLinkLocal { return address }
    }
    return nil
  }
}

// MARK: - As a host

extension Host {
  /// Takes an ICMP redirect for what its quote was sent to (RFC 1122 section 3.2.2.2).
  mutating func receiveRedirect(
    _ packet: consuming Packet, to gateway: IPAddress, quoteAt offset: Int, _ context: InternetContext
  ) {
    guard let quote = Quote(parsing: packet.bytes, at: offset), quote.source.isIPv4,
      addresses.isLocal(quote.source, on: context.interface), gateway.isUnicast, isOnLink(gateway, context.interface),
      !addresses.isBroadcast(gateway, on: context.interface),
      heedRedirect(of: quote.destination, to: gateway, context)
    else { return drop(packet, .icmpRedirectInvalid) }
  }

  /// Takes a redirect of neighbour discovery, whose fields are as RFC 4861 section 8.1 has them.
  mutating func receiveRedirect(
    _ packet: consuming Packet, of destination: IPAddress, to target: IPAddress, linkAddress mac: MACAddress?,
    _ context: InternetContext
  ) {
    guard context.source.isLinkLocal, heedRedirect(of: destination, to: target, context) else {
      return drop(packet, .icmpRedirectInvalid)
    }
    if let mac {
      var ready = PacketQueue()
      neighbors.receivedRequest(from: target, mac: mac, on: context.interface, at: now, ready: &ready)
      sendReady(&ready, to: mac, on: context.interface)
    }
  }

  /// Sends what goes to `destination` to `nextHop` from now on, if it went to the redirect's sender so far; says whether it
  /// does.
  private mutating func heedRedirect(
    of destination: IPAddress, to nextHop: IPAddress, _ context: InternetContext
  ) -> Bool {
    let maximum = configuration.internet.maximumRedirects
    // A router knows better (RFC 1812 section 5.2.7.2, RFC 4861 section 8.2).
    guard maximum > 0, !forwarding.includes(destination.version), !destination.isLinkLocal,
      nextHop.version == destination.version, nextHop != context.source,
      !addresses.isLocal(nextHop, on: context.interface),
      let route = findRoute(to: destination, zone: nil), route.interface == context.interface,
      route.nextHop == context.source, route.nextHop != destination
    else { return false }
    redirects.insert(
      RedirectTable.Redirect(destination: destination, nextHop: nextHop, interface: context.interface),
      maximum: maximum)
    forgetWays()
    return true
  }

  /// Goes back to the route table where a redirect led to somebody who does not answer (RFC 1122 section 3.3.1.4).
  mutating func forgetRedirects(to nextHop: IPAddress, on interface: InterfaceID) {
    if redirects.remove(to: nextHop, on: interface) { forgetWays() }
  }
}
