public import Martlet
public import NIOCore

/// What a channel over a TCP connection counts; asked on its loop's thread alone.
package protocol ConnectionMeasures: Channel {
  /// What the regions of files that were written took so far.
  var fileTransferStatistics: TransferStatistics { get }
  /// How many bytes were written, here or to the connection, that the peer has not acknowledged yet.
  var unacknowledgedByteCount: Int { get }
}

extension StreamChannel: ConnectionMeasures {
  var fileTransferStatistics: TransferStatistics { files.statistics }

  var unacknowledgedByteCount: Int { writes.byteCount + (socket?.unacknowledgedByteCount ?? 0) }
}

extension ChannelOptions {
  /// What the regions of files that were written to a connection took: bytes, copies, calls of the system. It can only be
  /// read.
  ///
  ///     let statistics = try await channel.getOption(ChannelOptions.fileTransferStatistics).get()
  ///     print(statistics.copiesPerByte)
  public static var fileTransferStatistics: Types.FileTransferStatisticsOption { .init() }
}

extension ChannelOptions.Types {
  /// The type of ``NIOCore/ChannelOptions/fileTransferStatistics``.
  public struct FileTransferStatisticsOption: ChannelOption, Sendable {
    public typealias Value = TransferStatistics
    public init() {}
  }
}
