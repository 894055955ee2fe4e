import Yams

/// A mapping whose keys are asked for by name; those that nobody asked for are mistakes.
final class YAMLFields {
  private var values: [(key: String, line: Int, value: YAMLValue)] = []
  private var asked: [String] = []
  private let what: String
  private let file: String?

  init(_ node: Node, _ what: String, file: String?) throws(WorldError) {
    self.what = what
    self.file = file
    let value = YAMLValue(node: node, file: file)
    if value.isEmpty { return }
    guard let mapping = node.mapping else {
      throw value.mistake("This is not \(what)", "Write `key: value` pairs there.")
    }
    for (key, inner) in mapping {
      let name = YAMLValue(node: key, file: file)
      values.append((try name.text(), name.line ?? 0, YAMLValue(node: inner, file: file)))
    }
  }

  subscript(key: String) -> YAMLValue? {
    asked.append(key)
    return values.first { $0.key == key }?.value
  }

  /// Complains of a key that nobody knows.
  func finish(allowing others: [String] = []) throws(WorldError) {
    for entry in values where !asked.contains(entry.key) && !others.contains(entry.key) {
      let suggestion = WorldPlan.suggestion(entry.key, asked)
      throw WorldError(
        "\(what.prefix(1).uppercased() + what.dropFirst()) has no \"\(entry.key)\"", remedy: suggestion, file: file,
        line: entry.line)
    }
  }
}
