import Martlet
import MartletCore
import MartletLinks
import MartletWire

/// TCP: three connections to B:80, from A:915, C:517 and C:915. All three have the same local end at B; a TCP socket is
/// known by both ends, so that each segment finds its own.
func streamFigure() throws -> Bool {
  print("TCP: a web server at B:80, clients at A:915, C:517 and C:915")
  let loop = Loop(.virtual(seed: 1))
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
  let listener = try b.listen(on: 80)
  let ends: [(from: SocketAddress, to: SocketAddress)] = [
    ("192.0.2.1:915", "192.0.2.2:80"), ("192.0.2.5:517", "192.0.2.2:80"), ("192.0.2.5:915", "192.0.2.2:80"),
  ]

  let (sockets, heard) = try loop.runAndWait {
    var sockets: [TCPSocket] = []
    for (from, to) in ends {
      let host = from.address == "192.0.2.1" ? a : c
      let socket = try await host.connect(to: to, from: from)
      try await socket.write("I am \(from)")
      sockets.append(socket)
    }
    var heard: [String] = []
    for _ in ends {
      let connection = try await listener.accept()
      let words = String(decoding: try await connection.read(), as: UTF8.self)
      heard.append("\(connection.remoteAddress?.description ?? "?"): \(words)")
      sockets.append(connection)
    }
    return (sockets, heard.sorted())
  }

  printSockets(of: b)
  var went = ends.map { show(.tcp, from: $0.from, to: $0.to, on: b, expecting: (local: $0.to, remote: $0.from)) }
  let anyone = (local: SocketAddress(.any(.v6), port: 80), remote: SocketAddress?.none)
  went.append(show(.tcp, from: "192.0.2.5:916", to: "192.0.2.2:80", on: b, expecting: anyone))
  sockets.forEach { $0.close() }
  return !went.contains(false) && heard == ends.map { "\($0.from): I am \($0.from)" }
}
