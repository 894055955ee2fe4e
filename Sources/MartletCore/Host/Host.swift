/// One Internet host as a value: interfaces, neighbours, routes, IPv4, IPv6, ICMP, UDP, TCP and sockets.
public struct Host: ~Copyable {
}
