"""Ethernet frames that no host should send, written byte by byte and sent through a packet socket.

bad_frames.py INTERFACE TO-MAC FROM-ADDRESS TO-ADDRESS NAME         sends the frames of one of CASES
bad_frames.py INTERFACE TO-MAC FROM-ADDRESS TO-ADDRESS flood COUNT  sends COUNT SYNs from as many sources

`interop/checks/bad_input.py` reads CASES to know under which of Martlet's drop names each is to be counted.
"""

import dataclasses
import ipaddress
import socket
import struct
import sys
import time
import typing

# Writing packets

IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
ICMP, TCP, UDP, ROUTING, FRAGMENT, ICMPV6 = 1, 6, 17, 43, 44, 58
SYN, ACK = 0x02, 0x10
UPPER_CASE, CLIENT = 12_000, 40_000  # ports


def internet_sum(data):
    """The one's complement sum of 16-bit words (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def checksum(data):
    return internet_sum(data) ^ 0xFFFF


def packed(address):
    return ipaddress.ip_address(address).packed


def pseudo_header(source, destination, protocol, count):
    source, destination = packed(source), packed(destination)
    if len(source) == 4:
        return source + destination + struct.pack("!BBH", 0, protocol, count)
    return source + destination + struct.pack("!IHBB", count, 0, 0, protocol)


@dataclasses.dataclass
class Link:
    """Both ends of the link, as the sender sees them."""

    own_mac: bytes
    to_mac: bytes
    source: str
    destination: str

    def ethernet(self, type, payload, to_mac=None):
        return (to_mac or self.to_mac) + self.own_mac + struct.pack("!H", type) + payload

    def ipv4(self, protocol, payload, *, source=None, destination=None, version=4, words=None, length=None, offset=0,
             more=False, options=b"", wrong_checksum=False, to_mac=None):
        """A frame with an IPv4 datagram; `offset` in bytes, `words` the header length field."""
        header_count = 20 + len(options)
        header = struct.pack("!BBHHHBBH4s4s", version << 4 | (header_count // 4 if words is None else words), 0,
                             header_count + len(payload) if length is None else length, 0x4D52,
                             more << 13 | offset // 8, 64, protocol, 0,
                             packed(source or self.source), packed(destination or self.destination)) + options
        header = header[:10] + struct.pack("!H", checksum(header) ^ (0x0101 if wrong_checksum else 0)) + header[12:]
        return self.ethernet(IPV4, header + payload, to_mac)

    def ipv6(self, next_header, payload, *, source=None, destination=None, version=6, length=None, hops=64,
             to_mac=None):
        header = struct.pack("!IHBB16s16s", version << 28, len(payload) if length is None else length, next_header,
                             hops, packed(source or self.source), packed(destination or self.destination))
        return self.ethernet(IPV6, header + payload, to_mac)

    def ip(self, protocol, payload, **fields):
        return (self.ipv6 if ":" in self.destination else self.ipv4)(protocol, payload, **fields)

    def tcp(self, flags=SYN, *, source=None, destination=None, source_port=CLIENT, words=None, options=b"",
            wrong_checksum=False):
        """A TCP segment without data; `words` is the data offset field."""
        header_words = 5 + len(options) // 4 if words is None else words
        segment = struct.pack("!HHIIBBHHH", source_port, UPPER_CASE, 1, 1, header_words << 4, flags, 65_535, 0, 0)
        segment += options
        pseudo = pseudo_header(source or self.source, destination or self.destination, TCP, len(segment))
        sum = checksum(pseudo + segment) ^ (0x0101 if wrong_checksum else 0)
        return segment[:16] + struct.pack("!H", sum) + segment[18:]

    def udp(self, payload=b"hello", *, destination=None, length=None, wrong_checksum=False, no_checksum=False):
        length = 8 + len(payload) if length is None else length
        datagram = struct.pack("!HHHH", CLIENT, UPPER_CASE, length, 0) + payload
        pseudo = pseudo_header(self.source, destination or self.destination, UDP, length)
        sum = 0 if no_checksum else checksum(pseudo + datagram) ^ (0x0101 if wrong_checksum else 0)
        return datagram[:6] + struct.pack("!H", sum) + datagram[8:]

    def echo(self, *, wrong_checksum=False, payload=bytes(56)):
        """An echo request."""
        version6 = ":" in self.destination
        message = struct.pack("!BBHHH", 128 if version6 else 8, 0, 0, 0x4D52, 1) + payload
        pseudo = pseudo_header(self.source, self.destination, ICMPV6, len(message)) if version6 else b""
        sum = checksum(pseudo + message) ^ (0x0101 if wrong_checksum else 0)
        return message[:2] + struct.pack("!H", sum) + message[4:]

    def solicitation(self, options=b""):
        """A neighbor solicitation for the destination."""
        message = struct.pack("!BBHI16s", 135, 0, 0, 0, packed(self.destination)) + options
        sum = checksum(pseudo_header(self.source, self.destination, ICMPV6, len(message)) + message)
        return message[:2] + struct.pack("!H", sum) + message[4:]

    def fragment6(self, next_header, payload, offset, more, **fields):
        return self.ipv6(FRAGMENT, struct.pack("!BBHI", next_header, 0, offset | more, 0x4D525421) + payload, **fields)

    def arp(self, operation, *, hardware_count=6, sender=None):
        return self.ethernet(ARP, struct.pack("!HHBBH6s4s6s4s", 1, IPV4, hardware_count, 4, operation, self.own_mac,
                                              packed(sender or self.source), bytes(6), packed(self.destination)))


# The cases


@dataclasses.dataclass
class Case:
    versions: tuple  # of IP
    reasons: list  # the drop names under one of which Martlet counts it
    frames: typing.Callable  # from a Link to the frames, in order


CASES = {}


def case(name, versions, reasons, frames):
    """Notes a case for one or both versions of IP."""
    CASES[name] = Case(versions, reasons.split(), frames)


BROADCAST = b"\xff" * 6
V4, V6, BOTH = (4,), (6,), (4, 6)

# Checksums
case("an IP header with a bad checksum", V4, "ipHeaderChecksum",
     lambda l: [l.ipv4(ICMP, l.echo(), wrong_checksum=True)])
case("a TCP segment with a bad checksum", BOTH, "tcpChecksum", lambda l: [l.ip(TCP, l.tcp(wrong_checksum=True))])
case("a UDP datagram with a bad checksum", BOTH, "udpChecksum", lambda l: [l.ip(UDP, l.udp(wrong_checksum=True))])
case("an ICMP message with a bad checksum", V4, "icmpChecksum", lambda l: [l.ipv4(ICMP, l.echo(wrong_checksum=True))])
case("an ICMPv6 message with a bad checksum", V6, "icmpChecksum",
     lambda l: [l.ipv6(ICMPV6, l.echo(wrong_checksum=True))])
case("a UDP datagram over IPv6 without a checksum", V6, "udpNoChecksum",
     lambda l: [l.ipv6(UDP, l.udp(no_checksum=True))])

# Lengths
case("a frame that ends inside the IP header", BOTH, "ipTruncated", lambda l: [l.ip(UDP, l.udp())[:14 + 12]])
case("an IP datagram longer than its frame", BOTH, "ipTruncated", lambda l: [l.ip(UDP, l.udp(), length=1_000)])
case("an IP datagram shorter than its header", V4, "ipHeaderMalformed", lambda l: [l.ipv4(UDP, l.udp(), length=19)])
case("an IP header length of 16 bytes", V4, "ipHeaderMalformed", lambda l: [l.ipv4(UDP, l.udp(), words=4)])
case("an IP header length past the datagram", V4, "ipHeaderMalformed ipTruncated",
     lambda l: [l.ipv4(UDP, b"", words=15)])
case("an IP version of 7", BOTH, "ipVersion", lambda l: [l.ip(UDP, l.udp(), version=7)])
case("a UDP header cut short", BOTH, "udpTruncated", lambda l: [l.ip(UDP, l.udp()[:7])])
case("a UDP length past the datagram", BOTH, "udpLength", lambda l: [l.ip(UDP, l.udp(length=14))])
case("a UDP length below its header", BOTH, "udpLength", lambda l: [l.ip(UDP, l.udp(length=7))])
case("a TCP header cut short", BOTH, "tcpTruncated", lambda l: [l.ip(TCP, l.tcp()[:19])])
case("a TCP data offset past the segment", BOTH, "tcpTruncated", lambda l: [l.ip(TCP, l.tcp(words=15))])
case("a TCP data offset of 16 bytes", BOTH, "tcpTruncated", lambda l: [l.ip(TCP, l.tcp(words=4))])
case("an ICMP message cut short", V4, "icmpTruncated", lambda l: [l.ipv4(ICMP, struct.pack("!BBH", 8, 0, 0xF7FF))])

# Addresses
case("LAND, a SYN from Martlet's own address and port", BOTH, "ipSourceSpoofed", lambda l: [
    l.ip(TCP, l.tcp(source=l.destination, source_port=UPPER_CASE), source=l.destination)])
case("an echo request from Martlet's own address", V4, "ipSourceSpoofed",
     lambda l: [l.ipv4(ICMP, l.echo(), source=l.destination)])
for martian, reasons in {"127.0.0.1": "ipLoopbackFromWire", "224.0.0.1": "ipSourceInvalid",
                         "255.255.255.255": "ipSourceInvalid", "192.0.2.255": "ipSourceInvalid",
                         "0.0.0.0": "ipSourceInvalid", "250.1.2.3": "ipSourceInvalid"}.items():
    case(f"an echo request from {martian}", V4, reasons,
         lambda l, martian=martian: [l.ipv4(ICMP, l.echo(), source=martian)])
for martian, reasons in {"::1": "ipLoopbackFromWire", "ff02::1": "ipSourceInvalid",
                         "::ffff:192.0.2.1": "ipSourceInvalid"}.items():
    case(f"a SYN from {martian}", V6, reasons,
         lambda l, martian=martian: [l.ipv6(TCP, l.tcp(source=martian), source=martian)])
case("a datagram for 127.0.0.1", V4, "ipLoopbackFromWire", lambda l: [l.ipv4(ICMP, l.echo(), destination="127.0.0.1")])
case("an echo request for somebody else", V4, "ipNotForUs",
     lambda l: [l.ipv4(ICMP, l.echo(), destination="192.0.2.77")])
case("a datagram for somebody else", V6, "ipNotForUs", lambda l: [
    l.ipv6(UDP, l.udp(destination="2001:db8:1::77"), destination="2001:db8:1::77")])
case("a datagram for Martlet in an Ethernet broadcast", BOTH, "ipBroadcastMismatch",
     lambda l: [l.ip(UDP, l.udp(), to_mac=BROADCAST)])
case("a SYN to the broadcast address", V4, "tcpNotUnicast", lambda l: [
    l.ipv4(TCP, l.tcp(destination="192.0.2.255"), destination="192.0.2.255", to_mac=BROADCAST)])
case("an echo request to the broadcast address", V4, "icmpBroadcastEcho",
     lambda l: [l.ipv4(ICMP, l.echo(), destination="192.0.2.255", to_mac=BROADCAST)])

# Options and extension headers
case("a TCP option that runs past the header", BOTH, "tcpOptionMalformed",
     lambda l: [l.ip(TCP, l.tcp(options=b"\x02\x28\x05\xb4"))])
case("a TCP option of length 0", BOTH, "tcpOptionMalformed", lambda l: [l.ip(TCP, l.tcp(options=b"\x08\x00\0\0"))])
case("an IP option that runs past the header", V4, "ipOptionMalformed",
     lambda l: [l.ipv4(UDP, l.udp(), options=b"\x44\x28\x05\x00")])
case("a loose source route", V4, "ipSourceRouted",
     lambda l: [l.ipv4(UDP, l.udp(), options=b"\x83\x07\x04\xc6\x33\x64\x01\x00")])
case("an extension header that runs past the datagram", V6, "ipExtensionMalformed",
     lambda l: [l.ipv6(60, bytes([UDP, 9, 1, 4, 0, 0, 0, 0]))])
case("a routing header of type 0", V6, "ipRoutingHeader", lambda l: [
    l.ipv6(ROUTING, struct.pack("!BBBBI16s", UDP, 2, 0, 1, 0, packed("2001:db8::9")) + l.udp())])

# Fragments
case("a TCP header in tiny fragments", V4, "fragmentTiny", lambda l: [
    l.ipv4(TCP, l.tcp()[:8], more=True), l.ipv4(TCP, l.tcp()[8:], offset=8)])
case("fragments that overlap", BOTH, "fragmentOverlap", lambda l: [
    l.ipv4(ICMP, l.echo()[:48], more=True), l.ipv4(ICMP, l.echo()[40:], offset=40)] if ":" not in l.source else [
    l.fragment6(ICMPV6, l.echo()[:48], 0, True), l.fragment6(ICMPV6, l.echo()[40:], 40, False)])
case("a fragment that ends past 65,535 bytes", BOTH, "fragmentTooBig", lambda l: [
    l.ipv4(ICMP, bytes(600), offset=65_512)] if ":" not in l.source else [
    l.fragment6(ICMPV6, bytes(600), 65_512, False)])
case("a fragment in the middle of 13 bytes", BOTH, "fragmentMalformed", lambda l: [
    l.ipv4(ICMP, bytes(13), offset=64, more=True)] if ":" not in l.source else [
    l.fragment6(ICMPV6, bytes(13), 64, True)])

# Neighbors
case("an ARP request with Ethernet addresses of 8 bytes", V4, "arpMalformed", lambda l: [l.arp(1, hardware_count=8)])
case("an ARP reply that claims Martlet's address", V4, "arpSpoofed", lambda l: [l.arp(2, sender=l.destination)])
case("a neighbor solicitation from behind a router", V6, "neighborDiscoveryInvalid",
     lambda l: [l.ipv6(ICMPV6, l.solicitation(), hops=254)])
case("a neighbor solicitation with an option of length 0", V6, "neighborDiscoveryInvalid",
     lambda l: [l.ipv6(ICMPV6, l.solicitation(b"\x01\x00" + bytes(6)), hops=255)])

# TCP out of the blue
case("an acknowledgment that answers no SYN", BOTH, "tcpNoSocket tcpBadAcknowledgment",
     lambda l: [l.ip(TCP, l.tcp(ACK, source_port=40_001))])


# Sending


def flood(link, count):
    """Yields `count` SYNs, each from another address and port, that differ in six bytes and the checksums."""
    version6 = ":" in link.destination
    prefix = "2001:db8:f::" if version6 else "10.0.0.0"
    frame = bytearray(link.ip(TCP, link.tcp(source=prefix), source=prefix))
    ip = 14
    tcp = ip + (40 if version6 else 20)
    low = ip + (20 if version6 else 14)  # where the lowest 4 (IPv6) or 2 (IPv4) bytes of the source address begin
    sums = [(tcp + 16, frame[tcp + 16] << 8 | frame[tcp + 17])] + (
        [] if version6 else [(ip + 10, frame[ip + 10] << 8 | frame[ip + 11])])
    for number in range(count):
        host = number % 60_000 + 1
        port = 1_024 + number // 60_000
        struct.pack_into("!H", frame, low, host)
        struct.pack_into("!H", frame, tcp, port)
        for place, old in sums:
            # RFC 1624: the checksum's complement grows by what the words grow.
            total = (old ^ 0xFFFF) + host + (port - CLIENT if place == tcp + 16 else 0)
            struct.pack_into("!H", frame, place, (total % 0xFFFF or 0xFFFF) ^ 0xFFFF)
        yield frame


def main():
    interface, to_mac, source, destination, name, *count = sys.argv[1:]
    statistics = f"/sys/class/net/{interface}"
    with open(f"{statistics}/address") as file:
        own_mac = bytes.fromhex(file.read().strip().replace(":", ""))
    link = Link(own_mac, bytes.fromhex(to_mac.replace(":", "")), source, destination)
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.bind((interface, 0))
    if name != "flood":
        for frame in CASES[name].frames(link):
            sender.send(frame)
        return

    def lost():
        with open(f"{statistics}/statistics/tx_dropped") as file:
            return int(file.read())

    lost_before, began = lost(), time.monotonic()
    for number, frame in enumerate(flood(link, int(count[0]))):
        if number % 100 == 0:  # not faster than 50,000 a second, so that the link's queue does not lose them for us
            time.sleep(max(0, began + number / 50_000 - time.monotonic()))
        sender.send(frame)
    print(f"sent in {time.monotonic() - began:.1f} s, lost on the link: {lost() - lost_before}")
    if lost() - lost_before > int(count[0]) / 10:
        sys.exit("the link lost more than a tenth of the flood: the other end does not read fast enough")


if __name__ == "__main__":
    main()
