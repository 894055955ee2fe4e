internal import Logging
internal import MartletCore
internal import MartletWire

/// Carries TCP connections of this machine into a virtual network. Touched by the loop's thread alone.
final class StreamForwarder: @unchecked Sendable {
  private let host: VirtualHost
  private let target: SocketAddress
  private let limits: Publication.Limits
  private let logger: Logger
  private var count = 0

  /// What is carried at one time in one direction, in bytes.
  private static let chunk = 65_536

  init(host: VirtualHost, target: SocketAddress, limits: Publication.Limits, logger: Logger) {
    self.host = host
    self.target = target
    self.limits = limits
    self.logger = logger
  }

  func run(_ listener: SystemSocket) async {
    while !listener.isClosed {
      switch listener.accept() {
      case .done(let peer):
        guard count < limits.maximumConnections else {
          peer.abort()
          continue
        }
        count += 1
        host.loop.task { [self] in
          await carry(peer)
          count -= 1
        }
      case .wouldBlock:
        guard await listener.wait(for: .readable, "a connection from this machine") else { return }
      case .failed(let error):
        // Out of descriptors, most likely: some will be closed.
        logger.warning("accepting a connection from this machine failed (errno \(error))")
        guard (try? await host.loop.clock.sleep(for: .milliseconds(50))) != nil else { return }
      }
    }
  }

  private func carry(_ peer: SystemSocket) async {
    let socket: TCPSocket
    do throws(SocketError) {
      socket = try await host.connect(to: target)
    } catch {
      logger.info("no connection to \(target) from \(host.name): \(error)")
      peer.abort()
      return
    }
    await withTaskGroup(of: Bool.self) { group in
      group.addTask { await Self.carryIn(from: peer, to: socket) }
      group.addTask { await Self.carryOut(from: socket, to: peer) }
      for await isWell in group where !isWell {
        socket.abort()
        peer.abort()
        group.cancelAll()
      }
    }
    peer.close()
    socket.close()
  }

  /// From this machine into the network, to the end of the stream; false after a reset on either side.
  private static func carryIn(from peer: SystemSocket, to socket: TCPSocket) async -> Bool {
    while true {
      var result = SystemSocket.Outcome<Int>.wouldBlock
      let bytes = unsafe [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
        result = unsafe peer.read(into: UnsafeMutableRawBufferPointer(buffer))
        if case .done(let read) = result { count = read }
      }
      do throws(SocketError) {
        switch result {
        case .done(0):
          try socket.shutdownWrite()
          return true
        case .done: try await socket.write(bytes)
        case .wouldBlock:
          guard await peer.wait(for: .readable, "bytes from this machine") else { return false }
        case .failed: return false
        }
      } catch {
        return false
      }
    }
  }

  /// From the network to this machine, likewise.
  private static func carryOut(from socket: TCPSocket, to peer: SystemSocket) async -> Bool {
    do throws(SocketError) {
      while true {
        let bytes = try await socket.read(upTo: chunk)
        if bytes.isEmpty {
          peer.shutdownWrite()
          return true
        }
        var sent = 0
        while sent < bytes.count {
          switch unsafe peer.write(bytes.span.bytes.extracting(sent...)) {
          case .done(let count): sent += count
          case .wouldBlock:
            guard await peer.wait(for: .writable, "room towards this machine") else { return false }
          case .failed: return false
          }
        }
      }
    } catch {
      return false
    }
  }
}
