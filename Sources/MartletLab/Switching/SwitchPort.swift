import Martlet
import MartletCore

/// A port of a switch; the loop calls it when a frame is there.
final class SwitchPort: LoopDevice {
  private unowned let owner: LabSwitch
  let index: Int
  let outgoing: Lane
  let incoming: Lane
  /// As "port0".
  let name: String
  var isUp = true

  init(_ owner: LabSwitch, index: Int, outgoing: Lane, incoming: Lane, name: String) {
    self.owner = owner
    self.index = index
    self.outgoing = outgoing
    self.incoming = incoming
    self.name = name
  }

  var nextDeadline: Instant? { incoming.nextArrival }

  func advance(to now: Instant) {
    while let packet = incoming.popArrived(at: now) {
      owner.take(packet, from: index, at: now)
    }
    incoming.settle()
  }
}
