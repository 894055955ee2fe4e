import Martlet
import MartletCore
import MartletWire

/// A switch: it learns behind which port a station is from what the station sends, and sends frames there alone; what it does
/// not know goes out of every other port. With a spanning tree, only ports that are part of the tree take part.
final class LabSwitch {
  private struct Station {
    var port: Int32
    var heard: Int64
  }

  let node: Int
  let name: String
  private let ordinaryAgeing: Int64
  private let pool: PacketPool
  var recorder: Recorder?
  // Not checked for overlapping accesses at each frame: whom a frame is sent to does not call back.
  @safe @exclusivity(unchecked) private(set) var ports: [SwitchPort] = []
  @safe @exclusivity(unchecked) private var stations: [UInt64: Station] = [:]
  /// Addresses in the order in which they were learnt, for tables.
  private var order: [UInt64] = []
  private(set) var flooded: UInt64 = 0
  @safe @exclusivity(unchecked) private(set) var forwarded: UInt64 = 0
  private(set) var filtered: UInt64 = 0
  /// Frames that came in by a port that is not part of the tree.
  private(set) var blocked: UInt64 = 0
  @safe @exclusivity(unchecked) var tree: SwitchTree?
  /// Why it does nothing at all, if so.
  private(set) var outage: String?

  init(node: Int, name: String, ageing: Duration, pool: borrowing PacketPool) {
    self.node = node
    self.name = name
    ordinaryAgeing = ageing.inNanoseconds
    self.pool = pool.share()
  }

  func addPort(outgoing: Lane, incoming: Lane, name: String) -> SwitchPort {
    let port = SwitchPort(self, index: ports.count, outgoing: outgoing, incoming: incoming, name: name)
    ports.append(port)
    return port
  }

  /// After how long a station that is not heard is forgotten: while the tree changes sooner (IEEE 802.1D-1998 section 7.9.2).
  private var ageing: Int64 { tree?.shortAgeing.map { min($0, ordinaryAgeing) } ?? ordinaryAgeing }

  /// Takes what came in by port `index`.
  func take(_ packet: consuming Packet, from index: Int, at now: Instant) {
    if let outage { return ports[index].incoming.refuse(packet, outage, at: now) }
    guard packet.linearCount >= EthernetHeader.untaggedByteCount else {
      return ports[index].incoming.refuse(packet, "shorter than a header", at: now)
    }
    ports[index].incoming.recorder?.received(packet.metadata.tag, at: now.nanoseconds)
    let first: UInt16 = packet.bytes.bigEndian(at: 0)
    let rest: UInt32 = packet.bytes.bigEndian(at: 2)
    let destination = UInt64(first) << 32 | UInt64(rest)
    let time = now.nanoseconds
    if let tree {
      // The sixteen groups that no bridge passes on (section 7.12.6); the first is that of the protocol.
      if destination & ~0xf == BPDU.group.value {
        if destination == BPDU.group.value { tree.receive(packet, on: index, at: time) }
        return
      }
      let state = tree.bridge.ports[index].state
      if state.learns { learn(packet, behind: index, at: time) }
      guard state == .forwarding else {
        blocked &+= 1
        return ports[index].incoming.refuse(packet, "the port is \(state)", at: now)
      }
    } else {
      learn(packet, behind: index, at: time)
    }
    if first & 0x0100 == 0, let known = stations[destination], time - known.heard <= ageing {
      let port = Int(known.port)
      guard port != index else {
        filtered &+= 1
        return
      }
      forwarded &+= 1
      return ports[port].outgoing.send(packet, at: now)
    }
    flood(packet, from: index, at: now)
  }

  private func forwards(to port: Int, from index: Int) -> Bool {
    port != index && (tree.map { $0.bridge.ports[port].state == .forwarding } ?? true)
  }

  private func flood(_ packet: consuming Packet, from index: Int, at now: Instant) {
    flooded &+= 1
    var last = ports.count - 1
    while last >= 0, !forwards(to: last, from: index) { last -= 1 }
    guard last >= 0 else { return }
    var port = 0
    while port < last {
      if forwards(to: port, from: index), let copy = packet.duplicate(from: pool) {
        ports[port].outgoing.send(copy, at: now)
      }
      port += 1
    }
    ports[last].outgoing.send(packet, at: now)
  }

  /// Sends a frame of the switch's own.
  func send(_ bytes: RawSpan, by port: Int, at now: Instant) {
    guard var packet = pool.allocate() else { return }
    packet.append(copying: bytes)
    ports[port].outgoing.send(packet, at: now)
  }

  // MARK: Stations

  private func learn(_ packet: borrowing Packet, behind port: Int, at time: Int64) {
    let high: UInt32 = packet.bytes.bigEndian(at: 6)
    let low: UInt16 = packet.bytes.bigEndian(at: 10)
    let address = UInt64(high) << 16 | UInt64(low)
    guard address & 0x0100_0000_0000 == 0 else { return }
    if let index = stations.index(forKey: address) {
      let old = stations.values[index]
      stations.values[index].heard = time
      if old.port == Int32(port), time - old.heard <= ageing { return }
      stations.values[index].port = Int32(port)
    } else {
      stations[address] = Station(port: Int32(port), heard: time)
      order.append(address)
    }
    show(at: time)
  }

  /// Forgets who is behind `port`, or everybody.
  func forgetStations(behind port: Int? = nil, at time: Int64) {
    let gone = order.filter { address in port == nil || stations[address]?.port == port.map(Int32.init) }
    guard !gone.isEmpty else { return }
    for address in gone { stations[address] = nil }
    order.removeAll { stations[$0] == nil }
    show(at: time)
  }

  private func show(at time: Int64) {
    recorder?.table(
      .stations, of: node, columns: ["station", "port", "heard"], rows: rows(at: time), at: time)
  }

  func rows(at time: Int64) -> [[String]] {
    order.compactMap { address in
      guard let station = stations[address], time - station.heard <= ageing else { return nil }
      return [
        MACAddress(value: address).description, ports[Int(station.port)].name,
        Duration.nanoseconds(station.heard).description,
      ]
    }
  }

  // MARK: Faults

  /// Whether something is plugged in at the other end of the wire, as the port's light says.
  func setLink(_ port: Int, isUp: Bool, at now: Instant) {
    guard ports[port].isUp != isUp else { return }
    ports[port].isUp = isUp
    if outage != nil { return }
    if !isUp { forgetStations(behind: port, at: now.nanoseconds) }
    tree?.setLink(port, isUp: isUp, at: now.nanoseconds)
  }

  /// It loses its power, and with it all that it knew.
  func crash(at now: Instant) {
    outage = "nobody there"
    forgetStations(at: now.nanoseconds)
    tree?.stop()
  }

  func restart(at now: Instant) {
    outage = nil
    tree?.start(at: now.nanoseconds)
  }

  /// It keeps what it knows, and does nothing.
  func pause(at now: Instant) {
    guard outage == nil else { return }
    outage = "the switch stands still"
    tree?.isPaused = true
  }

  func resume(at now: Instant) {
    guard outage == "the switch stands still" else { return }
    outage = nil
    tree?.isPaused = false
  }
}
