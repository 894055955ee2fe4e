public import ArgumentParser
public import MartletWire

extension AddressInSubnet: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension IPAddress: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension MACAddress: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

/// What the host of a subcommand is attached to, and how it is addressed.
struct NetworkOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Attach to this TAP device; it is made if it is missing.", valueName: "name"))
  var tap: String?

  @Option(help: ArgumentHelp("Attach to this Ethernet interface by a packet socket.", valueName: "name"))
  var interface: String?

  @Option(
    help: ArgumentHelp("An address in its subnet, as 192.0.2.1/24; may be repeated.", valueName: "address/prefix"))
  var address: [AddressInSubnet] = []

  @Option(help: ArgumentHelp("The default router, one for each IP version.", valueName: "address"))
  var gateway: [IPAddress] = []

  @Option(help: "The Ethernet address (default: made from the name of the device and the first address).")
  var mac: MACAddress?

  @Option(help: ArgumentHelp("The largest IP packet, in bytes (default: the device's).", valueName: "bytes"))
  var mtu: Int?

  @Option(help: ArgumentHelp("Record all frames in this pcapng file.", valueName: "file"))
  var record: String?

  @Option(help: ArgumentHelp("Lose this share of all frames, both ways.", valueName: "percent"))
  var drop: Double = 0

  @Option(help: ArgumentHelp("Reorder this share of all frames, both ways.", valueName: "percent"))
  var reorder: Double = 0

  @Option(help: "What the impairments' random numbers begin with.")
  var seed: UInt64 = 1

  @Flag(help: "One JSON object a line instead of text.")
  var json = false

  func validate() throws {
    if tap != nil && interface != nil { throw ValidationError("Give --tap or --interface, not both.") }
    for (name, percent) in [("--drop", drop), ("--reorder", reorder)] where !(0...100).contains(percent) {
      throw ValidationError("\(name) takes 0 to 100, not \(percent).")
    }
    if let mtu, !(68...65_535).contains(mtu) { throw ValidationError("--mtu takes 68 to 65535 bytes, not \(mtu).") }
    if let mtu, mtu < 1_280, address.contains(where: { $0.version == .v6 }) {
      throw ValidationError("IPv6 needs an MTU of at least 1280 bytes (RFC 8200 section 5), not \(mtu).")
    }
    for version in [IPVersion.v4, .v6] where gateway.count(where: { $0.version == version }) > 1 {
      throw ValidationError("Give one --gateway for each IP version.")
    }
    if let mac, !mac.isUnicast { throw ValidationError("\(mac) is not the address of one station.") }
  }

  /// Whether there is a device to attach to.
  var hasDevice: Bool { tap != nil || interface != nil }

  /// The Ethernet address: the one given, or a locally administered one that depends on device and address alone.
  var stationAddress: MACAddress {
    if let mac { return mac }
    // FNV-1a: short and the same in every run, which is all that is asked for.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in "\(tap ?? interface ?? "virtual") \(address.first?.description ?? "")".utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    return MACAddress(value: hash & 0xfcff_ffff_ffff | 0x0200_0000_0000)
  }
}
