import MartletWire

// Which interface is on which link.

extension WorldPlan {
  mutating func plugIn() throws(Mistake) {
    for (number, link) in description.links.enumerated() {
      guard linkIndices.updateValue(number, forKey: link.name) == nil else {
        throw fail(.link(number), "Two links are called \"\(link.name)\"", "Give one of them another name.")
      }
      for (direction, way) in [(link.there, "there"), (link.back, "back")] {
        if direction.rate == 0 {
          throw fail(
            .link(number), "The line of \(link.name) (\(way)) has a rate of 0",
            "Leave the rate out for a line without one.")
        }
        if direction.mtu < 68 {
          throw fail(.link(number), "The MTU of \(link.name) (\(way)) is below 68", "Give it 68 or more (RFC 791).")
        }
      }
      for (end, plug) in [link.first, link.second].enumerated() {
        let node = try index(of: plug.node, .link(number))
        let kind = description.nodes[node].kind
        if end == 1, link.first.node == plug.node {
          throw fail(.link(number), "The wire leads from \"\(plug.node)\" to itself", "Name two nodes.")
        }
        if !description.nodes[node].hasStack, !plug.addresses.isEmpty {
          throw fail(
            .link(number), "\"\(plug.node)\" is a \(kind.word) and has no addresses",
            "Give them to the hosts and routers on it.")
        }
        let count = interfaces[node].count
        let name = plug.interface ?? (description.nodes[node].hasStack ? "eth\(count)" : "port\(count)")
        if interfaces[node].contains(where: { $0.name == name }) {
          throw fail(.link(number), "\"\(plug.node)\" has two interfaces called \(name)", "Give one another name.")
        }
        let mac =
          plug.macAddress
          ?? MACAddress(value: 0x0200_0000_0000 | UInt64(node + 1) << 8 | UInt64((count + 1) & 0xff))
        interfaces[node].append(
          Interface(name: name, mac: mac, addresses: plug.addresses, link: number, end: end))
      }
    }
  }
}
