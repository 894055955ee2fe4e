import Martlet
import MartletLinks
import MartletWire

/// Two hosts on a wire.
func makeHosts(on loop: Loop) throws -> (client: VirtualHost, server: VirtualHost) {
  let wire = VirtualWire()
  let (client, server) = (loop.host("client"), loop.host("server"))
  try client.attach(wire.left, addresses: ["192.0.2.1/24", "2001:db8::1/64"])
  try server.attach(wire.right, addresses: ["192.0.2.2/24", "2001:db8::2/64"])
  return (client, server)
}

// With --publish the programs of this machine are the clients; they need the system's time.
let isPublished = CommandLine.arguments.dropFirst().first == "--publish"
let loop = Loop(isPublished ? .real : .virtual(seed: 1))
let hosts = try makeHosts(on: loop)
loop.task { try await server(on: hosts.server) }

if isPublished {
  let publication = try loop.publish("127.0.0.1:12000", .udp, on: hosts.client, to: "192.0.2.2:12000")
  defer { publication.close() }
  print("Published at \(publication.address); end with Control-C")
  try loop.runAndWait { try await loop.clock.sleep(for: .seconds(86_400)) }
}

let sentence = CommandLine.arguments.dropFirst().first ?? "hello, martlet"
for address: IPAddress in ["192.0.2.2", "2001:db8::2"] {
  let answer = try loop.runAndWait {
    try await client(on: hosts.client, server: SocketAddress(address, port: 12_000), sentence: sentence)
  }
  print("From the server at \(address): \(answer)")
  precondition(answer == sentence.uppercased(), "the answer is wrong")
}
