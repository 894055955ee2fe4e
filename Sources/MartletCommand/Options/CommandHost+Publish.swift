import Martlet
import MartletCore

extension CommandHost {
  /// Carries a port of this machine to a port of the host.
  func publish(_ publication: Publication) throws {
    throw CommandFailure(.network, "not yet")
  }
}
