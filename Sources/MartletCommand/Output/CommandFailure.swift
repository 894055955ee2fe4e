import ArgumentParser
import MartletCore

/// Why a subcommand ends: an exit code, what happened, and the way out if there is one.
struct CommandFailure: Error, Equatable {
  /// The exit codes of the command line; those above 63 are those of `sysexits.h`.
  enum Code: Int32 {
    case network = 1
    case usage = 64
    case noDevice = 69
    case software = 70
    case cannotCreate = 73
    case noPermission = 77
  }

  var code: Code
  var message: String
  /// What to run or to change.
  var remedy: String?

  init(_ code: Code, _ message: String, remedy: String? = nil) {
    self.code = code
    self.message = message
    self.remedy = remedy
  }
}

/// Runs `body`; says on standard error what it threw, and ends the command with the exit code for that.
func reportingFailure(_ body: () throws -> Void) throws {
  do {
    try body()
  } catch let failure as CommandFailure {
    StandardStreams.errorLine("martlet: \(failure.message)")
    if let remedy = failure.remedy { StandardStreams.errorLine(remedy) }
    throw ExitCode(failure.code.rawValue)
  } catch let error as SocketError {
    StandardStreams.errorLine("martlet: \(error)")
    throw ExitCode(CommandFailure.Code.network.rawValue)
  }
}
