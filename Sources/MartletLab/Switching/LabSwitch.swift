import Martlet
import MartletCore
import MartletWire

/// A switch: it learns behind which port a station is from what the station sends, and sends frames there alone; what it does
/// not know goes out of every other port. A hub does so with everything.
final class LabSwitch {
  private struct Station {
    var port: Int32
    var heard: Int64
  }

  let node: Int
  let isHub: Bool
  private let ageing: Int64
  private let pool: PacketPool
  var recorder: Recorder?
  private(set) var ports: [SwitchPort] = []
  private var stations: [UInt64: Station] = [:]
  /// Addresses in the order in which they were learnt, for tables.
  private var order: [UInt64] = []
  private(set) var flooded: UInt64 = 0
  private(set) var forwarded: UInt64 = 0
  private(set) var filtered: UInt64 = 0

  init(node: Int, isHub: Bool, ageing: Duration, pool: borrowing PacketPool) {
    self.node = node
    self.isHub = isHub
    self.ageing = ageing.inNanoseconds
    self.pool = pool.share()
  }

  func addPort(outgoing: Lane, incoming: Lane) -> SwitchPort {
    let port = SwitchPort(self, index: ports.count, outgoing: outgoing, incoming: incoming)
    ports.append(port)
    return port
  }

  /// Sends on what came in by port `index`.
  func forward(_ packet: consuming Packet, from index: Int, at now: Instant) {
    guard packet.linearCount >= EthernetHeader.untaggedByteCount else {
      return ports[index].incoming.refuse(packet, "shorter than a header", at: now)
    }
    let time = now.nanoseconds
    if !isHub {
      let high: UInt32 = packet.bytes.bigEndian(at: 6)
      let low: UInt16 = packet.bytes.bigEndian(at: 10)
      learn(UInt64(high) << 16 | UInt64(low), behind: index, at: time)
      let first: UInt16 = packet.bytes.bigEndian(at: 0)
      let rest: UInt32 = packet.bytes.bigEndian(at: 2)
      let destination = UInt64(first) << 32 | UInt64(rest)
      if first & 0x0100 == 0, let known = stations[destination], time - known.heard <= ageing {
        guard Int(known.port) != index else {
          filtered &+= 1
          return
        }
        forwarded &+= 1
        return ports[Int(known.port)].outgoing.send(packet, at: now)
      }
    }
    flood(packet, from: index, at: now)
  }

  private func flood(_ packet: consuming Packet, from index: Int, at now: Instant) {
    flooded &+= 1
    var last = ports.count - 1
    if last == index { last -= 1 }
    guard last >= 0 else { return }
    var port = 0
    while port < last {
      if port != index, let copy = packet.duplicate(from: pool) {
        ports[port].outgoing.send(copy, at: now)
      }
      port += 1
    }
    ports[last].outgoing.send(packet, at: now)
  }

  private func learn(_ address: UInt64, behind port: Int, at time: Int64) {
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

  private func show(at time: Int64) {
    recorder?.table(
      .stations, of: node, columns: ["station", "port", "heard"], rows: rows(at: time), at: time)
  }

  func rows(at time: Int64) -> [[String]] {
    order.compactMap { address in
      guard let station = stations[address], time - station.heard <= ageing else { return nil }
      return [
        MACAddress(value: address).description, "port\(station.port)", Duration.nanoseconds(station.heard).description,
      ]
    }
  }
}

/// A port of a switch; the loop calls it when a frame is there.
final class SwitchPort: LoopDevice {
  private unowned let owner: LabSwitch
  let index: Int
  let outgoing: Lane
  let incoming: Lane

  init(_ owner: LabSwitch, index: Int, outgoing: Lane, incoming: Lane) {
    self.owner = owner
    self.index = index
    self.outgoing = outgoing
    self.incoming = incoming
  }

  var nextDeadline: Instant? { incoming.nextArrival }

  func advance(to now: Instant) {
    while let packet = incoming.popArrived(at: now) {
      take(packet, at: now)
    }
    incoming.settle()
  }

  private func take(_ packet: consuming Packet, at now: Instant) {
    incoming.recorder?.received(packet.metadata.tag, at: now.nanoseconds)
    owner.forward(packet, from: index, at: now)
  }
}
