import Martlet
import TwoHosts

let hosts = try TwoHosts()
let heard = try hosts.loop.runAndWait { try await conversation(on: hosts) }
for line in heard.alice { print("alice hears: \(line)") }
for line in heard.bob { print("bob hears:   \(line)") }
print("That took \(hosts.elapsed) of virtual time.")
