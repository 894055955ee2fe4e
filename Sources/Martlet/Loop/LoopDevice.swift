package import MartletCore

/// Something on a loop that is neither a host nor a host's link and acts at times of its own: a switch's port.
package protocol LoopDevice: AnyObject {
  /// When it next has something to do.
  var nextDeadline: Instant? { get }

  /// Does what is due by `now`.
  func advance(to now: Instant)
}

extension Loop {
  /// Takes in `device`; what is returned is to be called when its deadline becomes earlier. Only on the loop's thread.
  package func add(_ device: any LoopDevice) -> () -> Void {
    let core = core
    let id = UInt32(core.entities.count)
    core.entities.append(.device(device))
    core.deadlines.set(device.nextDeadline, for: id)
    return { [unowned core] in core.linkWoke(id) }
  }

  /// Tells `observer` of each turn of `host`, when what it sent has gone out. Only on the loop's thread.
  package func observeTurns(of host: VirtualHost, _ observer: ((inout Host, Instant) -> Void)?) {
    unsafe host.box.turnObserver = observer
  }
}
