/// What it took to send something: bytes, copies of them, calls of the system.
public struct TransferStatistics: Equatable, Sendable {
  /// Bytes handed to the connection.
  public var bytesSent: UInt64 = 0
  /// Bytes copied on their way from the page cache to the send queue, by the system (`pread`) and by the program; a byte that
  /// is copied twice counts twice. What the device copies out of the frames it takes is not in it.
  public var bytesCopied: UInt64 = 0
  /// Calls of the system for the transfer: `pread`, `fstat`, `mmap`, `madvise`. Frames are sent for all connections together
  /// and are not in it.
  public var systemCalls: UInt64 = 0
  /// Of the bytes sent by reference: how many were read to compute checksums in software, retransmissions included. 0 where
  /// the device computes them.
  public var checksumBytesComputed: UInt64 = 0
  /// Of the bytes sent by reference: how many had checksums whose sums were known from before.
  public var checksumBytesCached: UInt64 = 0

  public init() {}

  /// Copies per byte sent; 0 if nothing was.
  public var copiesPerByte: Double { bytesSent == 0 ? 0 : Double(bytesCopied) / Double(bytesSent) }

  /// Adds what another transfer took.
  public static func += (left: inout TransferStatistics, right: TransferStatistics) {
    left.bytesSent += right.bytesSent
    left.bytesCopied += right.bytesCopied
    left.systemCalls += right.systemCalls
    left.checksumBytesComputed += right.checksumBytesComputed
    left.checksumBytesCached += right.checksumBytesCached
  }
}

/// How the bytes of a file get into a connection's send queue.
public enum FileWay: String, CaseIterable, Sendable {
  /// Read into a buffer and written from it: two copies.
  case readAndWrite
  /// Copied from the page cache, which is mapped: one copy.
  case mappedCopy
  /// The mapped page cache itself is in the queue: no copy.
  case byReference
}
