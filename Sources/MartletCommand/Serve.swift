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

      SIGINT and SIGTERM let answers under way be finished.
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
    name: .customLong("name"),
    help: ArgumentHelp(
      "Serve another directory to requests for this host name; may be repeated.", valueName: "name=dir")
  )
  var names: [NamedDirectory] = []

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
      let server: HTTPFileServer
      do {
        server = try HTTPFileServer(serverConfiguration(log))
      } catch let failure as SystemFailure {
        throw CommandFailure(failure.code == EACCES ? .noPermission : .usage, "\(failure)")
      } catch {
        throw CommandFailure(.usage, "--tls-cert, --tls-key: \(error)")
      }
      let computer = try CommandHost(network)
      let port = port ?? (tlsCert == nil ? 80 : 443)
      let host = computer.host
      do {
        try computer.loop.runAndWait { _ = try await server.start(on: host, port: port) }
      } catch {
        throw CommandFailure(.network, "cannot listen on port \(port): \(error)")
      }
      let outside = listen?.address ?? (network.hasDevice ? nil : ListeningAddress.standard)
      let publication = try outside.flatMap {
        PublishedPort(argument: "\($0)=tcp/\(port)")
      }.map { try computer.publish($0) }
      let flushing = log.map { log in computer.loop.task { try await log.keepFlushing(computer.loop.clock) } }
      sayReady(computer, port, outside)
      _ = signals.wait()
      publication?.close()
      try? computer.loop.runAndWait { await server.stop() }
      flushing?.cancel()
      log?.flush()
      computer.finish()
    }
  }

  private func serverConfiguration(_ log: AccessLogFile?) -> HTTPFileServerConfiguration {
    var configuration = HTTPFileServerConfiguration(directory: directory)
    configuration.sites += names.map { HTTPFileServerConfiguration.Site(name: $0.name, directory: $0.directory) }
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
      StandardStreams.line(
        JSON.object([
          ("event", "ready"), ("directory", .string(directory)), ("urls", .array(urls.map(JSON.string))),
        ]).line)
    } else {
      StandardStreams.line("ready \(urls.joined(separator: " ")) serves \(directory)")
    }
  }
}
