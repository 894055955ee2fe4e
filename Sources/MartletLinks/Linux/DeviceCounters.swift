/// What a link to the operating system has done.
public struct DeviceCounters: Equatable, Sendable {
  public var receivedFrames: UInt64 = 0
  public var receivedBytes: UInt64 = 0
  public var sentFrames: UInt64 = 0
  public var sentBytes: UInt64 = 0
  /// Frames read and let go because the pool was at its bound.
  public var poolDrops: UInt64 = 0
  /// Frames whose virtio header contradicts the frame, or asks for what was not offered.
  public var malformedDrops: UInt64 = 0
  /// Frames dropped because the device took none and the backlog was full.
  public var backlogDrops: UInt64 = 0
  /// Frames that the device refused, for instance because it was down.
  public var refusedDrops: UInt64 = 0
  /// The error number of the last refusal, 0 if there was none.
  public var lastError: CInt = 0
}
