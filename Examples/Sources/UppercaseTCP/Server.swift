import Martlet

/// The lectures' TCP server: a connection for each client, which gets its sentence back in capitals.
func server(on host: VirtualHost) async throws {
  let serverPort: UInt16 = 12_000
  let serverSocket = try host.listen(on: serverPort)
  print("The server is ready to receive")
  while true {
    let connectionSocket = try await serverSocket.accept()
    let sentence = try await connectionSocket.read(upTo: 1_024)
    let capitalizedSentence = String(decoding: sentence, as: UTF8.self).uppercased()
    try await connectionSocket.write(capitalizedSentence)
    connectionSocket.close()
  }
}
