import HostFuzzing
import MartletCore
import MartletWire
import Testing

@Suite("Bad frames and bad ARP")
struct BadLinkTests {
  static let udp = Good.udp4.bytes

  static func arp(
    _ change: (inout [UInt8]) -> Void = { _ in }, sender: IPv4Address = Bench.c4, mac: MACAddress = Bench.macC
  )
    -> [UInt8]
  {
    var body = Frames.arp(operation: 1, senderMAC: mac, sender: sender, target: Bench.b4)
    change(&body)
    return Frames.ethernet(to: .broadcast, from: Bench.macC, type: 0x0806, body)
  }

  static let frames: [BadFrame] = [
    BadFrame("no frame at all", .frameTruncated, []),
    BadFrame("half an Ethernet header", .frameTruncated, Array(Bench.frame(Good.udp4).prefix(13))),
    BadFrame(
      "a tag that is cut off", .frameTruncated,
      Frames.ethernet(to: Bench.macB, from: Bench.macC, type: 0x8100, [0, 0, 8])),
    BadFrame(
      "another VLAN", .frameVLANUnknown,
      Frames.ethernet(to: Bench.macB, from: Bench.macC, type: 0x8100, [0, 5, 8, 0] + udp)),
    BadFrame(
      "another station's frame", .frameNotForUs,
      Frames.ethernet(to: "02:00:00:00:00:77", from: Bench.macC, type: 0x0800, udp)),
    BadFrame(
      "a group as the source", .frameNotForUs, Frames.ethernet(to: Bench.macB, from: .broadcast, type: 0x0800, udp)),
    BadFrame(
      "an unknown EtherType", .frameUnknownType, Frames.ethernet(to: Bench.macB, from: Bench.macC, type: 0x88cc, udp)),
    BadFrame(
      "an IEEE 802.3 length", .frameUnknownType, Frames.ethernet(to: Bench.macB, from: Bench.macC, type: 40, udp)),
    BadFrame(
      "Ethernet header and nothing more", .ipTruncated,
      Frames.ethernet(to: Bench.macB, from: Bench.macC, type: 0x0800, [])),
    BadFrame("ARP cut off", .arpMalformed, arp({ $0.removeLast() })),
    BadFrame("ARP for another kind of link", .arpMalformed, arp({ $0[1] = 6 })),
    BadFrame("ARP for another protocol", .arpMalformed, arp({ $0[2] = 0x86 })),
    BadFrame("ARP with a link address of 8 bytes", .arpMalformed, arp({ $0[4] = 8 })),
    BadFrame("ARP with a protocol address of 16 bytes", .arpMalformed, arp({ $0[5] = 16 })),
    BadFrame("ARP from a group of stations", .arpSpoofed, arp(mac: "01:00:5e:00:00:01")),
    BadFrame("ARP from all stations", .arpSpoofed, arp(mac: .broadcast)),
    BadFrame("ARP from station zero", .arpSpoofed, arp(mac: .zero)),
    BadFrame("ARP from the broadcast address", .arpSpoofed, arp(sender: "192.0.2.255")),
    BadFrame("ARP from the limited broadcast address", .arpSpoofed, arp(sender: "255.255.255.255")),
    BadFrame("ARP from a group", .arpSpoofed, arp(sender: "224.0.0.1")),
    BadFrame("ARP from our own address", .arpSpoofed, arp(sender: Bench.b4)),
    BadFrame("ARP for somebody else", .arpNotForUs, arp({ $0[27] = 99 })),
  ]

  @Test("Is dropped by name, and the host goes on", .rfc(1122, "HR3-2"), arguments: frames)
  func drop(frame: BadFrame) throws { try frame.expectDrop() }

  @Test("A forged ARP reply nobody asked for makes no entry, and takes none over that was confirmed for others")
  func unaskedReply() throws {
    var bench = try Bench()
    let reply = Frames.arp(
      operation: 2, senderMAC: Bench.macC, sender: "192.0.2.50", targetMAC: Bench.macB, target: Bench.b4)
    bench.inject(Frames.ethernet(to: Bench.macB, from: Bench.macC, type: 0x0806, reply))
    let table = bench.b.neighborTable()
    #expect(!table.contains { $0.address == "192.0.2.50" })
    bench.expectHealth()
  }

  @Test("A flood of ARP requests from made-up senders fills no more than the neighbour cache")
  func requestFlood() throws {
    var bench = try Bench()
    for number in UInt32(0)..<10_000 {
      let sender = IPv4Address(value: 0xc633_0000 + number)
      bench.deliver(BadLinkTests.arp(sender: sender))
      if number % 64 == 0 { bench.exchange() }
    }
    bench.exchange()
    #expect(bench.b.neighborTable().count <= bench.b.configuration.neighbors.maximumEntries)
    bench.expectHealth(after: .seconds(1_000))
  }
}
