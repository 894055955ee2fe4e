internal import MartletWire

// TCP between the Internet layer and the connections.

extension Host {
  mutating func receiveTCP(_ packet: consuming Packet, _ context: InternetContext) {
    guard packet.makeLinear(TCPHeader.minimumByteCount) else { return drop(packet, .tcpTruncated) }
    let headerByteCount = Int(packet.bytes.bigEndian(at: 12, as: UInt8.self) >> 4) * 4
    if headerByteCount > TCPHeader.minimumByteCount, !packet.makeLinear(headerByteCount) {
      return drop(packet, .tcpTruncated)
    }
    // RFC 9293 MUST-57: nothing is said about segments to everybody.
    guard context.isUnicast else { return drop(packet, .tcpNotUnicast) }
    // Each by itself: there are not registers enough for all of it at once.
    guard isIntact(packet, context) else { return drop(packet, .tcpChecksum) }
    let index = findConnection(ports: packet.bytes.bigEndian(at: 0), context)
    let header: TCPHeader
    do { header = try TCPHeader(parsing: packet.bytes) } catch { return drop(packet, .tcpTruncated) }
    let isMarked = context.trafficClass & 3 == ECN.congestionExperienced.rawValue
    if let index, isMarked || header.flags.contains(.cwr) {
      connections[index].tcp.receiveMark(
        header, isMarked: isMarked, payloadCount: packet.count - headerByteCount)
    }
    // The segment that nearly every segment is: its connection waits for it, and its options need no parsing.
    if let index, let options = TCPOptions.Plain(of: header, in: packet.bytes) {
      let connection = unsafe connections.pointer(at: index)
      let payloadCount = packet.count &- headerByteCount
      if unsafe connection.pointee.tcp.expects(header, options.timestamps, payloadCount: payloadCount) {
        packet.removeFirst(headerByteCount)
        let reason = unsafe connection.pointee.tcp.receiveExpected(
          header, options.timestamps, payload: packet, at: now)
        if let reason {
          ledger.count(reason)
        } else if unsafe connection.pointee.confirmedIn != confirmationPeriod {
          confirmNeighbor(of: index)
        }
        return update(index)
      }
    }
    receiveUnexpected(packet, header, index, context)
  }

  @inline(never)
  private func isIntact(_ packet: borrowing Packet, _ context: InternetContext) -> Bool {
    hasValidChecksum(packet, context)
  }

  /// The connection of a segment with these ports, source and destination in one word.
  @inline(never)
  private mutating func findConnection(ports: UInt32, _ context: InternetContext) -> UInt32? {
    let flow = Flow(
      localAddress: context.destination, localPort: UInt16(truncatingIfNeeded: ports),
      remoteAddress: context.source, remotePort: UInt16(truncatingIfNeeded: ports &>> 16),
      zone: context.source.isLinkLocal ? context.interface : .loopback)
    // Segments come in trains: mostly it is the connection of the one before.
    if connections.isOccupied(lastConnection), connections[lastConnection].tcp.flow == flow { return lastConnection }
    return searchConnection(flow)
  }

  /// The connection of `flow`, to be found at once the next time.
  @inline(never)
  mutating func searchConnection(_ flow: Flow) -> UInt32? {
    let found = findConnection(flow)
    if let found { lastConnection = found }
    return found
  }

  /// Any other segment.
  @inline(never)
  private mutating func receiveUnexpected(
    _ packet: consuming Packet, _ header: TCPHeader, _ index: UInt32?, _ context: InternetContext
  ) {
    let flow = Flow(
      localAddress: context.destination, localPort: header.destinationPort, remoteAddress: context.source,
      remotePort: header.sourcePort, zone: context.source.isLinkLocal ? context.interface : .loopback)
    let options: TCPOptions
    do { options = try TCPOptions(of: header, in: packet.bytes) } catch { return drop(packet, .tcpOptionMalformed) }
    guard header.sourcePort != 0, header.destinationPort != 0 else { return drop(packet, .tcpPortZero) }
    packet.removeFirst(Int(header.headerByteCount))
    guard let index else { return receiveWithoutConnection(packet, header, options, flow, context) }
    if connections[index].isInTimeWait, header.flags.contains(.syn), !header.flags.contains(.ack),
      connections[index].tcp.acceptsReuse(by: header, options: options)
    {
      let floor = connections[index].tcp.smallestReusableSequence
      removeConnection(index)
      return receiveWithoutConnection(packet, header, options, flow, context, sequenceFloor: floor)
    }
    let asked = connections[index].tcp.asksForFastOpenCookie
    let isConversation = connections[index].tcp.state == .established && header.flags.subtracting(.psh) == .ack
    if let reason = connections[index].tcp.receive(header, options, payload: packet, at: now) {
      ledger.count(reason)
    } else if isConversation, connections[index].confirmedIn != confirmationPeriod {
      confirmNeighbor(of: index)
    }
    if asked { learnFastOpen(header, options, flow) }
    update(index)
  }

  @inline(__always)
  func findConnection(_ flow: Flow) -> UInt32? {
    flows.find(hash(of: flow, .connection)) { value in
      let tag = SocketTag(value)
      return tag.kind == .connection && connections[tag.index].tcp.flow == flow
    }.map { SocketTag($0).index }
  }

  /// A segment of no connection: one that opens one, or RFC 9293 section 3.10.7.1.
  private mutating func receiveWithoutConnection(
    _ packet: consuming Packet, _ header: TCPHeader, _ options: TCPOptions, _ flow: Flow, _ context: InternetContext,
    sequenceFloor: SequenceNumber? = nil
  ) {
    if header.flags.contains(.rst) { return drop(packet, .tcpNoSocket) }
    if let listener = findListener(flow, context.source.version) {
      if header.flags.contains(.syn), !header.flags.contains(.ack) {
        return receiveSYN(packet, header, options, flow, listener, sequenceFloor)
      }
      if header.flags.contains(.ack), !header.flags.contains(.syn),
        receiveCookie(header, options, flow, listener)
      {
        // The segment that brought the cookie may bring data too.
        if let index = findConnection(flow) {
          if let reason = connections[index].tcp.receive(header, options, payload: packet, at: now) {
            ledger.count(reason)
          }
          update(index)
        }
        return
      }
      // Fourth: what has neither SYN nor ACK belongs to no connection that ever was (RFC 9293 section 3.10.7.2).
      if header.flags.isDisjoint(with: [.syn, .ack]) { return drop(packet, .tcpNoAcknowledgment) }
    }
    sendReset(header, payloadByteCount: packet.count, flow)
    drop(packet, .tcpNoSocket)
  }

  func findListener(_ flow: Flow, _ version: IPVersion) -> UInt32? {
    if addressBoundListenerCount > 0, let found = findListener(flow, version, exact: true) { return found }
    return findListener(flow, version, exact: false)
  }

  func findListener(_ flow: Flow, _ version: IPVersion, exact: Bool) -> UInt32? {
    var best: UInt32?
    var bestSerial: UInt64 = 0
    bindings.forEach(hash(ofPort: flow.localPort, address: exact ? flow.localAddress : nil, .listener)) { value in
      let tag = SocketTag(value)
      guard tag.kind == .listener, listeners[tag.index].local.port == flow.localPort,
        listeners[tag.index].local.address.isUnspecified != exact,
        listeners[tag.index].accepts(version: version, to: flow.localAddress),
        listeners[tag.index].serial >= bestSerial
      else { return }
      best = tag.index
      bestSerial = listeners[tag.index].serial
    }
    return best
  }

  // MARK: Listeners

  private mutating func receiveSYN(
    _ packet: consuming Packet, _ header: TCPHeader, _ options: TCPOptions, _ flow: Flow, _ listener: UInt32,
    _ sequenceFloor: SequenceNumber?
  ) {
    // Nobody takes what has been made already: the peer tries again.
    guard listeners[listener].accepted.count < listeners[listener].options.backlog else {
      return drop(packet, .tcpBacklogFull)
    }
    if listeners[listener].halfOpenCount >= configuration.tcp.synQueue {
      guard configuration.tcp.synCookies else { return drop(packet, .tcpBacklogFull) }
      return sendCookie(header, options, flow, listener)
    }
    guard let maximumSegmentSize = maximumSegmentSize(for: flow) else { return drop(packet, .ipNoRoute) }
    guard
      let index = openPassively(
        header, options, flow, listener, maximumSegmentSize: maximumSegmentSize, sequenceFloor: sequenceFloor)
    else { return drop(packet, .tcpBacklogFull) }
    if listeners[listener].options.fastOpen, let cookie = options.fastOpenCookie {
      acceptFastOpen(packet, header, cookie, listener, index)
    }
    update(index)
  }

  /// Whether a listener may have one more connection in SYN-RECEIVED.
  func takesSYN(_ listener: UInt32) -> Bool {
    listeners[listener].accepted.count < listeners[listener].options.backlog
      && listeners[listener].halfOpenCount < configuration.tcp.synQueue
  }

  /// The connection that the SYN `header` asks for; nil when the table is full of living ones.
  @inline(__always)
  mutating func openPassively(
    _ header: TCPHeader, _ options: TCPOptions, _ flow: Flow, _ listener: UInt32, maximumSegmentSize: Int,
    sequenceFloor: SequenceNumber? = nil
  ) -> UInt32? {
    guard let place = unsafe placeForConnection() else { return nil }
    let start = sequenceNumbers.start(of: flow, at: now)
    var sequence = start.sequence
    if let sequenceFloor { sequence = .later(sequence, sequenceFloor) }
    unsafe place.initialize(
      to: Connection(
        tcp: TCPConnection(
          accepting: flow, syn: header, options: options, socketOptions: listeners[listener].options.connection,
          configuration: configuration.tcp, initialSequence: sequence, timestampOffset: start.timestampOffset,
          maximumSegmentSize: maximumSegmentSize, limits: tcpLimits, now: now),
        listener: listeners.tenant(at: listener)))
    let index = fileConnection(flow, listeners[listener].options.connection)
    connections[index].isHalfOpen = true
    listeners[listener].halfOpenCount += 1
    return index
  }

  /// Puts a connection whose handshake is done into its listener's queue.
  mutating func enqueueAccepted(_ index: UInt32) {
    guard let key = connections[index].listener else { return }
    connections[index].isHalfOpen = false
    guard listeners.contains(key) else { return }
    listeners[key.index].halfOpenCount -= 1
    listeners[key.index].accepted.append(connections.tenant(at: index))
    note(.acceptable, on: SocketID(.listener, key))
  }

  // MARK: SYN cookies (RFC 4987 section 3.6)

  private mutating func sendCookie(_ syn: TCPHeader, _ options: TCPOptions, _ flow: Flow, _ listener: UInt32) {
    guard let path = maximumSegmentSize(for: flow) else { return ledger.count(.ipNoRoute) }
    let answer = cookies.answer(
      to: syn, options: options, for: flow, socketOptions: listeners[listener].options.connection,
      configuration: configuration.tcp, timestampOffset: sequenceNumbers.timestampOffset(for: flow),
      maximumSegmentSize: path, from: pool, at: now)
    guard let answer else { return ledger.count(.poolExhausted) }
    cookiesSent &+= 1
    sendSegment(answer, flow)
  }

  /// Whether the acknowledgement brings back one of our cookies; then the connection it stands for is there.
  private mutating func receiveCookie(
    _ header: TCPHeader, _ options: TCPOptions, _ flow: Flow, _ listener: UInt32
  ) -> Bool {
    // Nobody sent a cookie, so nobody can bring one back: an ACK out of the blue is not even checked.
    guard configuration.tcp.synCookies, cookiesSent > 0,
      let agreed = cookies.check(header, options: options, for: flow, at: now)
    else { return false }
    guard listeners[listener].accepted.count < listeners[listener].options.backlog else {
      ledger.count(.tcpBacklogFull)
      return true
    }
    guard let path = maximumSegmentSize(for: flow) else { return false }
    guard let place = unsafe placeForConnection() else { return true }
    let socketOptions = listeners[listener].options.connection
    unsafe place.initialize(
      to: Connection(
        tcp: TCPConnection(
          cookie: flow, acknowledgment: header, options: options, agreed: agreed, socketOptions: socketOptions,
          configuration: configuration.tcp, timestampOffset: sequenceNumbers.timestampOffset(for: flow),
          maximumSegmentSize: path, limits: tcpLimits, now: now),
        listener: listeners.tenant(at: listener)))
    let index = fileConnection(flow, socketOptions)
    connections[index].isHalfOpen = true
    listeners[listener].halfOpenCount += 1
    return true
  }

  // MARK: Connections

  /// Where the next connection is to be made, so that it need not be moved; nil when the table is full of living ones.
  @unsafe @inline(__always)
  mutating func placeForConnection() -> UnsafeMutablePointer<Connection>? {
    if connections.count >= connections.capacity { evictTimeWait() }
    return unsafe connections.nextPlace()
  }

  /// Files the connection that was made at ``placeForConnection()``, and returns where it stands.
  @inline(__always)
  mutating func fileConnection(_ flow: Flow, _ options: borrowing TCPSocketOptions) -> UInt32 {
    let index = connections.takeNextPlace().index
    let connection = unsafe connections.pointer(at: index)
    unsafe connection.pointee.tcp.maximumSuperSegment = Self.maximumSuperSegment
    unsafe connection.pointee.timeToLive = options.timeToLive ?? 0
    unsafe connection.pointee.trafficClass = options.trafficClass
    unsafe connection.pointee.pathGeneration = pathMTUs.generation
    if !takesShortWays { unsafe connection.pointee.tcp.flags.insert(.avoidsShortWays) }
    if pathMTUs.count > 0 { followPath(index) }
    flows.insert(hash(of: flow, .connection), place: SocketTag(.connection, index).value)
    return index
  }

  /// As much as one IP packet carries, whatever headers and options stand in front.
  private static var maximumSuperSegment: UInt16 { 65_000 }

  private mutating func evictTimeWait() {
    while let key = timeWaits.popFirst() {
      guard connections.contains(key), connections[key.index].isInTimeWait else { continue }
      return removeConnection(key.index)
    }
  }

  mutating func removeConnection(_ index: UInt32) {
    let key = connections.tenant(at: index)
    flows.remove(hash(of: connections[index].tcp.flow, .connection), place: SocketTag(.connection, index).value)
    connectionTimers.set(nil, for: index)
    if connections[index].isHalfOpen, let listener = connections[index].listener, listeners.contains(listener) {
      listeners[listener.index].halfOpenCount -= 1
    }
    let wasInTimeWait = connections[index].isInTimeWait
    connections.discard(key)
    if wasInTimeWait { forgetGoneTimeWaits() }
  }

  /// They end about in the order in which they began, so that only few that are gone stay in the list.
  private mutating func forgetGoneTimeWaits() {
    while !timeWaits.isEmpty, !connections.contains(timeWaits[0]) { _ = timeWaits.popFirst() }
  }

  /// Does what follows from a change of connection `index`: events, timers, something to send, the end.
  @inline(__always)
  mutating func update(_ index: UInt32) {
    if connections[index].needsUpdate { followUp(index) }
  }

  @inline(never)
  private mutating func followUp(_ index: UInt32) {
    let connection = unsafe connections.pointer(at: index)
    let key = connections.tenant(at: index)
    if unsafe connection.pointee.tcp.hasChanges {
      if unsafe connection.pointee.announcesChanges {
        if unsafe connection.pointee.takeNews() { events.append(SocketID(.connection, key)) }
      } else {
        noteChanges(unsafe connection.pointee.tcp.takeChanges(), of: index)
      }
    }
    if unsafe connection.pointee.tcp.isFinished { return removeConnection(index) }
    if unsafe connection.pointee.takePlaceInLine() { pending.append(key) }
    if unsafe connection.pointee.movesWakeUp() { connectionTimers.set(unsafe connection.pointee.wakeUp, for: index) }
  }

  @inline(never)
  private mutating func noteChanges(_ changes: SocketEvent.Changes, of index: UInt32) {
    if connections[index].isHalfOpen, changes.contains(.connected) { enqueueAccepted(index) }
    if connections[index].listener == nil {
      note(changes, on: SocketID(.connection, connections.tenant(at: index)))
    } else if changes.contains(.closed), connections[index].isHalfOpen {
      // Nobody ever saw it.
      connections[index].tcp.release()
    }
    if connections[index].tcp.state == .timeWait, !connections[index].isInTimeWait {
      connections[index].isInTimeWait = true
      timeWaits.append(connections.tenant(at: index))
    }
  }

  /// Fires the timers that are due.
  mutating func fireConnectionTimers() {
    while let index = connectionTimers.popDue(at: now) {
      guard connections.isOccupied(index) else { continue }
      connections[index].wakeUp = .distantFuture
      if let deadline = connections[index].tcp.deadline, deadline <= now {
        connections[index].tcp.advance(to: now)
        if connections[index].tcp.changes.contains(.softError) { suspectPath(of: connections[index].tcp.flow) }
      }
      update(index)
    }
  }

  /// R1: the way to the peer may be broken; whoever stands on it is asked (RFC 9293 section 3.8.3, MUST-20).
  @inline(never)
  private mutating func suspectPath(of flow: Flow) {
    guard let route = findRoute(to: flow.remoteAddress, zone: flow.zone == .loopback ? nil : flow.zone) else { return }
    neighbors.suspectReachability(of: route.nextHop, on: route.interface, at: now)
  }

  // MARK: Segments out

  /// Lets every connection that has something to send send it.
  mutating func flushConnections() {
    while let key = pending.popFirst() {
      guard connections.contains(key) else { continue }
      let index = key.index
      let connection = unsafe connections.pointer(at: index)
      if unsafe connection.pointee.pathGeneration != pathMTUs.generation { followPath(index) }
      if unsafe sendPlainSegment(connection, index) || sendBareSegment(connection, index) { continue }
      let departure = unsafe connection.pointee.depart(
        from: pool, at: now, challenges: &challenges, into: &segments)
      if unsafe connection.pointee.tcp.probing.hasNews { sharePathNews(index) }
      update(index)
      guard !segments.isEmpty else { continue }
      if departure.flow.zone == .loopback,
        let place = findWay(from: departure.flow.localAddress, to: departure.flow.remoteAddress)
      {
        var fields = HeaderFields(
          protocol: .tcp,
          hopLimit: departure.timeToLive == 0 ? configuration.internet.timeToLive : departure.timeToLive,
          dontFragment: true, checksumOffset: TCPHeader.checksumOffset)
        while let segment = segments.popFirst() {
          let trafficClass = departure.trafficClass(of: segment)
          if fits(segment, way: place) {
            fields.trafficClass = trafficClass
            output(segment, way: place, fields)
          } else {
            sendSegment(segment, departure.flow, timeToLive: departure.timeToLive, trafficClass: trafficClass)
          }
        }
        continue
      }
      guard
        var outgoing = outgoing(
          for: departure.flow, timeToLive: departure.timeToLive, trafficClass: departure.trafficClass)
      else {
        while let segment = segments.popFirst() { drop(segment, .ipNoRoute) }
        continue
      }
      while var segment = segments.popFirst() {
        outgoing.trafficClass = departure.trafficClass(of: segment)
        leaveChecksumPartial(&segment, outgoing, at: TCPHeader.checksumOffset)
        output(segment, outgoing)
      }
    }
  }

  @inline(__always)
  private mutating func outgoing(for flow: Flow, timeToLive: UInt8 = 0, trafficClass: UInt8 = 0) -> Outgoing? {
    guard let route = findRoute(to: flow.remoteAddress, zone: flow.zone == .loopback ? nil : flow.zone) else {
      return nil
    }
    return Outgoing(
      source: flow.localAddress, destination: flow.remoteAddress, protocol: .tcp,
      hopLimit: timeToLive == 0 ? configuration.internet.timeToLive : timeToLive, trafficClass: trafficClass,
      dontFragment: pathMTUs.estimate(for: flow.remoteAddress)?.allowsFragmentation != true,
      interface: route.interface, nextHop: route.nextHop)
  }

  /// Sends a segment by the long way: one that belongs to no connection, or that is too large for the short one.
  @inline(never)
  private mutating func sendSegment(
    _ packet: consuming Packet, _ flow: Flow, timeToLive: UInt8 = 0, trafficClass: UInt8 = 0
  ) {
    guard let outgoing = outgoing(for: flow, timeToLive: timeToLive, trafficClass: trafficClass) else {
      return drop(packet, .ipNoRoute)
    }
    leaveChecksumPartial(&packet, outgoing, at: TCPHeader.checksumOffset)
    output(packet, outgoing)
  }

  /// Answers a segment that belongs nowhere (RFC 9293 section 3.10.7.1).
  private mutating func sendReset(_ segment: TCPHeader, payloadByteCount: Int, _ flow: Flow) {
    guard var packet = pool.allocate() else { return ledger.count(.poolExhausted) }
    packet.extend(TCPHeader.minimumByteCount)
    var reset = TCPHeader(
      sourcePort: flow.localPort, destinationPort: flow.remotePort, sequenceNumber: SequenceNumber(0),
      acknowledgmentNumber: SequenceNumber(0), flags: .rst, window: 0)
    if segment.flags.contains(.ack) {
      reset.sequenceNumber = segment.acknowledgmentNumber
    } else {
      var length = payloadByteCount
      if segment.flags.contains(.syn) { length += 1 }
      if segment.flags.contains(.fin) { length += 1 }
      reset.acknowledgmentNumber = segment.sequenceNumber + length
      reset.flags = [.rst, .ack]
    }
    var bytes = packet.mutableBytes
    reset.write(to: &bytes)
    sendSegment(packet, flow)
  }

  // MARK: What connections are made from

  /// What the link takes: its MTU less the IP header. What the path takes is told to the connection when it is made and
  /// whenever that changes; the MSS offered to the peer has nothing to do with it (RFC 1191 section 3.1).
  mutating func maximumSegmentSize(for flow: Flow) -> Int? {
    guard let route = findRoute(to: flow.remoteAddress, zone: flow.zone == .loopback ? nil : flow.zone) else {
      return nil
    }
    let header = flow.remoteAddress.isIPv4 ? IPv4Header.minimumByteCount : IPv6Header.byteCount
    return linkMTU(of: route.interface) - header
  }

  /// An ICMP error about a segment of ours (RFC 9293 section 3.9.2.2).
  mutating func deliverTCPError(_ error: QuotedError, _ quote: Quote, on interface: InterfaceID) {
    let flow = Flow(
      localAddress: quote.source, localPort: quote.sourcePort, remoteAddress: quote.destination,
      remotePort: quote.destinationPort, zone: quote.destination.isLinkLocal ? interface : .loopback)
    guard let index = findConnection(flow) else { return ledger.count(.icmpErrorUnmatched) }
    // Only what is in flight can have met a router: anything else is forged (RFC 5927 section 4.1).
    let quoted = SequenceNumber(quote.secondWord)
    guard connections[index].tcp.isInFlight(quoted) else { return ledger.count(.icmpErrorUnmatched) }
    let report: TCPPathReport
    switch error {
    case .refused: report = .hard(.refused)
    // What the host found itself is no rumour: an open ends with it (a connection that stands goes on).
    case .unreachable(nil): report = .hard(.unreachable(by: flow.localAddress))
    case .unreachable(let reporter), .timeExceeded(let reporter):
      report = .soft(.unreachable(by: reporter ?? flow.localAddress))
    case .packetTooBig(let reported):
      guard quote.dontFragment,
        let mtu = PathMTUCache.claim(reported, packetLength: quote.totalLength, for: quote.destination.version)
      else { return ledger.count(.icmpErrorUnmatched) }
      report = .packetTooBig(mtu: mtu, packetByteCount: quote.totalLength)
    case .other: return
    }
    if !connections[index].tcp.receive(report, quoted: quoted, at: now) { ledger.count(.icmpErrorUnmatched) }
    if connections[index].tcp.probing.hasNews { sharePathNews(index) }
    update(index)
  }
}
