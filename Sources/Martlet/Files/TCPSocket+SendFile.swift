internal import MartletCore

extension TCPSocket {
  /// Sends a part of an open file, waiting while the send buffer is full, and returns when all of it is in there.
  ///
  /// Its bytes are of one state of the file or the connection is reset before the last of them: see ``FileSender``. The
  /// descriptor stays the caller's, and has to stay open until the call returns.
  ///
  /// - Parameters:
  ///   - descriptor: A regular file, open for reading; where it stands does not matter.
  ///   - offset: Where the part begins, in bytes.
  ///   - count: How many bytes it has; nil for all up to the end.
  ///   - identity: What the file has to be, for a caller that told the peer something about it; nil for what it is now.
  ///   - way: How the bytes get into the send queue.
  /// - Returns: What it took.
  /// - Throws: ``FileTransferError``. Whatever ends the call early, cancellation too, resets the connection once bytes are
  ///   on their way.
  @discardableResult
  public func sendFile(
    _ descriptor: CInt, offset: Int64 = 0, count: Int64? = nil, identity: FileIdentity? = nil,
    way: FileWay = .byReference
  ) async throws(FileTransferError) -> TransferStatistics {
    guard core.loop.isCurrent else {
      return try await core.host.loop.perform { [self] () throws(FileTransferError) in
        try await sendFile(descriptor, offset: offset, count: count, identity: identity, way: way)
      }
    }
    let sender = try FileSender(descriptor, offset: offset, count: count, identity: identity, way: way, to: self)
    while try sender.advance() == .blocked {
      do throws(SocketError) {
        try await core.wait(for: .writable, "room to write")
      } catch {
        sender.cancel(error)
        throw sender.error ?? .socket(error)
      }
    }
    return sender.statistics
  }
}
