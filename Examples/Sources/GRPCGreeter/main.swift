import Martlet
import TwoHosts

let hosts = try TwoHosts()
for answer in try hosts.loop.runAndWait({ try await conversation(on: hosts) }) { print(answer) }
print("took \(hosts.loop.now) of the hosts' time")
