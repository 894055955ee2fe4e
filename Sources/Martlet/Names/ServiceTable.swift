/// Names of services and their ports, as `getservbyname` has them (RFC 6335).
public struct ServiceTable: Sendable {
  /// A transport protocol by which a service is reached.
  public enum Transport: String, Hashable, Sendable, CaseIterable { case tcp, udp }

  /// One service.
  public struct Entry: Hashable, Sendable {
    public var name: String
    public var port: UInt16
    public var transports: Set<Transport>
    public var aliases: [String]

    public init(
      _ name: String, _ port: UInt16, _ transports: Set<Transport> = [.tcp, .udp], aliases: [String] = []
    ) {
      self.name = name
      self.port = port
      self.transports = transports
      self.aliases = aliases
    }
  }

  /// The services, in the order they are looked up in.
  public var entries: [Entry]

  public init(_ entries: [Entry] = []) { self.entries = entries }

  /// The port of the service `name`; nil if there is none of that name for `transport` (nil: any).
  public func port(named name: String, over transport: Transport? = nil) -> UInt16? {
    for entry in entries where entry.name == name || entry.aliases.contains(name) {
      if let transport, !entry.transports.contains(transport) { continue }
      return entry.port
    }
    return nil
  }

  /// The name of the service at `port`; nil if there is none.
  public func name(of port: UInt16, over transport: Transport? = nil) -> String? {
    for entry in entries where entry.port == port {
      if let transport, !entry.transports.contains(transport) { continue }
      return entry.name
    }
    return nil
  }

  /// Well-known services of the IANA registry.
  public static let standard = ServiceTable([
    Entry("tcpmux", 1, [.tcp]), Entry("echo", 7), Entry("discard", 9, aliases: ["sink", "null"]),
    Entry("systat", 11, [.tcp], aliases: ["users"]), Entry("daytime", 13), Entry("netstat", 15, [.tcp]),
    Entry("qotd", 17, [.tcp], aliases: ["quote"]), Entry("chargen", 19, aliases: ["ttytst", "source"]),
    Entry("ftp-data", 20, [.tcp]), Entry("ftp", 21, [.tcp]), Entry("ssh", 22, [.tcp]), Entry("telnet", 23, [.tcp]),
    Entry("smtp", 25, [.tcp], aliases: ["mail"]), Entry("time", 37, aliases: ["timserver"]),
    Entry("whois", 43, [.tcp], aliases: ["nicname"]), Entry("tacacs", 49), Entry("domain", 53, aliases: ["dns"]),
    Entry("bootps", 67, [.udp], aliases: ["dhcps"]), Entry("bootpc", 68, [.udp], aliases: ["dhcpc"]),
    Entry("tftp", 69, [.udp]), Entry("gopher", 70, [.tcp]), Entry("finger", 79, [.tcp]),
    Entry("http", 80, aliases: ["www"]), Entry("kerberos", 88), Entry("pop3", 110, [.tcp], aliases: ["pop-3"]),
    Entry("sunrpc", 111, aliases: ["rpcbind", "portmapper"]), Entry("auth", 113, [.tcp], aliases: ["ident"]),
    Entry("nntp", 119, [.tcp]), Entry("ntp", 123, [.udp]), Entry("imap", 143, [.tcp], aliases: ["imap2"]),
    Entry("snmp", 161), Entry("snmp-trap", 162, aliases: ["snmptrap"]), Entry("bgp", 179, [.tcp]), Entry("irc", 194),
    Entry("ldap", 389), Entry("https", 443), Entry("submissions", 465, [.tcp], aliases: ["smtps"]),
    Entry("isakmp", 500, [.udp]), Entry("dhcpv6-client", 546, [.udp]), Entry("dhcpv6-server", 547, [.udp]),
    Entry("rtsp", 554), Entry("submission", 587, [.tcp]), Entry("ldaps", 636),
    Entry("domain-s", 853), Entry("ftps", 990, [.tcp]), Entry("imaps", 993, [.tcp]), Entry("pop3s", 995, [.tcp]),
    Entry("nfs", 2_049), Entry("mysql", 3_306, [.tcp]), Entry("ms-wbt-server", 3_389, [.tcp], aliases: ["rdp"]),
    Entry("sip", 5_060), Entry("mdns", 5_353, [.udp]), Entry("llmnr", 5_355, [.udp]),
    Entry("postgresql", 5_432, [.tcp], aliases: ["postgres"]), Entry("redis", 6_379, [.tcp]),
    Entry("http-alt", 8_080, aliases: ["webcache"]),
  ])
}
