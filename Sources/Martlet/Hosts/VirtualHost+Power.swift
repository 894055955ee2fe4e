internal import MartletCore

// A machine that stands still, or is gone. Only on the loop's thread.

extension VirtualHost {
  /// Receives, sends and does nothing until ``resume()``; frames wait in its links.
  package func pause() { unsafe box.isPaused = true }

  /// Goes on: what waited happens now.
  package func resume() {
    let core = loop.core
    let box = unsafe box
    guard box.isPaused else { return }
    box.isPaused = false
    box.host.advance(to: box.time(at: core.now))
    for attachment in box.attachments { attachment.receive(core) }
    core.touch(box)
  }

  /// Loses its memory: sockets are gone without a word to their peers, and programs that use one get
  /// ``SocketError/cancelled``. It comes up with the same interfaces, addresses and routes when ``resume()`` is called.
  package func crash() {
    let core = loop.core
    let box = unsafe box
    box.isPaused = true
    // In an order that repeats itself.
    let observers = box.states.values.sorted(by: { $0.number < $1.number }).compactMap { $0.lose() }
    box.states.removeAll()
    box.boots += 1
    var random = loop.random(named: "host:\(name):boot \(box.boots)")
    var fresh = Host(
      name: name, configuration: box.host.configuration, pool: core.pool, seed: random.next())
    let routes = box.host.routeTable
    for attachment in box.attachments {
      let interface = attachment.interface
      _ = fresh.addInterface(
        InterfaceConfiguration(
          name: box.host.name(of: interface), macAddress: box.host.macAddress(of: interface),
          mtu: box.host.mtu(of: interface), offloads: attachment.link.offloads))
    }
    for address in box.addresses { try? fresh.addAddress(address.address, to: address.interface) }
    for route in routes {
      if case .gateway(let gateway) = route.nextHop {
        try? fresh.addRoute(to: route.destination, via: gateway, on: route.interface, metric: route.metric)
      }
    }
    box.host = fresh
    for observer in observers { observer.socketLost() }
  }
}

extension SocketState {
  /// Its place in an order that repeats itself.
  fileprivate var number: (UInt8, UInt32, UInt32) { (id.kind.rawValue, id.key.index, id.key.generation) }

  /// Ends whoever waits; who saw to the socket is still to be told.
  fileprivate func lose() -> (any SocketObserver)? {
    guard !isClosed else { return nil }
    isClosed = true
    defer { observer = nil }
    waiters.endAll(.cancelled)
    return observer
  }
}
