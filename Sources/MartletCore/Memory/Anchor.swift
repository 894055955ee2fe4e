internal import Synchronization

/// Keeps its owner in memory: a large noncopyable value that holds an anchor is always handed on by address.
///
/// Without it the compiler treats such a value as one it may load, and copies all of it to the stack wherever a method
/// that does not mutate is called. (An atomic has a layout of its own, so that its owner cannot be loaded; nothing is
/// ever stored in it. See docs/decisions/0002-anchors.md for the measurements.)
package struct Anchor: ~Copyable {
  private let layout = Atomic<UInt8>(0)

  package init() {}
}
