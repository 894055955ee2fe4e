/// Finds the directory that a request is answered from by the name it asks for (RFC 9110 section 7.2).
struct SiteTable: Sendable {
  struct Site: Sendable {
    /// What it is called in the configuration; nil serves every name that no other has.
    var name: String?
    var root: any ServedDirectory
  }

  private var sites: [String: Site] = [:]
  private(set) var fallback: Site?

  /// Opens the directories.
  init(_ configuration: HTTPFileServerConfiguration) throws(SystemFailure) {
    for site in configuration.sites {
      let root = try Self.root(of: site, configuration)
      if let name = site.name {
        let key = SiteName.normalized(name)
        sites[key] = Site(name: key, root: root)
      } else {
        fallback = Site(root: root)
      }
    }
  }

  private static func root(
    of site: HTTPFileServerConfiguration.Site, _ configuration: HTTPFileServerConfiguration
  ) throws(SystemFailure) -> any ServedDirectory {
    if let files = site.files {
      return MemoryDirectory(
        files, date: HTTPDate(secondsSinceEpoch: configuration.memoryDate),
        showsHidden: configuration.showsHiddenFiles)
    }
    return try RootDirectory(path: site.directory, showsHidden: configuration.showsHiddenFiles)
  }

  /// The site of an authority, whose case and port do not matter; nil if nothing answers for it.
  func site(of authority: Substring) -> Site? {
    if sites.isEmpty { return fallback }
    return SiteName.lookUp(SiteName.ofAuthority(authority)) { sites[$0] } ?? fallback
  }
}

/// Names of sites: `docs.test`, `192.0.2.1`, `[2001:db8::1]`, and `*.test` for all that end so.
package enum SiteName {
  /// As it is compared: in small letters, without the point of the root.
  static func normalized(_ name: some StringProtocol) -> String {
    let small = name.lowercased()
    return small.last == "." ? String(small.dropLast()) : small
  }

  /// The name in `host [":" port]`, as it is compared.
  static func ofAuthority(_ authority: Substring) -> String {
    var name = authority
    if let colon = name.utf8.lastIndex(of: UInt8(ascii: ":")), name.utf8.last != UInt8(ascii: "]") {
      name = name[..<colon]
    }
    return normalized(name)
  }

  /// What `find` has for the name itself, or else for the longest wildcard that it matches.
  static func lookUp<Value>(_ name: String, _ find: (String) -> Value?) -> Value? {
    if let value = find(name) { return value }
    var rest = name[...]
    while let point = rest.utf8.firstIndex(of: UInt8(ascii: ".")) {
      rest = rest[rest.utf8.index(after: point)...]
      if let value = find("*." + rest) { return value }
    }
    return nil
  }

  /// Whether a site can be called so: no port, and `*` as the first label alone.
  package static func isValid(_ name: String) -> Bool {
    let normal = normalized(name)
    if normal.first == "[" { return normal.last == "]" && FieldSyntax.isHost(normal) }
    let labels = normal.split(separator: ".", omittingEmptySubsequences: false)
    return !normal.isEmpty && normal != "*"
      && labels.enumerated().allSatisfy { index, label in
        (index == 0 && label == "*") || (!label.isEmpty && label.utf8.allSatisfy(isLetter))
      }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
      UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

extension HTTPFileServerConfiguration {
  /// - Throws: ``HTTPFileServerError`` if a request could not be told to be for one site.
  func checkSites() throws(HTTPFileServerError) {
    var names: Set<String> = []
    for name in sites.compactMap(\.name) {
      guard SiteName.isValid(name) else { throw .notASiteName(name) }
      guard names.insert(SiteName.normalized(name)).inserted else { throw .siteNamedTwice(name) }
    }
    guard sites.count(where: { $0.name == nil }) < 2 else { throw .siteNamedTwice(nil) }
    if let site = sites.first(where: { $0.tls != nil }), tls == nil { throw .certificateWithoutTLS(site.name) }
  }
}
