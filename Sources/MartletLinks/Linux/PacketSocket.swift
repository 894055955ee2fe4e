#if os(Linux)
  import CMartletLinux
  public import MartletCore

  /// A packet socket: the frames of an existing interface of the kernel, usually one end of a veth pair that has no IP address,
  /// so that the kernel's own stack stays silent on it.
  ///
  /// Opening one needs CAP_NET_RAW. A host may take the interface's own address, which ``macAddressHint`` has; with one of
  /// its own the interface has to be ``Configuration/isPromiscuous``, else it drops what is for the host. Frames with an
  /// 802.1Q tag lose it: the kernel takes it out before a packet socket sees them.
  public final class PacketSocket: Link {
    /// How to open a packet socket.
    public struct Configuration: Sendable {
      /// The interface's name, 1 to 15 bytes.
      public var name: String
      /// Whether to receive frames to every address. Default true.
      public var isPromiscuous = true
      /// Whether this end may send unfilled checksums and unsplit segments; fitting for a veth. Default true; off as well if
      /// the kernel refuses.
      ///
      /// What arrives is the peer's choice (`ethtool -K`): a veth hands over what its other end left undone, and the socket
      /// says so in the packet, whatever this is.
      public var offloads = true
      /// The most frames that wait while the interface takes none. Default 1,024.
      public var backlog = 1_024

      public init(name: String) { self.name = name }
    }

    private var device: FrameDevice
    /// The interface's name.
    public let name: String
    /// The MTU that the interface had when the socket was opened, in bytes.
    public let mtu: Int
    public let offloads: LinkOffloads
    /// The interface's own Ethernet address.
    public let macAddressHint: UInt64?
    private var kernelDropCount: UInt64 = 0

    /// Opens the socket; received frames are packets of `pool`.
    public init(_ configuration: Configuration, pool: borrowing PacketPool) throws(LinkError) {
      let name = configuration.name
      guard InterfaceName.isValid(name) else { throw .invalidName(name) }
      let index = unsafe martlet_interface_index(name)
      guard index > 0 else {
        throw .noSuchDevice(name, remedy: "sudo ip link add \(name) type veth peer name \(name.prefix(13))-k")
      }
      let mtu = unsafe martlet_interface_mtu(name)
      if mtu < 0 { throw .system(operation: "read the MTU of", device: name, errno: -mtu) }
      var address: UInt64 = 0
      macAddressHint = unsafe martlet_interface_mac(name, &address) < 0 ? nil : address
      // Asked for also without offloads: it is what tells an unfilled checksum from a wrong one.
      var hasVirtioHeader: CInt = 1
      let descriptor = unsafe martlet_packet_open(index, configuration.isPromiscuous ? 1 : 0, &hasVirtioHeader)
      guard descriptor >= 0 else {
        throw InterfaceName.error(
          -descriptor, "open a packet socket on", name, "sudo setcap cap_net_raw+ep <this program>")
      }
      device = FrameDevice(
        descriptor: descriptor, hasVirtioHeader: hasVirtioHeader != 0, backlogLimit: configuration.backlog, pool: pool)
      self.name = name
      self.mtu = Int(mtu)
      offloads =
        configuration.offloads && hasVirtioHeader != 0 ? [.transmitChecksum, .segmentTCPv4, .segmentTCPv6] : []
    }

    /// What the socket has done.
    public var counters: DeviceCounters { device.counters }

    /// How many frames the kernel dropped because they were not read in time.
    public var kernelDrops: UInt64 {
      var drops: UInt32 = 0
      if unsafe martlet_packet_drops(device.descriptor, &drops) == 0 { kernelDropCount += UInt64(drops) }
      return kernelDropCount
    }

    public var descriptor: CInt? { device.descriptor }
    public var nextDeadline: Instant? { device.nextDeadline }

    /// The socket wakes by its descriptor.
    public func attach(wake: @escaping () -> Void) {}

    public func send(_ packet: consuming Packet, at now: Instant) { device.send(packet, at: now) }

    public func flush(at now: Instant) { device.flush(at: now) }

    public func receive(at now: Instant, limit: Int, into body: (consuming Packet) -> Void) -> Int {
      device.flush(at: now)
      return device.receive(at: now, limit: limit, into: body)
    }
  }
#endif
