import Martlet
import MartletCore
import MartletLinks
import MartletWire

/// UDP: the socket at port 6428 gets datagrams from port 9157 of one host and from port 5775 of another, because a
/// UDP socket is known by its local end alone.
func datagramFigure() throws -> Bool {
  print("UDP: P1 at A:5775, P2 at B:6428, P3 at C:9157")
  let loop = Loop(.virtual(seed: 1))
  // B has a wire to each of its clients.
  let (left, right) = (VirtualWire(), VirtualWire())
  let a = try loop.host("A") { try $0.attach(left.left, addresses: ["192.0.2.1/30"]) }
  let c = try loop.host("C") {
    let eth0 = try $0.attach(right.left, addresses: ["192.0.2.5/30"])
    // B is known by its address on the wire to A.
    try $0.addRoute(to: "192.0.2.2/32", via: "192.0.2.6", on: eth0)
  }
  let b = try loop.host("B") {
    try $0.attach(left.right, addresses: ["192.0.2.2/30"])
    try $0.attach(right.right, addresses: ["192.0.2.6/30"])
  }
  let p1 = try a.bindUDP(on: 5_775)
  let p2 = try b.bindUDP(on: 6_428)
  let p3 = try c.bindUDP(on: 9_157)

  let received = try loop.runAndWait {
    try p1.send("from P1", to: "192.0.2.2:6428")
    try p3.send("from P3", to: "192.0.2.2:6428")
    var received: [String] = []
    for _ in 1...2 {
      let datagram = try await p2.receive()
      received.append("\(String(decoding: datagram.bytes, as: UTF8.self)) (\(datagram.source))")
      try p2.send("to \(datagram.source)", to: datagram.source)
    }
    return received.sorted()
  }
  let answers = try loop.runAndWait {
    try await [p1.receive().bytes, p3.receive().bytes].map { String(decoding: $0, as: UTF8.self) }
  }

  printSockets(of: b)
  print("  P2 received \(received), P1 and P3 received \(answers)")
  let socket = (local: SocketAddress(.any(.v6), port: 6_428), remote: SocketAddress?.none)
  let toA = (local: SocketAddress(.any(.v6), port: 5_775), remote: SocketAddress?.none)
  let toC = (local: SocketAddress(.any(.v6), port: 9_157), remote: SocketAddress?.none)
  let went = [
    show(.udp, from: "192.0.2.1:5775", to: "192.0.2.2:6428", on: b, expecting: socket),
    show(.udp, from: "192.0.2.5:9157", to: "192.0.2.2:6428", on: b, expecting: socket),
    show(.udp, from: "192.0.2.2:6428", to: "192.0.2.1:5775", on: a, expecting: toA),
    show(.udp, from: "192.0.2.2:6428", to: "192.0.2.5:9157", on: c, expecting: toC),
  ]
  return !went.contains(false) && received == ["from P1 (192.0.2.1:5775)", "from P3 (192.0.2.5:9157)"]
    && answers == ["to 192.0.2.1:5775", "to 192.0.2.5:9157"]
}
