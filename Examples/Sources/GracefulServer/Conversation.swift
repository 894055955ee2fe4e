import Logging
import Martlet
import ServiceLifecycle
import SmallHTTPClient
import TwoHosts

/// What became of two clients, one before and one after the server was asked to end.
struct Outcome: Sendable {
  var early: String
  var late: String
}

/// A client asks; while the server thinks, it is told to end, and another client comes.
func conversation(on hosts: TwoHosts) async throws -> Outcome {
  let services = ServiceGroup(
    services: [SlowServer(host: hosts.server)], logger: Logger(label: "server"))
  async let end: Void = services.run()
  let clock = hosts.loop.clock
  try await clock.sleep(for: .milliseconds(100))

  async let early = ask("/", of: "server.example", on: hosts.client)
  try await clock.sleep(for: .milliseconds(500))
  await services.triggerGracefulShutdown()
  try await clock.sleep(for: .milliseconds(100))
  let late: String
  do {
    late = try await ask("/", of: "server.example", on: hosts.client)
  } catch {
    late = "refused: \(error)"
  }
  let outcome = try await Outcome(early: early, late: late)
  try await end
  return outcome
}
