import NIOCore
import NIOSSL

/// A certificate chain and the key of its first certificate, read.
struct Credentials: Sendable {
  let chain: [NIOSSLCertificateSource]
  let key: NIOSSLPrivateKeySource

  init(_ files: HTTPFileServerConfiguration.TLS) throws {
    let certificates: [NIOSSLCertificate]
    do {
      certificates = try NIOSSLCertificate.fromPEMFile(files.certificateFile)
    } catch {
      throw try HTTPFileServerError.file(files.certificateFile) ?? .notACertificate(files.certificateFile)
    }
    guard !certificates.isEmpty else { throw HTTPFileServerError.notACertificate(files.certificateFile) }
    do {
      key = .privateKey(try NIOSSLPrivateKey(file: files.keyFile, format: .pem))
    } catch {
      throw try HTTPFileServerError.file(files.keyFile) ?? .notAKey(files.keyFile)
    }
    chain = certificates.map(NIOSSLCertificateSource.certificate)
    do {
      _ = try NIOSSLContext(configuration: .makeServerConfiguration(certificateChain: chain, privateKey: key))
    } catch {
      // Both were read; that they do not belong together is found here.
      throw HTTPFileServerError.keyDoesNotMatch(certificate: files.certificateFile, key: files.keyFile)
    }
  }

  /// How the server of `configuration` speaks TLS; nil if it does not.
  static func context(_ configuration: HTTPFileServerConfiguration) throws -> NIOSSLContext? {
    guard let files = configuration.tls else { return nil }
    let own = try Credentials(files)
    var tls = TLSConfiguration.makeServerConfiguration(certificateChain: own.chain, privateKey: own.key)
    tls.applicationProtocols = ["h2", "http/1.1"]
    tls.minimumTLSVersion = .tlsv12
    var overrides: [String: NIOSSLContextConfigurationOverride] = [:]
    for site in configuration.sites {
      guard let name = site.name, let files = site.tls else { continue }
      let credentials = try Credentials(files)
      var override = NIOSSLContextConfigurationOverride()
      override.certificateChain = credentials.chain
      override.privateKey = credentials.key
      overrides[SiteName.normalized(name)] = override
    }
    if !overrides.isEmpty {
      let overrides = overrides
      tls.sslContextCallback = { client, promise in
        let name = client.serverHostname.map(SiteName.normalized) ?? ""
        promise.succeed(SiteName.lookUp(name) { overrides[$0] } ?? .noChanges)
      }
    }
    return try NIOSSLContext(configuration: tls)
  }
}
