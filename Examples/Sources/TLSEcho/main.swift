import Martlet
import TwoHosts

let hosts = try TwoHosts()
print(try hosts.loop.runAndWait { try await conversation(on: hosts) })
print("took \(hosts.loop.now) of the hosts' time")
