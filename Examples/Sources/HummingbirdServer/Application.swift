import Hummingbird

/// An ordinary Hummingbird application.
func makeApplication(
  onServerRunning: @escaping @Sendable () -> Void
) -> Application<RouterResponder<BasicRequestContext>> {
  let router = Router()
  router.get("hello/:name") { _, context in
    "Hello, \(try context.parameters.require("name"))!"
  }
  router.post("capitals") { request, _ in
    String(buffer: try await request.body.collect(upTo: 1_024)).uppercased()
  }
  return Application(router: router, onServerRunning: { _ in onServerRunning() })
}
