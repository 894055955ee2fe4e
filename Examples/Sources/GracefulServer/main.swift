import Martlet
import TwoHosts

let hosts = try TwoHosts()
let outcome = try hosts.loop.runAndWait { try await conversation(on: hosts) }
print("Before the shutdown: \(outcome.early)")
print("After it: \(outcome.late)")
print("That took \(hosts.elapsed) of virtual time.")
