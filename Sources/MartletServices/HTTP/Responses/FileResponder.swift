import NIOCore
import NIOHTTP1

/// Answers requests from directories; knows nothing of connections.
struct FileResponder: Sendable {
  let configuration: HTTPFileServerConfiguration
  private let sites: SiteTable

  /// Opens the directories.
  init(_ configuration: HTTPFileServerConfiguration) throws(SystemFailure) {
    self.configuration = configuration
    sites = try SiteTable(configuration)
  }

  /// What `request` gets, at `now`.
  func response(to request: HTTPRequestHead, now: HTTPDate) -> PlannedResponse {
    let target = Result { () throws(RequestTarget.Refusal) in try RequestTarget(request.uri) }
    // RFC 9112 section 3.2.2: the authority of the absolute form is the name, whatever the Host field says.
    let authority = (try? target.get())?.authority ?? request.headers.first(name: "host")?[...] ?? ""
    let site = sites.site(of: authority)
    var answer = response(to: request, target, site?.root, now)
    answer.site = site?.name
    return answer
  }

  private func response(
    to request: HTTPRequestHead, _ target: Result<RequestTarget, RequestTarget.Refusal>, _ root: (any ServedDirectory)?,
    _ now: HTTPDate
  ) -> PlannedResponse {
    guard request.method == .GET || request.method == .HEAD else {
      var answer = errorPage(.methodNotAllowed, request, root)
      answer.headers.add(name: "Allow", value: "GET, HEAD")
      return answer
    }
    guard case .success(let target) = target else {
      // RFC 9112 section 3.2: a request line that is invalid should be answered so, and the connection closed.
      var answer = errorPage(.badRequest, request, root)
      answer.endsConnection = true
      return answer
    }
    guard let root else { return errorPage(.misdirectedRequest, request) }
    do throws(RootDirectory.Refusal) {
      let file = try root.open(target.path)
      if file.kind == .directory { return try directory(file, target, root, request, now) }
      if target.isDirectory { throw .notFound }
      return respond(with: file, at: target.path, root, request, now)
    } catch {
      switch error {
      case .notFound: return errorPage(.notFound, request, root)
      case .forbidden: return errorPage(.forbidden, request, root)
      case .exhausted:
        var answer = errorPage(.serviceUnavailable, request, root)
        answer.headers.add(name: "Retry-After", value: "1")
        return answer
      }
    }
  }

  // MARK: Directories

  private func directory(
    _ directory: OpenFile, _ target: RequestTarget, _ root: any ServedDirectory, _ request: HTTPRequestHead,
    _ now: HTTPDate
  ) throws(RootDirectory.Refusal) -> PlannedResponse {
    guard target.isDirectory else {
      var location = RequestTarget.escaped(target.path) + "/"
      if let query = target.query { location += "?" + query }
      var answer = plainError(.movedPermanently, request)
      answer.headers.add(name: "Location", value: location)
      return answer
    }
    for name in configuration.indexFiles {
      let path = target.path + (target.path.isEmpty ? [] : [UInt8(ascii: "/")]) + Array(name.utf8)
      guard let index = try? root.open(path), index.kind == .regular else { continue }
      return respond(with: index, at: path, root, request, now)
    }
    guard configuration.listsDirectories else { throw .notFound }
    let listing = DirectoryListing(
      path: target.path, entries: root.entries(of: directory, at: target.path),
      order: DirectoryListing.Order(query: target.query))
    var answer = PlannedResponse(status: .ok)
    let isJSON = Self.prefersJSON(request.headers["accept"].joined(separator: ","))
    answer.headers.add(name: "Content-Type", value: isJSON ? "application/json" : "text/html; charset=utf-8")
    answer.headers.add(name: "Vary", value: "Accept")
    answer.headers.add(name: "Cache-Control", value: "no-cache")
    answer.headers.add(name: "Content-Security-Policy", value: Self.pagePolicy)
    add(isJSON ? listing.json : listing.html, to: &answer, request)
    return answer
  }

  /// Pages made here carry their style inside and need nothing else.
  private static let pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

  /// Whether an Accept field names JSON with a weight above that of HTML.
  static func prefersJSON(_ accept: String) -> Bool {
    var json = 0.0
    var html = 0.0
    for element in accept.split(separator: ",") {
      let parts = element.split(separator: ";").map { $0.trimmingBlanks.lowercased() }
      let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
      switch parts.first {
      case "application/json": json = weight
      case "text/html", "application/xhtml+xml", "text/*": html = max(html, weight)
      default: break
      }
    }
    return json > html
  }

  // MARK: Files

  private func respond(
    with file: OpenFile, at path: [UInt8], _ root: any ServedDirectory, _ request: HTTPRequestHead, _ now: HTTPDate
  ) -> PlannedResponse {
    let type = MediaType.ofFile(named: path.split(separator: UInt8(ascii: "/")).last ?? [])
    let selected = select(file, at: path, type: type, root, request)
    var tag = selected.file.entityTag
    // What is compressed on the way need not be the same bytes next time.
    if selected.isCompressedNow { tag = EntityTag(opaque: tag.opaque + "-gzip", isWeak: true) }
    let lastModified = min(selected.file.lastModified, now)

    var answer = PlannedResponse(status: .ok)
    answer.headers.add(name: "ETag", value: tag.description)
    answer.headers.add(name: "Last-Modified", value: lastModified.description)
    if configuration.sendsPrecompressedFiles || !configuration.compressedSizes.isEmpty {
      answer.headers.add(name: "Vary", value: "Accept-Encoding")
    }
    if let control = configuration.cacheControl { answer.headers.add(name: "Cache-Control", value: control) }

    let conditions = ConditionalRequest(request.headers)
    switch conditions.evaluate(tag: tag, lastModified: lastModified, now: now) {
    case .notModified:
      answer.status = .notModified
      return answer
    case .preconditionFailed: return errorPage(.preconditionFailed, request, root)
    case .proceed: break
    }
    answer.headers.add(name: "Content-Type", value: type)
    if let coding = selected.coding { answer.headers.add(name: "Content-Encoding", value: coding.rawValue) }
    if selected.isCompressedNow {
      answer.isCompressed = true
      if request.method == .GET { answer.pieces = [.file(selected.file, 0..<selected.file.size)] }
      return answer
    }
    answer.headers.add(name: "Accept-Ranges", value: "bytes")
    var ranges = ByteRanges.whole
    // Range has a meaning for GET alone (RFC 9110 section 14.2).
    if request.method == .GET, request.headers.contains(name: "range"),
      conditions.allowsRange(tag: tag, lastModified: lastModified, now: now)
    {
      let fields = request.headers["range"]
      ranges = ByteRanges(
        fields.count == 1 ? fields[0] : nil, size: selected.file.size, limit: configuration.maximumRanges)
    }
    send(ranges, of: selected.file, type: type, in: &answer, request)
    if answer.status == .rangeNotSatisfiable {
      var refusal = errorPage(.rangeNotSatisfiable, request, root)
      refusal.headers.add(name: "Content-Range", value: "bytes */\(selected.file.size)")
      return refusal
    }
    return answer
  }

  private struct Selection {
    var file: OpenFile
    var coding: ContentCoding?
    var isCompressedNow = false
  }

  /// The file itself, one that holds it compressed, or itself to be compressed on the way.
  private func select(
    _ file: OpenFile, at path: [UInt8], type: String, _ root: any ServedDirectory, _ request: HTTPRequestHead
  ) -> Selection {
    let fields = request.headers["accept-encoding"]
    guard !fields.isEmpty else { return Selection(file: file) }
    let codings = AcceptedCodings(fields.joined(separator: ",")).preferred
    if configuration.sendsPrecompressedFiles {
      for coding in codings {
        guard let sibling = try? root.open(path + Array(coding.suffix.utf8)), sibling.kind == .regular,
          sibling.lastModified >= file.lastModified
        else { continue }
        return Selection(file: sibling, coding: coding)
      }
    }
    guard codings.contains(.gzip), configuration.compressedSizes.contains(file.size), MediaType.isCompressible(type),
      !request.headers.contains(name: "range"), request.version.major > 1 || request.version.minor > 0
    else { return Selection(file: file) }
    return Selection(file: file, coding: .gzip, isCompressedNow: true)
  }

  private func send(
    _ ranges: ByteRanges, of file: OpenFile, type: String, in answer: inout PlannedResponse,
    _ request: HTTPRequestHead
  ) {
    var pieces: [PlannedResponse.Piece] = []
    switch ranges {
    case .unsatisfiable:
      answer.status = .rangeNotSatisfiable
      return
    case .whole: pieces = [.file(file, 0..<file.size)]
    case .parts(let parts) where parts.count == 1:
      answer.status = .partialContent
      answer.headers.add(name: "Content-Range", value: Self.contentRange(parts[0], file.size))
      pieces = [.file(file, parts[0])]
    case .parts(let parts):
      answer.status = .partialContent
      let boundary = Self.boundary(for: file)
      answer.headers.replaceOrAdd(name: "Content-Type", value: "multipart/byteranges; boundary=\(boundary)")
      for (index, part) in parts.enumerated() {
        let head =
          "\(index == 0 ? "" : "\r\n")--\(boundary)\r\nContent-Type: \(type)\r\n"
          + "Content-Range: \(Self.contentRange(part, file.size))\r\n\r\n"
        pieces += [.bytes(ByteBuffer(string: head)), .file(file, part)]
      }
      pieces.append(.bytes(ByteBuffer(string: "\r\n--\(boundary)--\r\n")))
    }
    answer.headers.add(name: "Content-Length", value: String(pieces.reduce(0) { $0 + $1.count }))
    if request.method == .GET { answer.pieces = pieces }
  }

  private static func contentRange(_ range: Range<Int64>, _ size: Int64) -> String {
    "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
  }

  /// Long enough that no file has it by chance (RFC 2046 section 5.1.1); of what is in memory always the same.
  private static func boundary(for file: OpenFile) -> String {
    if file.identity == nil { return "martlet-" + file.entityTag.opaque }
    var generator = SystemRandomNumberGenerator()
    return "martlet-" + String(generator.next(), radix: 36) + String(generator.next(), radix: 36)
  }

  // MARK: Errors

  /// The page that was configured for `status`, or the built-in one.
  ///
  /// - Parameters:
  ///   - request: What is answered, if that much is known.
  ///   - root: Where the page lies; nil is the directory of all names that no other has.
  ///   - reason: What the built-in page says of it.
  func errorPage(
    _ status: HTTPResponseStatus, _ request: HTTPRequestHead?, _ root: (any ServedDirectory)? = nil,
    reason: String? = nil
  ) -> PlannedResponse {
    guard let path = configuration.errorPages[Int(status.code)], let target = try? RequestTarget(path),
      let file = try? (root ?? sites.fallback?.root)?.open(target.path), file.kind == .regular
    else { return plainError(status, request, reason: reason) }
    var answer = PlannedResponse(status: status)
    answer.headers.add(name: "Content-Type", value: MediaType.ofFile(named: target.path))
    answer.headers.add(name: "Content-Length", value: String(file.size))
    if request?.method != .HEAD { answer.pieces = [.file(file, 0..<file.size)] }
    return answer
  }

  private func plainError(
    _ status: HTTPResponseStatus, _ request: HTTPRequestHead?, reason: String? = nil
  ) -> PlannedResponse {
    var answer = PlannedResponse(status: status)
    answer.headers.add(name: "Content-Type", value: "text/html; charset=utf-8")
    answer.headers.add(name: "Content-Security-Policy", value: Self.pagePolicy)
    let title = HTMLText.escaped("\(status.code) \(status.reasonPhrase)")
    let text = reason.map { "<p>\(HTMLText.escaped($0))</p>\n" } ?? ""
    add(
      """
      <!DOCTYPE html>
      <html lang="en">
      <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title)</title><style>\(HTMLText.style)</style></head>
      <body><main><h1>\(title)</h1>
      \(text)</main></body>
      </html>

      """, to: &answer, request)
    return answer
  }

  private func add(_ page: String, to answer: inout PlannedResponse, _ request: HTTPRequestHead?) {
    answer.headers.add(name: "Content-Length", value: String(page.utf8.count))
    answer.headers.add(name: "X-Content-Type-Options", value: "nosniff")
    if request?.method != .HEAD { answer.pieces = [.bytes(ByteBuffer(string: page))] }
  }
}

extension ConditionalRequest {
  /// Several lines of one field count as one list (RFC 9110 section 5.3).
  init(_ headers: HTTPHeaders) {
    func field(_ name: String) -> String? {
      let lines = headers[name]
      return lines.isEmpty ? nil : lines.joined(separator: ",")
    }
    self.init(
      ifMatch: field("if-match"), ifNoneMatch: field("if-none-match"),
      ifModifiedSince: field("if-modified-since"), ifUnmodifiedSince: field("if-unmodified-since"),
      ifRange: field("if-range"))
  }
}
