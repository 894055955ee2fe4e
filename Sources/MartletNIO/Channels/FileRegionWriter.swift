internal import Martlet
internal import MartletCore
internal import NIOCore

/// How regions of files reach a connection, one after another: by reference, unless the channel was told otherwise.
final class FileRegionWriter {
  var way = FileWay.byReference
  /// Who sends the region that is first in the queue; it knows how far it is.
  private var sender: FileSender?
  private var finished = TransferStatistics()

  /// What all regions so far took.
  var statistics: TransferStatistics {
    var all = finished
    if let sender { all += sender.statistics }
    return all
  }

  /// Sends of `region`, the first in the queue, as much as there is room for, and returns how many bytes that was.
  ///
  /// - Parameter failed: Called when the file is found changed while nothing moves; the next call throws then.
  /// - Throws: `IOError`; a file that does not have the region, or that changed, is one (`EIO`), for the peer was promised
  ///   more. The connection is reset then.
  func send(_ region: FileRegion, to socket: SocketCore, failed: @escaping () -> Void) throws -> Int {
    do throws(FileTransferError) {
      if sender == nil { sender = try makeSender(region, to: socket, failed: failed) }
      guard let sender else { return 0 }
      let before = sender.remaining
      if try sender.advance() == .finished { endSender() }
      return Int(before - sender.remaining)
    } catch {
      endSender()
      if case .socket(let error) = error { throw IOError(error, in: "write") }
      if case .system(let number) = error { throw IOError(errnoCode: number, reason: "a file could not be read") }
      throw IOError(errnoCode: 5, reason: "a file does not have what was to be sent any more")
    }
  }

  private func endSender() {
    finished = statistics
    sender = nil
  }

  private func makeSender(
    _ region: FileRegion, to socket: SocketCore, failed: @escaping () -> Void
  ) throws(FileTransferError) -> FileSender {
    // The queue holds the region, and with it the descriptor, until the sender is done.
    guard let descriptor = try? region.fileHandle.withUnsafeFileDescriptor({ $0 }) else { throw .notAFile }
    let sender = try FileSender(
      descriptor, offset: Int64(region.readerIndex), count: Int64(region.readableBytes), identity: nil, way: way,
      to: socket)
    sender.failed = { _ in failed() }
    return sender
  }
}
