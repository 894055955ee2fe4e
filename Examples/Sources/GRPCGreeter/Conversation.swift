import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Martlet
import TwoHosts

/// A server, and a client that calls it once, then with a stream of names, then wrongly.
func conversation(on hosts: TwoHosts) async throws -> [String] {
  let listeners = MartletListenerFactory(host: hosts.server, port: 50_051)
  return try await withGRPCServer(
    transport: HTTP2ServerTransport.Custom(listenerFactory: listeners), services: [Greeter()]
  ) { server in
    _ = await server.transport.listeningAddress
    let transport = try await clientTransport(to: "server.example", port: 50_051, on: hosts.client)
    return try await withGRPCClient(transport: transport) { client in
      var answers = [try await greet("Martlet", with: client)]
      answers += try await greetAll(["Ada", "Grace", "Barbara"], with: client)
      do {
        answers.append(try await greet("", with: client))
      } catch let error as RPCError {
        answers.append("\(error.code): \(error.message)")
      }
      return answers
    }
  }
}

func greet(_ name: String, with client: GRPCClient<some ClientTransport>) async throws -> String {
  try await client.unary(
    request: ClientRequest(message: name), descriptor: Greeter.greet, serializer: UTF8Coder(),
    deserializer: UTF8Coder(), options: .defaults
  ) { try $0.message }
}

func greetAll(_ names: [String], with client: GRPCClient<some ClientTransport>) async throws -> [String] {
  let request = StreamingClientRequest<String> { writer in
    for name in names { try await writer.write(name) }
  }
  return try await client.bidirectionalStreaming(
    request: request, descriptor: Greeter.greetAll, serializer: UTF8Coder(), deserializer: UTF8Coder(),
    options: .defaults
  ) { response in
    var greetings: [String] = []
    for try await greeting in response.messages { greetings.append(greeting) }
    return greetings
  }
}
