import ArgumentParser
import MartletCore

/// A congestion control, as the command line and the tables name it, in the tables' order.
enum CongestionChoice: String, CaseIterable, ExpressibleByArgument, Sendable {
  case cubic
  case bbr
  case newReno = "newreno"

  /// The name in a table.
  var title: String {
    switch self {
    case .cubic: "CUBIC"
    case .bbr: "BBR"
    case .newReno: "NewReno"
    }
  }

  /// Which are measured against each other.
  static let rivals: [(CongestionChoice, CongestionChoice)] = [(.cubic, .newReno), (.cubic, .bbr)]

  /// What a socket is opened with: nothing but this is chosen.
  var options: TCPSocketOptions {
    var options = TCPSocketOptions()
    options.congestionControl =
      switch self {
      case .cubic: .cubic
      case .bbr: .bbr
      case .newReno: .newReno
      }
    return options
  }
}
