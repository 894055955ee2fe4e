#if os(Linux)
  import Glibc
  import MartletCore
  import Testing

  @testable import MartletLinks

  @Suite("Batches of frames from a device")
  final class FrameDeviceTests {
    let pool = PacketPool()

    /// A device with its other end.
    private struct Pair: ~Copyable {
      var device: FrameDevice
      let end: CInt

      init(pool: borrowing PacketPool) throws {
        var ends: [CInt] = [-1, -1]
        let made = unsafe socketpair(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends)
        try #require(made == 0)
        device = FrameDevice(
          descriptor: ends[0], hasVirtioHeader: false, backlogLimit: 4, batchByteCount: 10_000, pool: pool)
        end = ends[1]
      }

      deinit { close(end) }

      func put(_ count: Int, bytes: Int = 60) {
        let frame = [UInt8](repeating: 0x5a, count: bytes)
        for _ in 0..<count {
          let written = unsafe write(end, frame, frame.count)
          #expect(written == bytes)
        }
      }

      mutating func receive(limit: Int = 64) -> Int { device.receive(at: .zero, limit: limit) { _ in } }
    }

    @Test("A batch ends with the frames that are there, or with the limit")
    func limits() throws {
      var pair = try Pair(pool: pool)
      pair.put(5)
      let counts = (pair.receive(limit: 3), pair.receive(limit: 3), pair.receive(limit: 3))
      #expect(counts == (3, 2, 0))
    }

    @Test("No frame is left lying by a device that expects batches of one")
    func expectation() throws {
      var pair = try Pair(pool: pool)
      for _ in 0..<20 {
        pair.put(1)
        let count = pair.receive()
        #expect(count == 1)
      }
      // A poll says that there is more.
      pair.put(9)
      var count = 0
      for _ in 0..<9 { count += pair.receive() }
      #expect(count == 9)
    }

    @Test("A device that expects one frame asks for more after a while")
    func oneMore() throws {
      var pair = try Pair(pool: pool)
      for _ in 0..<10 {
        pair.put(1)
        _ = pair.receive()
      }
      // From here on a second frame always waits.
      pair.put(1)
      var largest = 0
      for _ in 0..<40 where largest < 2 {
        pair.put(1)
        largest = max(largest, pair.receive())
      }
      #expect(largest == 2)
    }

    @Test("A batch of large frames ends before it outgrows a cache")
    func batchBytes() throws {
      var pair = try Pair(pool: pool)
      pair.put(9, bytes: 2_000)
      let counts = (pair.receive(), pair.receive())
      #expect(counts == (5, 4))
    }
  }
#endif
