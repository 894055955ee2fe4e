import Martlet
import MartletCore

/// The lectures' UDP server: whatever comes goes back in capitals, to whoever sent it.
func server(on host: VirtualHost) async throws {
  let serverPort: UInt16 = 12_000
  let serverSocket = try host.bindUDP(on: serverPort)
  print("The server is ready to receive")
  while true {
    let message = try await serverSocket.receive()
    let modifiedMessage = String(decoding: message.bytes, as: UTF8.self).uppercased()
    try serverSocket.send(modifiedMessage, to: message.source)
  }
}
