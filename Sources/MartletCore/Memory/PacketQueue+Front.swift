extension PacketQueue {
  /// What is known of the packet in front, which stays where it is.
  @inlinable package var firstMetadata: Packet.Metadata? {
    guard let block = unsafe first else { return nil }
    return unsafe block.pointee.metadata
  }
}
