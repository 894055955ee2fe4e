import Martlet
import MartletWire

/// The lectures' UDP client: a sentence goes there, its capitals come back.
func client(on host: VirtualHost, server: SocketAddress, sentence: String) async throws -> String {
  let clientSocket = try host.bindUDP()
  try clientSocket.send(sentence, to: server)
  let modifiedSentence = try await clientSocket.receive()
  clientSocket.close()
  return String(decoding: modifiedSentence.bytes, as: UTF8.self)
}
