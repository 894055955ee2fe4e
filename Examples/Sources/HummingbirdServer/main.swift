import Martlet
import TwoHosts

let hosts = try TwoHosts()
for answer in try hosts.loop.runAndWait({ try await conversation(on: hosts) }) { print(answer) }
print("That took \(hosts.elapsed) of virtual time.")
