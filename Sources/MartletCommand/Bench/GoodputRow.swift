import ArgumentParser

/// One row of the goodput table: a path and how much goes over it.
struct GoodputRow: Equatable, Sendable {
  var name: String
  var path: BenchPath
  var byteCount: Int
  /// What others reached, in Mbit/s, in the order of ``peers``; empty where nobody measured.
  var references: [Double]

  /// Who was measured on such paths, elsewhere and in real time.
  static let peers = ["Linux CUBIC", "Linux BBR", "lwIP", "smoltcp"]

  /// The rows, by the names they are asked for with.
  static let all: [GoodputRow] = {
    let short = BenchPath(megabitsPerSecond: 200, roundTripMilliseconds: 100, queueBytes: 64_000)
    var long = short
    long.queueBytes = 2_500_000
    var near = BenchPath(megabitsPerSecond: 100, roundTripMilliseconds: 20, queueBytes: 250_000)
    func lossy(_ path: BenchPath, _ loss: Double) -> BenchPath {
      var path = path
      path.loss = loss
      return path
    }
    func reordering(_ path: BenchPath) -> BenchPath {
      var path = path
      path.reordering = 0.05
      return path
    }
    return [
      GoodputRow(name: "S1", path: short, byteCount: 10_000_000, references: [10.6, 51.9, 5.4, 5.7]),
      GoodputRow(name: "S2", path: long, byteCount: 10_000_000, references: [58.4, 54.7, 52.3, 35.2]),
      GoodputRow(name: "S3", path: lossy(long, 0.001), byteCount: 10_000_000, references: [26.6, 49.9, 9.5, 11.1]),
      GoodputRow(name: "S4", path: lossy(long, 0.01), byteCount: 10_000_000, references: [1.4, 42.4, 1.3, 1.1]),
      GoodputRow(name: "S5", path: lossy(long, 0.03), byteCount: 3_000_000, references: [0.75, 15.4, 0.5, 0.4]),
      GoodputRow(name: "S6", path: lossy(near, 0.001), byteCount: 50_000_000, references: [22.5, 91.6, 20.8, 15.5]),
      GoodputRow(name: "S7", path: reordering(long), byteCount: 10_000_000, references: []),
      GoodputRow(name: "S8", path: reordering(near), byteCount: 50_000_000, references: []),
    ]
  }()
}
