import Martlet

extension World {
  /// What each station of the segment called `name` has done, in the order in which they were wired to it.
  ///
  /// - Throws: ``WorldError`` if it is no segment.
  public func mediumCounters(of name: String) throws(WorldError) -> [MediumCounters] {
    let index = try index(of: name)
    guard description.nodes[index].medium != nil else {
      throw WorldError(
        "\"\(name)\" is a \(description.nodes[index].kind.word) and no segment", remedy: "Name a segment.")
    }
    let core = core
    return loop.sync { core.media[index]?.model.counters ?? [] }
  }
}
