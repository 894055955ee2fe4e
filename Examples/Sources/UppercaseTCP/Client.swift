import Martlet
import MartletWire

/// The lectures' TCP client: connect, send a sentence, read its capitals.
func client(on host: VirtualHost, server: SocketAddress, sentence: String) async throws -> String {
  let clientSocket = try await host.connect(to: server)
  try await clientSocket.write(sentence)
  let modifiedSentence = try await clientSocket.read(upTo: 1_024)
  clientSocket.close()
  return String(decoding: modifiedSentence, as: UTF8.self)
}
