public import Metrics

/// What a file server serves, and what it bears.
public struct HTTPFileServerConfiguration: Sendable {
  /// A directory for requests to one name, in whatever case and with whatever port (RFC 9110 section 7.2).
  public struct Site: Equatable, Sendable {
    /// The host's name or address without a port, as the Host field and `:authority` have it; `*.example` is every name
    /// that ends so, unless a longer one fits. Nil serves what no other site has.
    public var name: String?
    /// The directory's path on this machine.
    public var directory: String
    /// Present, these are served and nothing on this machine: bytes by path, as `index.html` and `images/a.png`. They
    /// are dated ``HTTPFileServerConfiguration/memoryDate``, and their entity tags follow from what is in them.
    public var files: [String: [UInt8]]?
    /// What is shown to clients that ask for ``name`` in their TLS handshake (RFC 6066 section 3); nil is what
    /// ``HTTPFileServerConfiguration/tls`` has, which has to be there too.
    public var tls: TLS?

    /// A site for requests to `name`, or for all that no other has.
    public init(name: String? = nil, directory: String, tls: TLS? = nil) {
      self.name = name
      self.directory = directory
      self.tls = tls
    }

    /// A site in memory for requests to `name`, or for all that no other has: bytes by path.
    public init(name: String? = nil, files: [String: [UInt8]], tls: TLS? = nil) {
      self.name = name
      directory = ""
      self.files = files
      self.tls = tls
    }
  }

  /// A certificate chain and its key, both files in PEM.
  public struct TLS: Equatable, Sendable {
    /// The path of the chain, the server's own certificate first.
    public var certificateFile: String
    /// The path of the private key of the first of them.
    public var keyFile: String

    /// The two paths; the files are read when the server is made.
    public init(certificateFile: String, keyFile: String) {
      self.certificateFile = certificateFile
      self.keyFile = keyFile
    }
  }

  /// What is served by which name; names are different, and one at most is nil. Without that one, requests for other
  /// names get 421.
  public var sites: [Site]
  /// Present, connections speak TLS, and HTTP/2 where the client offers it (ALPN).
  public var tls: TLS?
  /// Files that stand for their directory; the first that exists is sent.
  public var indexFiles = ["index.html"]
  /// Whether a directory without an index file is listed; otherwise it is not found.
  public var listsDirectories = true
  /// Whether names that begin with a point are served; `.well-known` always is.
  public var showsHiddenFiles = false
  /// Whether `name.br`, `name.zst` and `name.gz`, not older than `name`, are sent for it to clients that take them.
  public var sendsPrecompressedFiles = true
  /// The sizes of files, in bytes, that are compressed while they are sent; empty is never.
  public var compressedSizes: Range<Int64> = 1_024..<16_777_216
  /// When the files of sites in memory were last changed: seconds since 1970. Default 1 January 2026.
  public var memoryDate: Int64 = 1_767_225_600
  /// The value of Cache-Control for files; nil leaves it to the client.
  public var cacheControl: String?
  /// Paths below the site's directory of pages that are sent for a status instead of the built-in ones.
  public var errorPages: [Int: String] = [:]
  /// How many ranges of one request are served; one that asks for more gets the whole file.
  public var maximumRanges = 32
  /// Whether small files that are asked for again and again are answered from memory; a file that was changed never is.
  public var keepsAnswers = true
  /// How much time and room a client gets.
  public var limits = HTTPServerLimits()
  /// How much of a file is read at once where its bytes are copied (TLS, HTTP/2, compression), in bytes.
  public var chunkSize = 65_536
  /// How much of a file is handed to a plain connection at once, in bytes; its end waits until the rest is
  /// acknowledged. It goes by reference, but for the end of each such region, so that small ones cost copies.
  public var regionSize = 1_073_741_824
  /// The end of a file that is checked once more before it goes out, in bytes; it is copied.
  public var checkedTailSize = 4_096
  /// How a line of the access log looks. Default Combined, as Apache writes it.
  public var accessLogFormat = AccessLogFormat.combined
  /// Takes the lines of the access log, each without its end, on the thread of a connection; nil writes none.
  public var accessLog: (@Sendable (String) -> Void)?
  /// Makes the server's counters, whose names begin with `martlet_http_`; nil takes what `MetricsSystem` was set up with.
  public var metrics: (any MetricsFactory)?

  /// Serves several sites; one without a name, if there is one, takes requests that no other answers.
  public init(sites: [Site]) { self.sites = sites }

  /// Serves `directory` to whatever name a client asks for.
  public init(directory: String) { self.init(sites: [Site(directory: directory)]) }

  /// Serves `files`, bytes by path, to whatever name a client asks for.
  public init(files: [String: [UInt8]]) { self.init(sites: [Site(files: files)]) }
}

/// What a client may take of a server before the server ends it.
public struct HTTPServerLimits: Equatable, Sendable {
  /// Connections at a time.
  public var connections = 10_000
  /// Connections at a time from one address.
  public var connectionsPerAddress = 1_000
  /// Requests of one connection, after which it is closed.
  public var requestsPerConnection = 100_000
  /// The time for a TLS handshake and for a request's header, from its first byte.
  public var headerTime = Duration.seconds(15)
  /// The time for a request's content.
  public var contentTime = Duration.seconds(15)
  /// The time between requests.
  public var idleTime = Duration.seconds(60)
  /// The least a client has to read, in bytes a second; with ``stallTime`` on top of what that gives.
  public var minimumRate = 1_024
  /// How long a client may read nothing at all.
  public var stallTime = Duration.seconds(20)
  /// How long a graceful stop waits for answers under way.
  public var stopTime = Duration.seconds(10)
  /// The request line, in bytes (414).
  public var requestLineSize = 8_192
  /// The header of a request, in bytes (431).
  public var headerSize = 32_768
  /// The number of header fields (431).
  public var headerFields = 100
  /// The content of a request, which is thrown away, in bytes (413).
  public var contentSize: Int64 = 65_536
  /// Requests at a time on one HTTP/2 connection.
  public var concurrentStreams = 100

  public init() {}
}
