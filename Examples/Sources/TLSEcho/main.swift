import Martlet
import TwoHosts

let hosts = try TwoHosts()
print(try hosts.loop.runAndWait { try await conversation(on: hosts) })
print("That took \(hosts.elapsed) of virtual time.")
