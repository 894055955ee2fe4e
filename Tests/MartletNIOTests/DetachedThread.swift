import Dispatch

/// A thread that may block.
enum DetachedThread {
  static func run(_ body: @escaping @Sendable () -> Void) { DispatchQueue(label: "test").async(execute: body) }
}
