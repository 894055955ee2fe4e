import MartletWire

// What switches and segments are made of, in a file.

extension WorldReader {
  /// `yes`, or the settings.
  func readSpanningTree(_ value: YAMLValue) throws(WorldError) -> SpanningTree? {
    if value.isScalar { return try value.bool() ? SpanningTree() : nil }
    let fields = try YAMLFields(value.node, "a spanning tree", file: file)
    var tree = SpanningTree()
    if let priority = fields["priority"] { tree.priority = UInt16(try priority.count(0...65_535)) }
    if let hello = fields["hello"] { tree.hello = try hello.duration() }
    if let age = fields["maximum age"] { tree.maximumAge = try age.duration() }
    if let delay = fields["forward delay"] { tree.forwardDelay = try delay.duration() }
    try fields.finish()
    return tree
  }

  /// `{bus: …}` or `{wireless: …}`; nothing is a bus.
  func readMedium(_ fields: YAMLFields) throws(WorldError) -> Medium {
    if let value = fields["wireless"] { return .wireless(try readCell(value)) }
    guard let value = fields["bus"] else { return .bus(EthernetBus()) }
    let inner = try YAMLFields(value.node, "a bus", file: file)
    var bus = EthernetBus()
    if let rate = inner["rate"] { bus.rate = try rate.rate() }
    if let attempts = inner["attempts"] { bus.attemptLimit = try attempts.count(1...1_000) }
    try inner.finish()
    return .bus(bus)
  }

  private func readCell(_ value: YAMLValue) throws(WorldError) -> WirelessCell {
    let inner = try YAMLFields(value.node, "a wireless cell", file: file)
    var cell = WirelessCell()
    if let rate = inner["rate"] { cell.rate = try rate.rate() }
    if let rate = inner["control rate"] { cell.controlRate = try rate.rate() }
    if let preamble = inner["preamble"] { cell.preamble = try preamble.duration() }
    if let slot = inner["slot"] { cell.slot = try slot.duration() }
    if let space = inner["short space"] { cell.shortSpace = try space.duration() }
    if let window = inner["minimum window"] { cell.minimumContentionWindow = try window.count(1...32_767) }
    if let window = inner["maximum window"] { cell.maximumContentionWindow = try window.count(1...32_767) }
    if let attempts = inner["attempts"] { cell.retryLimit = try attempts.count(1...1_000) }
    if let threshold = inner["rts above"] { cell.requestThreshold = try threshold.byteCount() }
    if let hidden = inner["hidden"] {
      // One list of names, or several.
      let lists = try hidden.list()
      if lists.allSatisfy(\.isScalar) {
        cell.hidden = [try names(lists)]
      } else {
        for list in lists { cell.hidden.append(try names(try list.list())) }
      }
    }
    try inner.finish()
    return cell
  }

  private func names(_ list: [YAMLValue]) throws(WorldError) -> [String] {
    var names: [String] = []
    for name in list { names.append(try name.text()) }
    return names
  }
}
