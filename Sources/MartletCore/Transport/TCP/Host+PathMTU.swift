internal import BasicContainers
internal import MartletWire

// What TCP knows of its paths, between the connections and the host's cache.

extension Host {
  func linkMTU(of interface: InterfaceID) -> Int { interfaces[Int(interface.index)].mtu }

  /// Tells connection `index` what the path takes, as far as the host knows.
  @inline(never)
  mutating func followPath(_ index: UInt32) {
    connections[index].pathGeneration = pathMTUs.generation
    let flow = connections[index].tcp.flow
    guard let route = findRoute(to: flow.remoteAddress, zone: flow.zone == .loopback ? nil : flow.zone) else { return }
    connections[index].tcp.followPath(mtu: pathMTU(to: flow.remoteAddress, by: route.interface), at: now)
  }

  /// Remembers what connection `index` found out, for all that goes to the same destination.
  @inline(never)
  mutating func sharePathNews(_ index: UInt32) {
    let flow = connections[index].tcp.flow
    guard let mtu = connections[index].tcp.takePathNews(),
      let route = findRoute(to: flow.remoteAddress, zone: flow.zone == .loopback ? nil : flow.zone),
      route.interface != .loopback
    else { return }
    let linkMTU = linkMTU(of: route.interface)
    _ = pathMTUs.report(mtu, packetLength: linkMTU, linkMTU: linkMTU, for: flow.remoteAddress, at: now)
  }
}
