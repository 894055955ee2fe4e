import MartletCore
import MartletWire
import Testing

@testable import MartletLinks

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite("A recording link")
final class RecordingLinkTests {
  let pool = PacketPool()

  final class Capture {
    var bytes: [UInt8] = []

    func packets() throws -> (interfaces: [PcapngInterface], packets: [PcapngPacket]) {
      var reader = try PcapngReader(bytes)
      var packets: [PcapngPacket] = []
      while let packet = try reader.next() { packets.append(packet) }
      return (reader.interfaces, packets)
    }
  }

  @Test("Frames of both directions and several links are in the capture with their times, directions and comments")
  func bothWays() throws {
    let capture = Capture()
    let recorder = CaptureRecorder(epoch: 5_000_000_000, pool: pool) { capture.bytes += $0 }
    let wire = VirtualWire()
    let left = RecordingLink(wire.left, recorder: recorder, name: "left", comment: "one end")
    let right = RecordingLink(wire.right, recorder: recorder, name: "right", macAddress: "02:00:00:00:00:02")
    left.nextComment = "the first"
    left.send(frame(60, from: pool), at: .ns(17))
    #expect(right.receiveAll(at: .ns(23)).count == 1)
    right.send(frame(61, from: pool), at: .ns(24))
    recorder.flush()
    let (interfaces, packets) = try capture.packets()
    #expect(interfaces.map(\.name) == ["left", "right"])
    #expect(interfaces[0].comments == ["one end"])
    #expect(interfaces[1].macAddress == "02:00:00:00:00:02")
    #expect(packets.map(\.timestamp) == [5_000_000_017, 5_000_000_023, 5_000_000_024])
    #expect(packets.map(\.interface) == [0, 1, 1])
    #expect(packets.map { $0.options.flags?.direction } == [.outbound, .inbound, .outbound])
    #expect(packets.map(\.options.comments) == [["the first"], [], []])
    #expect(packets.map(\.bytes.count) == [60, 60, 61])
    #expect(packets[0].bytes == bytes(of: frame(60, from: pool)))
  }

  @Test("An unfilled checksum is filled in in the capture, and not in the frame")
  func partialChecksum() throws {
    let capture = Capture()
    let recorder = CaptureRecorder(pool: pool) { capture.bytes += $0 }
    var configuration = VirtualWire.Configuration()
    configuration.offloads = .transmitChecksum
    let wire = VirtualWire(configuration)
    let link = RecordingLink(wire.left, recorder: recorder, name: "left")
    let original = bytes(of: tcpFrame(payload: 501, segmentSize: 0, from: pool))
    link.send(tcpFrame(payload: 501, segmentSize: 0, from: pool), at: .zero)
    recorder.flush()
    let packets = try capture.packets().packets
    #expect(packets.count == 1)
    #expect(packets.allSatisfy { isTCPChecksumValid($0.bytes) })
    #expect(packets.first?.options.flags?.isChecksumNotReady == false)
    #expect(wire.right.receiveAll(at: .zero) == [original])
  }

  @Test("A super-segment is in the capture as the segments it stands for")
  func superSegment() throws {
    let capture = Capture()
    let recorder = CaptureRecorder(pool: pool) { capture.bytes += $0 }
    var configuration = VirtualWire.Configuration()
    configuration.offloads = [.transmitChecksum, .segmentTCPv4]
    let wire = VirtualWire(configuration)
    let link = RecordingLink(wire.right, recorder: recorder, name: "right")
    wire.left.send(tcpFrame(payload: 3_500, segmentSize: 1_460, from: pool), at: .zero)
    #expect(link.receiveAll(at: .zero).map(\.count) == [3_554])
    recorder.flush()
    let packets = try capture.packets().packets
    #expect(packets.map(\.bytes.count) == [1_514, 1_514, 634])
    #expect(packets.allSatisfy { isTCPChecksumValid($0.bytes) })
    let sequences = try packets.map { packet in
      // Bytes have no padding.
      try unsafe TCPHeader(parsing: packet.bytes.span.bytes.extracting(droppingFirst: 34)).sequenceNumber.value
    }
    #expect(sequences == [5_000, 6_460, 7_920])
    #expect(recorder.frames == 3)
  }

  @Test("When the pool has no memory for a copy, the capture says that the frame is unfinished")
  func poolExhausted() throws {
    let capture = Capture()
    var small = PacketPool.Configuration()
    small.maximumBlocks = 0
    let recorder = CaptureRecorder(pool: PacketPool(small)) { capture.bytes += $0 }
    let link = RecordingLink(VirtualWire(.offloading).left, recorder: recorder, name: "left")
    link.send(tcpFrame(payload: 3_000, segmentSize: 1_460, from: pool), at: .zero)
    recorder.flush()
    let packets = try capture.packets().packets
    #expect(packets.map(\.bytes.count) == [3_054])
    #expect(packets.first?.options.flags?.isSegmentationOffloaded == true)
    #expect(packets.first?.options.flags?.isChecksumNotReady == true)
  }

  @Test("A capture of many frames reaches its file whole")
  func file() throws {
    let path = "martlet-links-test-\(getpid()).pcapng"
    defer { _ = unsafe unlink(path) }
    do {
      let recorder = try CaptureRecorder(path: path, pool: pool)
      let link = RecordingLink(VirtualWire().left, recorder: recorder, name: "left")
      for index in 0..<200 { link.send(frame(1_000, fill: UInt8(index), from: pool), at: .ns(Int64(index))) }
      #expect(recorder.writeError == 0)
    }
    let capture = Capture()
    capture.bytes = try read(path)
    let packets = try capture.packets().packets
    #expect(packets.map { $0.bytes[999] } == (0..<200).map { UInt8($0) })
    #expect(packets.map(\.timestamp) == (0..<200).map { CaptureRecorder.virtualEpoch + $0 })
  }

  @Test("A path that cannot be written is an error that names it")
  func badPath() {
    let error = #expect(throws: LinkError.self) { try CaptureRecorder(path: "/nonexistent/a.pcapng", pool: pool) }
    #expect(error?.description.contains("/nonexistent/a.pcapng") == true)
    #expect(error == .system(operation: "create", device: "/nonexistent/a.pcapng", errno: ENOENT))
  }

  func read(_ path: String) throws -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY)
    #expect(descriptor >= 0)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
    return Array(bytes.prefix(max(0, count)))
  }
}

extension VirtualWire.Configuration {
  static var offloading: VirtualWire.Configuration {
    var configuration = VirtualWire.Configuration()
    configuration.offloads = [.transmitChecksum, .segmentTCPv4, .segmentTCPv6]
    return configuration
  }
}
