/// A path between two hosts, with one bottleneck.
struct BenchPath: Equatable, Sendable {
  /// The bottleneck's rate.
  var megabitsPerSecond: Int
  /// There and back without a queue, in milliseconds.
  var roundTripMilliseconds: Int
  /// The bound of the bottleneck's drop-tail queue, in bytes of IP.
  var queueBytes: Int
  /// The share of packets lost by chance behind the bottleneck, in the direction of the data.
  var loss = 0.0
  /// The share of packets held back behind the bottleneck while others pass, in the direction of the data.
  var reordering = 0.0
  /// How late they are.
  var reorderingMilliseconds = 10

  /// The most that a packet is later than it should be, evenly distributed and without reordering.
  ///
  /// A little of it keeps flows from falling in step with the queue, which on a clockwork path lets one starve the other.
  var jitterMicroseconds = 0

  /// What fits into the path without a queue, in bytes.
  var bandwidthDelayProduct: Int { megabitsPerSecond * roundTripMilliseconds * 125 }

  /// The path in words, for a table.
  var text: String {
    var words = "\(megabitsPerSecond) Mbit/s, \(roundTripMilliseconds) ms, queue \(Self.text(bytes: queueBytes))"
    if loss > 0 { words += ", loss \(Self.text(percent: loss))" }
    if reordering > 0 { words += ", \(Self.text(percent: reordering)) late by \(reorderingMilliseconds) ms" }
    return words
  }

  private static func text(bytes: Int) -> String {
    bytes >= 1_000_000 ? "\(fixed(Double(bytes) / 1e6, 1)) MB" : "\(bytes / 1_000) KB"
  }

  private static func text(percent share: Double) -> String {
    share * 100 < 1 ? "\(fixed(share * 100, 1)) %" : "\(fixed(share * 100, 0)) %"
  }
}
