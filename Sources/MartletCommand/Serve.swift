import ArgumentParser
import Glibc
import Martlet
import MartletServices
import MartletWire
import NIOCore

/// Serves the files of a directory over HTTP until it is told to stop.
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve the files of a directory over HTTP/1.1 and HTTP/2.",
    discussion: """
      Without a device the server is reached at --listen, 127.0.0.1:8080, without privileges. With --tap or --interface
      it stands on that network at its own addresses, on port 80 or, with a certificate, 443.

      Ranges, conditions, precompressed siblings (.br, .zst, .gz), index.html and listings (HTML, or JSON for those who
      accept it) need no option. Hidden names are not served, nor is anything a link outside the directory leads to.

      A request's site is the one that its Host field (HTTP/2: its :authority) names, in whatever case and with whatever
      port. The access log with --json has both: "host", what was asked for, and "site", which --site answered.

      SIGINT and SIGTERM let answers under way be finished for 10 seconds; what is left then is reset.

      EXAMPLES
        A folder, at http://127.0.0.1:8080/:
          martlet serve .
        Elsewhere, with a log on the terminal:
          martlet serve . --listen 127.0.0.1:9000 --access-log -
        Several sites from one process; names that no --site has get the first directory:
          martlet serve /srv/www --site docs.test=/srv/docs --site '*.blog.test=/srv/blog'
          curl -H 'Host: docs.test' http://127.0.0.1:8080/
        HTTP/2 by TLS, with a certificate made for trying it:
          openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \\
            -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem
          martlet serve . --tls-cert cert.pem --tls-key key.pem
        A machine of its own on a network, at http://192.0.2.2/:
          sudo ip tuntap add mrt0 mode tap user $USER
          sudo ip address add 192.0.2.1/24 dev mrt0; sudo ip link set mrt0 up
          martlet serve . --tap mrt0 --address 192.0.2.2/24
        Two addresses on it, each with a directory of its own:
          martlet serve . --tap mrt0 --address 192.0.2.2/24 --address 192.0.2.3/24 --site 192.0.2.3=/srv/docs
      """)

  @Argument(help: ArgumentHelp("The directory whose files are served.", valueName: "dir"))
  var directory: String

  @OptionGroup var network: NetworkOptions

  @Option(
    help: ArgumentHelp(
      "Where this machine listens for the server (default: 127.0.0.1:8080 without a device).",
      valueName: "address:port"))
  var listen: ListeningAddress?

  @Option(help: ArgumentHelp("The port on the server's host (default: 80, with a certificate 443).", valueName: "port"))
  var port: UInt16?

  @Option(
    name: .customLong("site"),
    help: ArgumentHelp(
      "Serve another directory to requests for this host name or address, or for all names below it (*.name); may be "
        + "repeated.", valueName: "name=dir"))
  var sites: [NamedDirectory] = []

  @Option(
    name: .customLong("site-cert"),
    help: ArgumentHelp(
      "A certificate and its key for the name of a --site, shown to clients that ask for it; others get --tls-cert.",
      valueName: "name=cert:key"))
  var siteCertificates: [NamedCertificate] = []

  @Option(help: ArgumentHelp("A certificate chain (PEM); with --tls-key the server speaks TLS.", valueName: "file"))
  var tlsCert: String?

  @Option(help: ArgumentHelp("The certificate's key (PEM).", valueName: "file"))
  var tlsKey: String?

  @Option(help: ArgumentHelp("Append the access log to this file; - is standard output.", valueName: "file"))
  var accessLog: String?

  @Option(
    name: .customLong("error-page"),
    help: ArgumentHelp("A page below the directory for a status; may be repeated.", valueName: "404=/404.html"))
  var errorPages: [StatusPage] = []

  @Option(help: ArgumentHelp("The value of Cache-Control for files.", valueName: "value"))
  var cacheControl: String?

  @Option(help: ArgumentHelp("Connections at a time from one address.", valueName: "count"))
  var connectionsPerAddress: Int?

  @Flag(help: "Serve names that begin with a point.")
  var hidden = false

  @Flag(inversion: .prefixedNo, help: "List directories that have no index.html.")
  var listing = true

  @Flag(inversion: .prefixedNo, help: "Compress text for clients that take gzip.")
  var compress = true

  @Flag(inversion: .prefixedNo, help: "Answer requests for small files that come again and again from memory.")
  var keepAnswers = true

  func validate() throws {
    if (tlsCert == nil) != (tlsKey == nil) { throw ValidationError("Give --tls-cert and --tls-key together.") }
    for certificate in siteCertificates {
      guard tlsCert != nil else { throw ValidationError("--site-cert needs --tls-cert and --tls-key for other names.") }
      guard sites.contains(where: { $0.name == certificate.name }) else {
        throw ValidationError("--site-cert \(certificate.name) has no --site \(certificate.name)=DIR.")
      }
    }
    if let connectionsPerAddress, connectionsPerAddress < 1 {
      throw ValidationError("--connections-per-address takes 1 or more, not \(connectionsPerAddress).")
    }
    if port == 0 { throw ValidationError("--port takes 1 to 65535.") }
    if let cacheControl, !cacheControl.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) {
      throw ValidationError("--cache-control takes visible ASCII.")
    }
  }

  func run() throws {
    let signals = Signals(blocking: [SIGINT, SIGTERM])
    try reportingFailure {
      let log = try accessLog.map { try AccessLogFile(path: $0) }
      let server = try makeServer(log)
      let computer = try CommandHost(network)
      let port = port ?? (tlsCert == nil ? 80 : 443)
      let host = computer.host
      do {
        try computer.loop.runAndWait { _ = try await server.start(on: host, port: port) }
      } catch {
        throw CommandFailure(.network, "cannot listen on port \(port): \(error)")
      }
      let outside = listen?.address ?? (network.hasDevice ? nil : ListeningAddress.standard)
      let publication = try outside.map { try publish($0, of: computer, port) }
      let flushing = log.map { log in computer.loop.task { try await log.keepFlushing(computer.loop.clock) } }
      sayReady(computer, port, outside)
      _ = signals.wait()
      publication?.close()
      let clock = computer.loop.clock
      try? computer.loop.runAndWait {
        await server.stop()
        // Resets are on their way to the device when the channels are closed, and no further.
        try await clock.sleep(for: .milliseconds(50))
      }
      flushing?.cancel()
      log?.flush()
      computer.finish()
    }
  }

  /// Opens what is to be served.
  func makeServer(_ log: AccessLogFile? = nil) throws(CommandFailure) -> HTTPFileServer {
    do {
      return try HTTPFileServer(serverConfiguration(log))
    } catch let failure as SystemFailure {
      throw explained(failure)
    } catch HTTPFileServerError.keyDoesNotMatch(let certificate, let key) {
      throw CommandFailure(
        .usage, "\(HTTPFileServerError.keyDoesNotMatch(certificate: certificate, key: key))",
        remedy: "Give the key that the certificate was made with, and the server's own certificate first in the chain.")
    } catch HTTPFileServerError.notAKey(let path) {
      throw CommandFailure(
        .usage, "\(HTTPFileServerError.notAKey(path))",
        remedy: "A passphrase is taken off by: openssl pkey -in \(path) -out key-without.pem")
    } catch HTTPFileServerError.siteNamedTwice(let name?) {
      throw CommandFailure(
        .usage, "--site \(name) is given twice", remedy: "Give each name one directory; case makes no difference.")
    } catch {
      throw CommandFailure(
        .usage, "--tls-cert, --tls-key: \(error)",
        remedy: "Both are files in PEM; martlet serve --help shows how to make them.")
    }
  }

  private func explained(_ failure: SystemFailure) -> CommandFailure {
    let path = failure.path
    let certificates =
      [tlsCert, tlsKey].compactMap(\.self) + siteCertificates.flatMap { [$0.certificateFile, $0.keyFile] }
    let isCertificate = certificates.contains(path)
    let site = path == directory ? nil : sites.first { $0.directory == path }
    let subject = site.map { "--site \($0.name): " } ?? ""
    let usage = site.map { "--site \($0.name)=DIR" } ?? "martlet serve DIR"
    switch failure.code {
    case EACCES, EPERM:
      return CommandFailure(
        .noPermission, "\(subject)no permission to read \(path)",
        remedy: isCertificate
          ? "Let this user read it, or run as the user who can."
          : "Every directory on the way needs r and x: chmod a+rx \(path)")
    case ENOENT where isCertificate:
      return CommandFailure(
        .usage, "there is no file \(path)", remedy: "martlet serve --help shows how a certificate and its key are made."
      )
    case ENOENT:
      return CommandFailure(
        .usage, "\(subject)there is no directory \(path)",
        remedy: "Make it (mkdir -p \(path)), or name another: \(usage)")
    case ENOTDIR:
      return CommandFailure(
        .usage, "\(subject)\(path) is not a directory", remedy: "Name the directory that it is in: \(usage)")
    default: return CommandFailure(.usage, "\(failure)")
    }
  }

  /// Carries a port of this machine to the server's.
  func publish(
    _ outside: MartletWire.SocketAddress, of computer: CommandHost, _ port: UInt16
  ) throws(CommandFailure) -> Publication {
    do throws(PublishError) {
      let target = MartletWire.SocketAddress(.loopback(outside.version), port: port)
      return try computer.loop.publish(outside, .tcp, on: computer.host, to: target)
    } catch {
      switch error {
      case .system(_, EADDRINUSE):
        let free = MartletWire.SocketAddress(outside.address, port: outside.port &+ 1)
        throw CommandFailure(
          .network, "\(outside) is taken by another program",
          remedy: "Choose another port: --listen \(free). Who has it: ss -ltnp 'sport = :\(outside.port)'")
      case .system(_, EACCES), .system(_, EPERM):
        throw CommandFailure(
          .noPermission, "no permission to listen at \(outside)",
          remedy: "Ports from 1024 on need none: --listen 127.0.0.1:8080")
      case .system(_, EADDRNOTAVAIL):
        throw CommandFailure(
          .network, "\(outside.address) is no address of this machine",
          remedy: "Its addresses are shown by: ip -brief address")
      default: throw CommandFailure(.network, "cannot listen at \(outside): \(error)")
      }
    }
  }

  private func serverConfiguration(_ log: AccessLogFile?) -> HTTPFileServerConfiguration {
    var configuration = HTTPFileServerConfiguration(directory: directory)
    configuration.sites += sites.map { site in
      let tls = siteCertificates.last { $0.name == site.name }
        .map { HTTPFileServerConfiguration.TLS(certificateFile: $0.certificateFile, keyFile: $0.keyFile) }
      return HTTPFileServerConfiguration.Site(name: site.name, directory: site.directory, tls: tls)
    }
    if let tlsCert, let tlsKey {
      configuration.tls = HTTPFileServerConfiguration.TLS(certificateFile: tlsCert, keyFile: tlsKey)
    }
    configuration.showsHiddenFiles = hidden
    configuration.listsDirectories = listing
    if !compress { configuration.compressedSizes = 0..<0 }
    configuration.cacheControl = cacheControl
    configuration.keepsAnswers = keepAnswers
    for page in errorPages { configuration.errorPages[page.status] = page.path }
    configuration.accessLogFormat = network.json ? .json : .combined
    if let log { configuration.accessLog = { log.append($0) } }
    // Behind a published port every client has the host's own loopback address.
    configuration.limits.connectionsPerAddress =
      connectionsPerAddress ?? (network.hasDevice ? 1_000 : configuration.limits.connections)
    return configuration
  }

  private func sayReady(_ computer: CommandHost, _ port: UInt16, _ outside: MartletWire.SocketAddress?) {
    let scheme = tlsCert == nil ? "http" : "https"
    var places: [MartletWire.SocketAddress] = outside.map { [$0] } ?? []
    if network.hasDevice {
      places += computer.host.addresses.filter { !$0.address.isLinkLocal && !$0.address.isLoopback }
        .map { MartletWire.SocketAddress($0.address, port: port) }
    }
    let standard = tlsCert == nil ? ":80" : ":443"
    let urls = places.map { place -> String in
      let text = place.description
      return "\(scheme)://\(text.hasSuffix(standard) ? String(text.dropLast(standard.utf8.count)) : text)/"
    }
    if network.json {
      var members: [(String, JSON)] = [
        ("event", "ready"), ("directory", .string(directory)), ("urls", .array(urls.map(JSON.string))),
      ]
      if !sites.isEmpty { members.append(("sites", .object(sites.map { ($0.name, .string($0.directory)) }))) }
      StandardStreams.line(JSON.object(members).line)
    } else {
      let more = sites.map { ", \($0.name) from \($0.directory)" }.joined()
      StandardStreams.line("ready \(urls.joined(separator: " ")) serves \(directory)\(more)")
    }
  }
}
