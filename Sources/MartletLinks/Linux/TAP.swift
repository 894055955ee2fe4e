#if os(Linux)
  import CMartletLinux
  public import MartletCore

  #if canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #endif

  /// A TAP device: an Ethernet cable whose other end is an interface of the Linux kernel.
  ///
  /// The kernel's end has an Ethernet address of its own, so that the host at this end needs another. With
  /// ``Configuration/offloads`` frames cross with their checksums unfilled and up to 64 KiB long, both ways.
  public final class TAP: Link {
    /// How to open a TAP device.
    public struct Configuration: Sendable {
      /// The device's name, 1 to 15 bytes.
      public var name: String
      /// Whether to make the device if there is none, which needs CAP_NET_ADMIN; it goes when it is closed. Default false.
      public var createsDevice = false
      /// Whether the kernel may leave checksums and segmentation to this end, and this end to the kernel. Default true.
      public var offloads = true
      /// The MTU to give to the device, which needs CAP_NET_ADMIN; nil leaves it as it is. Default nil.
      public var mtu: Int?
      /// Whether to bring the kernel's end up, which needs CAP_NET_ADMIN unless it is up already. Default false.
      public var bringsUp = false
      /// The most frames that wait while the device takes none. Default 1,024.
      public var backlog = 1_024

      public init(name: String) { self.name = name }
    }

    private var device: FrameDevice
    /// The name of the kernel's end.
    public let name: String
    /// The MTU that the device had when it was opened, in bytes.
    public let mtu: Int
    public let offloads: LinkOffloads

    /// Opens the device; received frames are packets of `pool`.
    public init(_ configuration: Configuration, pool: borrowing PacketPool) throws(LinkError) {
      let name = configuration.name
      guard InterfaceName.isValid(name) else { throw .invalidName(name) }
      let exists = unsafe martlet_interface_index(name) > 0
      if !exists && !configuration.createsDevice {
        throw .noSuchDevice(name, remedy: InterfaceName.remedyForTAP(name))
      }
      let descriptor = unsafe InterfaceName.withMemory(of: name) { memory in
        unsafe martlet_tap_open("/dev/net/tun", memory, configuration.offloads ? 1 : 0)
      }
      guard descriptor >= 0 else { throw Self.error(-descriptor, opening: name, exists: exists) }
      device = FrameDevice(
        descriptor: descriptor, hasVirtioHeader: true, backlogLimit: configuration.backlog, pool: pool)
      self.name = name
      offloads = configuration.offloads ? [.transmitChecksum, .segmentTCPv4, .segmentTCPv6] : []
      mtu = try Self.setUp(configuration)
    }

    private static func setUp(_ configuration: Configuration) throws(LinkError) -> Int {
      let name = configuration.name
      if let mtu = configuration.mtu, Int(unsafe martlet_interface_mtu(name)) != mtu {
        let result = unsafe martlet_interface_set_mtu(name, CInt(clamping: mtu))
        if result < 0 {
          throw InterfaceName.error(-result, "set the MTU of", name, "sudo ip link set \(name) mtu \(mtu)")
        }
      }
      if configuration.bringsUp {
        let result = unsafe martlet_interface_set_up(name, 1)
        if result < 0 { throw InterfaceName.error(-result, "bring up", name, "sudo ip link set \(name) up") }
      }
      let mtu = unsafe martlet_interface_mtu(name)
      if mtu < 0 { throw .system(operation: "read the MTU of", device: name, errno: -mtu) }
      return Int(mtu)
    }

    private static func error(_ number: CInt, opening name: String, exists: Bool) -> LinkError {
      switch number {
      case EBUSY: .busy(name)
      case EINVAL where exists: .wrongKind(name, expected: "a TAP device with one queue")
      case ENOENT, ENODEV, ENXIO:
        .unsupported("this system has no /dev/net/tun; run: sudo modprobe tun (or pass the device into the container)")
      case EPERM, EACCES:
        .notPermitted(device: name, operation: "open", remedy: InterfaceName.remedyForTAP(name))
      default: .system(operation: "open", device: name, errno: number)
      }
    }

    /// What the device has done.
    public var counters: DeviceCounters { device.counters }

    /// Nil: the address that the system shows for the device is the kernel's.
    public var macAddressHint: UInt64? { nil }
    public var descriptor: CInt? { device.descriptor }
    public var nextDeadline: Instant? { device.nextDeadline }

    /// The device wakes by its descriptor.
    public func attach(wake: @escaping () -> Void) {}

    public func send(_ packet: consuming Packet, at now: Instant) { device.send(packet, at: now) }

    public func flush(at now: Instant) { device.flush(at: now) }

    public func receive(at now: Instant, limit: Int, into body: (consuming Packet) -> Void) -> Int {
      device.flush(at: now)
      return device.receive(at: now, limit: limit, into: body)
    }
  }
#endif
