import ArgumentParser
import MartletCore

/// A congestion control, as the command line and the tables name it.
enum CongestionChoice: String, CaseIterable, ExpressibleByArgument, Sendable {
  case newReno = "newreno"

  /// The name in a table.
  var title: String {
    switch self {
    case .newReno: "NewReno"
    }
  }

  /// Which are measured against each other.
  static let rivals: [(CongestionChoice, CongestionChoice)] = []

  /// What a socket is opened with.
  var options: TCPSocketOptions { TCPSocketOptions() }
}
