import ArgumentParser
import MartletServices
import MartletWire

/// Where this machine listens: `127.0.0.1:8080`, `[::1]:8080`.
struct ListeningAddress: ExpressibleByArgument, Equatable {
  static let standard = SocketAddress(IPAddress.loopback(.v4), port: 8_080)

  var address: SocketAddress

  init?(argument: String) {
    guard let address = SocketAddress(argument) else { return nil }
    self.address = address
  }
}

/// A directory for one host name: `example.org=/srv/example`.
struct NamedDirectory: ExpressibleByArgument, Equatable {
  var name: String
  var directory: String

  init?(argument: String) {
    let sides = argument.split(separator: "=", maxSplits: 1)
    guard sides.count == 2, SiteName.isValid(String(sides[0])) else { return nil }
    (name, directory) = (String(sides[0]), String(sides[1]))
  }
}

/// A certificate and its key for one host name: `example.org=chain.pem:key.pem`.
struct NamedCertificate: ExpressibleByArgument, Equatable {
  var name: String
  var certificateFile: String
  var keyFile: String

  init?(argument: String) {
    let sides = argument.split(separator: "=", maxSplits: 1)
    guard sides.count == 2 else { return nil }
    let files = sides[1].split(separator: ":")
    guard files.count == 2 else { return nil }
    (name, certificateFile, keyFile) = (String(sides[0]), String(files[0]), String(files[1]))
  }
}

/// A page for a status: `404=/404.html`.
struct StatusPage: ExpressibleByArgument, Equatable {
  var status: Int
  var path: String

  init?(argument: String) {
    let sides = argument.split(separator: "=", maxSplits: 1)
    guard sides.count == 2, let status = Int(sides[0]), (400..<600).contains(status), sides[1].first == "/" else {
      return nil
    }
    (self.status, path) = (status, String(sides[1]))
  }
}
