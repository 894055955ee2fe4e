public import NIOSSL

/// A certificate for `server.example` (and 192.0.2.2) that signs itself, with its key: for examples and tests alone.
///
/// It is valid from 2020 to 2120. Everybody has the key, so trust it nowhere else.
public enum SelfSigned {
  /// What a server shows.
  public static func serverConfiguration() throws -> TLSConfiguration {
    let certificate = try NIOSSLCertificate(bytes: Array(certificatePEM.utf8), format: .pem)
    let key = try NIOSSLPrivateKey(bytes: Array(keyPEM.utf8), format: .pem)
    return .makeServerConfiguration(certificateChain: [.certificate(certificate)], privateKey: .privateKey(key))
  }

  /// What a client trusts: this certificate and no other.
  public static func clientConfiguration() throws -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .certificates(
      [try NIOSSLCertificate(bytes: Array(certificatePEM.utf8), format: .pem)])
    return configuration
  }

  static let certificatePEM = """
    -----BEGIN CERTIFICATE-----
    MIIBaDCCAQ2gAwIBAgIUAgzqT6/yzXK/mMA87D1/uwUlwhIwCgYIKoZIzj0EAwIw
    GTEXMBUGA1UEAwwOc2VydmVyLmV4YW1wbGUwIBcNMjAwMTAxMDAwMDAwWhgPMjEy
    MDAxMDEwMDAwMDBaMBkxFzAVBgNVBAMMDnNlcnZlci5leGFtcGxlMFkwEwYHKoZI
    zj0CAQYIKoZIzj0DAQcDQgAEmlMMwLTz9T7oNCRTWcZ76asDlTZVXkm/+G8zgEBq
    n92BaED3DfXUnW4Ay5NOfdUQmr6eeRGB7KBH4ykcPPphbqMxMC8wHwYDVR0RBBgw
    FoIOc2VydmVyLmV4YW1wbGWHBMAAAgIwDAYDVR0TAQH/BAIwADAKBggqhkjOPQQD
    AgNJADBGAiEAqDTU4YUdqJcykdy2ZlZtqVtubciMTX+6QeFjVrGpy2sCIQDjsa3x
    hbWHZd5s0aonFG0DmFHD//tNHPzgEnsriOt7Jw==
    -----END CERTIFICATE-----
    """

  static let keyPEM = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8g/hiMvwenKF29xi
    dl61+TpGNyExjNiR0xm4J61X7fOhRANCAASaUwzAtPP1Pug0JFNZxnvpqwOVNlVe
    Sb/4bzOAQGqf3YFoQPcN9dSdbgDLk0591RCavp55EYHsoEfjKRw8+mFu
    -----END PRIVATE KEY-----
    """
}
