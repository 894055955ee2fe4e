import Logging
import Martlet
import NIOHTTP1
import ServiceLifecycle
import SmallHTTPClient
import TwoHosts

/// The application as a service, three requests, and its end.
func conversation(on hosts: TwoHosts) async throws -> [String] {
  let (running, setRunning) = AsyncStream<Void>.makeStream()
  let service = HostedApplication(
    application: makeApplication { setRunning.finish() }, host: hosts.server, port: 8_080)
  let services = ServiceGroup(services: [service], logger: Logger(label: "hummingbird"))
  async let end: Void = services.run()
  for await _ in running {}

  var answers: [String] = []
  let server = "server.example"
  answers.append(try await ask("/hello/Martlet", of: server, port: 8_080, on: hosts.client))
  answers.append(try await ask("/capitals", by: .POST, body: "a sentence", of: server, port: 8_080, on: hosts.client))
  answers.append(try await ask("/nowhere", of: server, port: 8_080, on: hosts.client))

  await services.triggerGracefulShutdown()
  try await end
  return answers
}
