/// Why a device could not be opened, and what to do about it.
public enum LinkError: Error, Equatable, Sendable {
  /// The system does not let this user do `operation` on the device; `remedy` is the command that changes it.
  case notPermitted(device: String, operation: String, remedy: String)
  /// There is no such device; `remedy` is the command that makes one.
  case noSuchDevice(String, remedy: String)
  /// Another process has the device open.
  case busy(String)
  /// A name that no device can have: empty or longer than 15 bytes.
  case invalidName(String)
  /// The device exists but is not of the kind that was asked for.
  case wrongKind(String, expected: String)
  /// The system lacks what is needed: the kernel module, or the platform is not Linux.
  case unsupported(String)
  /// Anything else: what was tried, and the system's error number.
  case system(operation: String, device: String, errno: CInt)
}

extension LinkError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notPermitted(let device, let operation, let remedy):
      "not permitted to \(operation) \(device); run: \(remedy)"
    case .noSuchDevice(let device, let remedy): "there is no device \(device); run: \(remedy)"
    case .busy(let device): "\(device) is in use by another process"
    case .invalidName(let name): "\"\(name)\" is not a device's name (1 to 15 bytes, no slash, no space)"
    case .wrongKind(let device, let expected): "\(device) is not \(expected)"
    case .unsupported(let what): what
    case .system(let operation, let device, let errno): "cannot \(operation) \(device): \(systemMessage(errno))"
    }
  }
}
