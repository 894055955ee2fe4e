import Martlet
import MartletCore
import MartletLinks

#if os(Linux)
  /// A TAP device of this machine at a wire's end: what the world sends there goes to the kernel, and back.
  final class TapPort: LoopDevice {
    private let device: TAP
    private let outgoing: Lane
    private let incoming: Lane

    init(_ name: String, outgoing: Lane, incoming: Lane, pool: borrowing PacketPool) throws(LinkError) {
      var configuration = TAP.Configuration(name: name)
      configuration.createsDevice = true
      // A world's wire carries whole frames with their checksums.
      configuration.offloads = false
      configuration.bringsUp = true
      device = try TAP(configuration, pool: pool)
      self.outgoing = outgoing
      self.incoming = incoming
    }

    var descriptor: CInt? { device.descriptor }

    var nextDeadline: Instant? {
      switch (incoming.nextArrival, device.nextDeadline) {
      case (let left?, let right?): min(left, right)
      case (let left, let right): left ?? right
      }
    }

    func advance(to now: Instant) {
      while let packet = incoming.popArrived(at: now) { deliver(packet, at: now) }
      incoming.settle()
      device.flush(at: now)
    }

    private func deliver(_ packet: consuming Packet, at now: Instant) {
      incoming.recorder?.received(packet.metadata.tag, at: now.nanoseconds)
      device.send(packet, at: now)
    }

    /// Takes in what the kernel sent.
    func receive(at now: Instant) {
      while device.receive(at: now, limit: 64, into: { packet in outgoing.send(packet, at: now) }) == 64 {}
    }
  }
#endif
