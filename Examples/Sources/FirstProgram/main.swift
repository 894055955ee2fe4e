import Martlet

let loop = Loop(.virtual(seed: 1)), wire = VirtualWire()
let (alice, bob) = (loop.host("alice"), loop.host("bob"))
try alice.attach(wire.left, addresses: ["192.0.2.1/24"])
try bob.attach(wire.right, addresses: ["192.0.2.2/24"])
loop.task { try await bob.listen(on: 80).accept().write("hello from another host\n") }
let text = try loop.runAndWait { try await alice.connect(to: "192.0.2.2:80").readLine() }
print(text ?? "nobody spoke")
