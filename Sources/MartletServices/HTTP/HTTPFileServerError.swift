import Glibc

/// What is wrong with a certificate or its key.
public enum HTTPFileServerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no certificate in PEM in this file.
  case notACertificate(String)
  /// There is no private key in PEM in this file, or one that needs a passphrase.
  case notAKey(String)
  /// The key is not that of the first certificate of the chain.
  case keyDoesNotMatch(certificate: String, key: String)
  /// A site's name is no host name, address or `*.` with a name behind it, or it has a port.
  case notASiteName(String)
  /// Two sites have the same name; nil are two that serve all other names.
  case siteNamedTwice(String?)
  /// A site has a certificate, but the server has none, without which it speaks no TLS.
  case certificateWithoutTLS(String?)

  public var description: String {
    switch self {
    case .notACertificate(let path): "\(path) has no certificate in PEM"
    case .notAKey(let path): "\(path) has no private key in PEM without a passphrase"
    case .keyDoesNotMatch(let certificate, let key):
      "the key in \(key) is not that of the certificate in \(certificate)"
    case .notASiteName(let name): "\(name) is not the name of a host"
    case .siteNamedTwice(let name?): "\(name) names two sites"
    case .siteNamedTwice(nil): "two sites have no name"
    case .certificateWithoutTLS(let name):
      "there is a certificate for \(name ?? "all other names"), but none of the server itself"
    }
  }

  /// Nil if the file at `path` can be read.
  ///
  /// - Throws: ``SystemFailure`` if it cannot.
  static func file(_ path: String) throws(SystemFailure) -> HTTPFileServerError? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemFailure(operation: "open", path: path, code: errno) }
    close(descriptor)
    return nil
  }
}
