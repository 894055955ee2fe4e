/// One row of the fairness tables.
struct FairnessRow: Equatable, Sendable {
  /// Which of the tables it is in.
  enum Kind: String, CaseIterable, Sendable {
    /// Flows of one kind: the index says how alike they fare.
    case alike
    /// Two congestion controls, two flows each.
    case mixed
    /// Two flows of one kind over paths of different lengths.
    case roundTrips
  }

  var kind: Kind
  var name: String
  var scenario: FairnessScenario

  /// The flows before this one belong together in `mixed` and `roundTrips`, and so do those from it on.
  var split: Int { scenario.flows.count / 2 }

  /// Where all flows meet: 100 Mbit/s, 40 ms, a queue of one bandwidth-delay product.
  static let path = BenchPath(
    megabitsPerSecond: 100, roundTripMilliseconds: 40, queueBytes: 500_000, jitterMicroseconds: 120)

  private static func scenario(
    _ flows: [FairnessScenario.Flow], paths: [BenchPath] = [path], from: Int = 20, to: Int = 60
  ) -> FairnessScenario {
    FairnessScenario(paths: paths, flows: flows, fromSecond: from, toSecond: to)
  }

  /// All rows for `congestions`.
  static func all(_ congestions: [CongestionChoice]) -> [FairnessRow] {
    var rows: [FairnessRow] = []
    for congestion in congestions {
      for count in [2, 8, 64] {
        let flows = Array(repeating: FairnessScenario.Flow(congestion: congestion), count: count)
        rows.append(FairnessRow(kind: .alike, name: "\(count) × \(congestion.title)", scenario: scenario(flows)))
      }
    }
    for (left, right) in CongestionChoice.rivals where congestions.contains(left) && congestions.contains(right) {
      let flows = [left, left, right, right].map { FairnessScenario.Flow(congestion: $0) }
      let name = "2 × \(left.title) against 2 × \(right.title)"
      rows.append(FairnessRow(kind: .mixed, name: name, scenario: scenario(flows)))
    }
    for congestion in congestions {
      var (near, far) = (path, path)
      near.roundTripMilliseconds = 20
      far.roundTripMilliseconds = 80
      let flows = (0..<2).map { FairnessScenario.Flow(congestion: congestion, path: $0) }
      rows.append(
        FairnessRow(kind: .roundTrips, name: congestion.title, scenario: scenario(flows, paths: [near, far])))
    }
    return rows
  }

  /// The two flows of the phase plot: a short queue, so that a loss leaves the line idle for a while, and the second
  /// flow late, so that it begins far from its share.
  static let phase = FairnessScenario(
    paths: [BenchPath(megabitsPerSecond: 20, roundTripMilliseconds: 40, queueBytes: 30_000, jitterMicroseconds: 600)],
    flows: [
      FairnessScenario.Flow(congestion: .newReno, startMilliseconds: 0),
      FairnessScenario.Flow(congestion: .newReno, startMilliseconds: 10_000),
    ], fromSecond: 10, toSecond: 50)

  /// The phase plot of a run of ``phase``, from the moment the second flow begins: rates over half a second.
  static func phasePlot(_ result: FairnessScenario.Result) -> PhasePlot {
    let perSecond = 1_000 / FairnessScenario.sampleMilliseconds
    let window = perSecond / 2
    return PhasePlot(
      samples: Array(result.samples[(phase.fromSecond * perSecond - window)...]),
      sampleMilliseconds: FairnessScenario.sampleMilliseconds, window: window, step: 2,
      capacity: Double(phase.paths[0].megabitsPerSecond), title: "Two NewReno flows share 20 Mbit/s")
  }
}
