import Martlet
import MartletCore
import MartletWire

/// The lectures' transports over UDP: numbered segments, a window, acknowledgements, a timer.
///
/// With a window of one it is stop-and-wait. A receiver that is not selective takes segments in order alone and acknowledges
/// the last of these (go-back-N); one that is takes all and acknowledges each (selective repeat).
struct TeachingTransport: Sendable {
  var window: Int
  var isSelective = false
  var timeout = Duration.milliseconds(80)
  /// The number of the first segment.
  static let first = 17
  /// A segment's payload: with UDP, IP and Ethernet 1,000 bytes.
  static let payloadByteCount = 958

  /// Sends `count` segments and returns when all are acknowledged.
  func send(_ count: Int, from socket: UDPSocket, to remote: SocketAddress) async throws {
    let loop = socket.host.loop
    var base = 0
    var next = 0
    var isAcknowledged = [Bool](repeating: false, count: count)
    var sentAt = [Int64](repeating: 0, count: count)
    func send(_ index: Int) throws {
      var bytes = Array("\(Self.first + index)|".utf8)
      bytes += [UInt8](repeating: UInt8(ascii: "."), count: Self.payloadByteCount - bytes.count)
      sentAt[index] = loop.now.nanoseconds
      try socket.send(bytes, to: remote)
    }
    while base < count {
      while next < min(count, base + window) {
        try send(next)
        next += 1
      }
      let oldest = (base..<next).filter { !isAcknowledged[$0] }.map { sentAt[$0] }.min() ?? 0
      let left = oldest + timeout.inNanoseconds - loop.now.nanoseconds
      if left > 0, let number = try await Self.receive(from: socket, within: .nanoseconds(left)) {
        let index = number - Self.first
        guard index >= base, index < next else { continue }
        if isSelective {
          isAcknowledged[index] = true
        } else {
          for place in base...index { isAcknowledged[place] = true }
        }
        while base < count, isAcknowledged[base] {
          base += 1
          // Go-back-N has one timer, for the oldest segment.
          if !isSelective, base < next { sentAt[base] = loop.now.nanoseconds }
        }
      } else if isSelective {
        let now = loop.now.nanoseconds
        for index in base..<next where !isAcknowledged[index] && sentAt[index] + timeout.inNanoseconds <= now {
          try send(index)
        }
      } else {
        for index in base..<next { try send(index) }
      }
    }
  }

  /// Receives until cancelled and returns what came, in the order in which a program would get it.
  func receive(_ count: Int, on socket: UDPSocket) async throws -> [Int] {
    var isHere = [Bool](repeating: false, count: count)
    var delivered: [Int] = []
    while delivered.count < count {
      let datagram = try await socket.receive()
      guard let number = Self.number(in: datagram.bytes) else { continue }
      let index = number - Self.first
      if isSelective {
        isHere[index] = true
        try socket.send("\(number)|", to: datagram.source)
      } else {
        if index == delivered.count { isHere[index] = true }
        let last = isHere.firstIndex(of: false) ?? count
        if last > 0 { try socket.send("\(Self.first + last - 1)|", to: datagram.source) }
      }
      while delivered.count < count, isHere[delivered.count] { delivered.append(Self.first + delivered.count) }
    }
    return delivered
  }

  private static func receive(from socket: UDPSocket, within limit: Duration) async throws -> Int? {
    do {
      return number(in: try await socket.host.loop.withTimeout(limit) { try await socket.receive().bytes })
    } catch SocketError.timedOut {
      return nil
    }
  }

  private static func number(in bytes: [UInt8]) -> Int? {
    Int(String(decoding: bytes.prefix { $0 != UInt8(ascii: "|") }, as: UTF8.self))
  }
}
