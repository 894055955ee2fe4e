import GRPCCore

/// Strings as they are, where a generated service would have its protobuf messages.
struct UTF8Coder: MessageSerializer, MessageDeserializer {
  func serialize<Bytes: GRPCContiguousBytes>(_ message: String) -> Bytes { Bytes(message.utf8) }

  func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) -> String {
    bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }
}

/// Greets once, or every name in a stream as it comes.
struct Greeter: RegistrableRPCService {
  static let greet = MethodDescriptor(fullyQualifiedService: "example.Greeter", method: "Greet")
  static let greetAll = MethodDescriptor(fullyQualifiedService: "example.Greeter", method: "GreetAll")

  func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
    for method in [Self.greet, Self.greetAll] {
      router.registerHandler(forMethod: method, deserializer: UTF8Coder(), serializer: UTF8Coder()) { request, _ in
        StreamingServerResponse { writer in
          for try await name in request.messages {
            guard !name.isEmpty else { throw RPCError(code: .invalidArgument, message: "nobody to greet") }
            try await writer.write("Hello, \(name)!")
          }
          return [:]
        }
      }
    }
  }
}
