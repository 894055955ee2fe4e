import Martlet
import MartletCore
import MartletLinks
import MartletWire

/// Two hosts in virtual time and, between them, one or several paths that share a bottleneck.
///
/// The sender's wires share one output port, the bottleneck router's: rate and queue count bytes of IP. Chance (loss,
/// lateness) sits behind it, at the receiver's end of each wire; acknowledgements have the way back to themselves.
final class BenchNetwork {
  let loop: Loop
  let sender: VirtualHost
  let receiver: VirtualHost
  /// What the bottleneck has done so far.
  let counters: @Sendable () -> Counters

  /// What the loop's thread alone touches.
  private final class Devices: @unchecked Sendable {
    let bottleneck: OutputPort
    var impairments: [ImpairedLink] = []
    init(bottleneck: OutputPort) { self.bottleneck = bottleneck }
  }

  /// What the bottleneck has done up to some time.
  struct Counters: Sendable {
    var sentBytes = 0
    var sentPackets = 0
    var queueDrops = 0
    var lost = 0
    var maximumQueuedBytes = 0
  }

  /// The largest IP packet.
  static let mtu = 1_500

  /// Where the receiver is found over path number `path`.
  static func receiverAddress(_ path: Int) -> IPAddress { IPAddress(IPv4Address(10, 0, UInt8(path), 2)) }

  /// Puts up the hosts and a wire for each of `paths`; rate and queue of the first are those of the bottleneck.
  init(_ paths: [BenchPath], seed: UInt64) throws {
    let loop = Loop(.virtual(seed: seed))
    self.loop = loop
    let (sender, receiver) = (loop.host("sender"), loop.host("receiver"))
    self.sender = sender
    self.receiver = receiver
    let first = paths[0]
    let devices = try loop.withPool { pool in
      let devices = Devices(
        bottleneck: OutputPort(
          bitsPerSecond: UInt64(first.megabitsPerSecond) * 1_000_000, maximumBytes: first.queueBytes))
      for (number, path) in paths.enumerated() {
        var configuration = VirtualWire.Configuration()
        configuration.delay = .microseconds(path.roundTripMilliseconds * 500)
        configuration.mtu = BenchNetwork.mtu
        configuration.framing = .packetAlone
        // Checksums would cost time and change nothing; segments are split by the host, before the queue.
        configuration.offloads = [.transmitChecksum]
        let wire = VirtualWire(configuration, leftPort: devices.bottleneck)
        var impairment = ImpairedLink.Impairment()
        impairment.loss = path.loss
        impairment.reordering = path.reordering
        impairment.jitter = .microseconds(path.jitterMicroseconds)
        impairment.reorderingDelay = .milliseconds(path.reorderingMilliseconds)
        let impaired = ImpairedLink(wire.right, inbound: impairment, seed: seed, name: "path \(number)", pool: pool)
        devices.impairments.append(impaired)
        let network = UInt8(number)
        try sender.attach(
          wire.left, macAddress: MACAddress(value: 0x0200_0000_0100 + UInt64(number)),
          addresses: [AddressInSubnet(IPAddress(IPv4Address(10, 0, network, 1)), prefixLength: 24)])
        try receiver.attach(
          impaired, macAddress: MACAddress(value: 0x0200_0000_0200 + UInt64(number)),
          addresses: [AddressInSubnet(IPAddress(IPv4Address(10, 0, network, 2)), prefixLength: 24)])
      }
      return devices
    }
    counters = {
      loop.sync {
        let port = devices.bottleneck.counters
        return Counters(
          sentBytes: Int(port.sentBytes), sentPackets: Int(port.sentFrames), queueDrops: Int(port.drops),
          lost: devices.impairments.reduce(0) { $0 + Int($1.inboundCounters.lost) },
          maximumQueuedBytes: port.maximumQueuedBytes)
      }
    }
  }

  deinit { loop.shutdown() }

  /// Lets the hosts find each other, so that no measurement begins with ARP.
  static func meet(_ sender: VirtualHost, _ address: IPAddress) async throws {
    for _ in 0..<20 {
      if (try? await sender.ping(address, timeout: .seconds(2))) != nil { return }
    }
    throw CommandFailure(.network, "\(address) does not answer")
  }
}
