import Martlet
import MartletNIO
import MartletServices
import NIOCore

/// What a world's hosts run by name: the small services, and HTTP.
enum WorldService {
  case simple(SimpleService)
  case http

  init?(name: String) {
    if name == "http" {
      self = .http
    } else if let service = SimpleService(rawValue: name == "upper-case" ? "uppercase" : name) {
      self = .simple(service)
    } else {
      return nil
    }
  }

  static let names = SimpleService.allCases.map(\.rawValue) + ["http"]

  /// More than this a site may not have, in bytes.
  static let largestSite = 1 << 28

  /// What is wrong with `service`, and the way out.
  static func mistake(in service: WorldDescription.Service) -> WorldError? {
    guard let known = WorldService(name: service.name) else {
      return WorldError(
        "There is no service called \"\(service.name)\"", remedy: "Known are \(names.joined(separator: ", ")).")
    }
    let hasSite = service.root != nil || service.files != nil
    switch known {
    case .http where !hasSite:
      return WorldError("http has nothing to serve", remedy: "Write `http: {root: directory}`.")
    case .simple where hasSite:
      return WorldError("\(service.name) serves no files", remedy: "Only http takes a root.")
    default: return nil
    }
  }

  /// What runs on a host that offers `service`.
  ///
  /// - Throws: ``WorldError`` if the directory of a site cannot be read.
  static func program(
    for service: WorldDescription.Service
  ) throws(WorldError) -> @Sendable (VirtualHost) async throws -> Void {
    if let mistake = mistake(in: service) { throw mistake }
    let port = service.port
    switch WorldService(name: service.name) {
    case .simple(let simple): return { host in try simple.start(on: host, port: port) }
    case .http, nil:
      let files = try files(of: service)
      return { host in
        let server = try HTTPFileServer(HTTPFileServerConfiguration(files: files))
        // Until the host loses its memory.
        try await server.start(on: host, port: port ?? 80).closeFuture.get()
      }
    }
  }

  /// The site, as it is now: what happens to its directory later would make another world.
  private static func files(of service: WorldDescription.Service) throws(WorldError) -> [String: [UInt8]] {
    if let files = service.files { return files }
    let root = service.root ?? "."
    do throws(SiteFiles.Failure) {
      return try SiteFiles.read(root, limit: largestSite)
    } catch {
      switch error {
      case .system(let failure):
        throw WorldError("http cannot serve \(root): \(failure)", remedy: "Name a directory that can be read.")
      case .tooLarge(let limit):
        throw WorldError(
          "\(root) has more than \(limit >> 20) MiB", remedy: "Serve a smaller directory: a world keeps it in memory.")
      case .changed(let path):
        throw WorldError("\(path) in \(root) changed while it was read", remedy: "Start again when it is at rest.")
      }
    }
  }
}
