#if os(Linux)
  import CMartletLinux
  import Glibc
  import MartletCore
  import MartletWire
  import Testing

  @testable import MartletLinks

  @Suite("A device of the kernel", .serialized)
  final class DeviceTests {
    let pool = PacketPool()
    static var canMakeDevices: Bool { unsafe geteuid() == 0 && access("/dev/net/tun", R_OK | W_OK) == 0 }

    @Test("A TAP device that does not exist is an error that says what to run")
    func missingTAP() {
      let error = #expect(throws: LinkError.self) { try TAP(.init(name: "mrt-missing"), pool: pool) }
      #expect(
        error?.description
          == "there is no device mrt-missing; run: sudo ip tuntap add dev mrt-missing mode tap user $USER"
          + " && sudo ip link set mrt-missing up")
    }

    @Test("An interface that does not exist is an error that says what to run")
    func missingInterface() {
      let error = #expect(throws: LinkError.self) { try PacketSocket(.init(name: "mrt-missing"), pool: pool) }
      #expect(error?.description.contains("sudo ip link add mrt-missing type veth") == true)
    }

    @Test(
      "Names that the kernel would misread are refused",
      arguments: ["", "a/b", "with space", "sixteen-letters!", "t%d", ".."])
    func badNames(name: String) {
      #expect(throws: LinkError.invalidName(name)) { try TAP(.init(name: name), pool: pool) }
      #expect(throws: LinkError.invalidName(name)) { try PacketSocket(.init(name: name), pool: pool) }
    }

    @Test("Making a TAP device without permission says what to run", .enabled(if: geteuid() != 0))
    func notPermitted() {
      var configuration = TAP.Configuration(name: "mrt-test0")
      configuration.createsDevice = true
      let error = #expect(throws: LinkError.self) { try TAP(configuration, pool: pool) }
      // A container may lack the device altogether.
      #expect(error?.description.contains("run: sudo") == true)
    }

    @Test("A packet socket without permission says what to run", .enabled(if: geteuid() != 0))
    func packetSocketNotPermitted() {
      let error = #expect(throws: LinkError.self) { try PacketSocket(.init(name: "lo"), pool: pool) }
      #expect(error?.description.contains("setcap cap_net_raw+ep") == true)
    }

    @Test("A TAP device is made, is busy for a second owner, and goes when it is closed", .enabled(if: canMakeDevices))
    func lifeOfTAP() throws {
      var configuration = TAP.Configuration(name: "mrt-test0")
      configuration.createsDevice = true
      configuration.mtu = 1_400
      do {
        let tap = try TAP(configuration, pool: pool)
        #expect(tap.mtu == 1_400)
        #expect(tap.offloads == [.transmitChecksum, .segmentTCPv4, .segmentTCPv6])
        #expect(tap.receive(at: .zero, limit: 64) { _ in } == 0)
        #expect(throws: LinkError.busy("mrt-test0")) { try TAP(configuration, pool: pool) }
        // The kernel's end is down and takes nothing.
        tap.send(frame(60, from: pool), at: .zero)
        #expect(tap.counters.refusedDrops == 1)
        #expect(tap.counters.lastError == EIO)
      }
      #expect(unsafe martlet_interface_index("mrt-test0") == 0)
      #expect(pool.statistics.blocksInUse == 0)
      #expect(pool.statistics.largeRegionsInUse == 0)
    }

    @Test("What is no TAP device cannot be opened as one", .enabled(if: canMakeDevices))
    func wrongKind() {
      #expect(throws: LinkError.wrongKind("lo", expected: "a TAP device with one queue")) {
        try TAP(.init(name: "lo"), pool: pool)
      }
    }

    @Test("A virtio header survives the way to a packet and back")
    func virtioHeader() {
      var packet = tcpFrame(payload: 3_000, segmentSize: 1_460, from: pool)
      let header = VirtioHeader.describing(packet)
      #expect(header?.flags == 1)
      #expect(header?.gso_type == 1)
      #expect(header?.header_length == 54)
      #expect(header?.gso_size == 1_460)
      #expect(header?.checksum_start == 34)
      #expect(header?.checksum_offset == 16)
      packet.metadata = Packet.Metadata()
      let understood = header.map { VirtioHeader.apply($0, to: &packet) }
      #expect(understood == true)
      #expect(packet.metadata.checksum == .partial)
      #expect(packet.metadata.checksumStart == 34)
      #expect(packet.metadata.segmentSize == 1_460)
    }

    @Test("A virtio header that points past the frame, or names a kind not offered, is refused")
    func badVirtioHeader() {
      var packet = frame(60, from: pool)
      var header = martlet_vnet_header(
        flags: 1, gso_type: 0, header_length: 0, gso_size: 0, checksum_start: 43, checksum_offset: 16)
      let pastTheEnd = VirtioHeader.apply(header, to: &packet)
      #expect(!pastTheEnd)
      header.checksum_start = 42
      let within = VirtioHeader.apply(header, to: &packet)
      #expect(within)
      header.gso_type = UInt8(MARTLET_VNET_GSO_UDP)
      header.gso_size = 1_000
      let fragments = VirtioHeader.apply(header, to: &packet)
      #expect(!fragments)
      header.gso_type = UInt8(MARTLET_VNET_GSO_TCPV6)
      header.gso_size = 0
      let noSize = VirtioHeader.apply(header, to: &packet)
      #expect(!noSize)
    }
  }
#endif
