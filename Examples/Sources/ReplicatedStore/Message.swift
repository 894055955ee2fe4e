/// What replicas tell each other, each in a datagram of words.
enum Message {
  /// The primary lives, and has written so often.
  case beat(Int)
  /// A follower lives.
  case here
  /// The write with this number.
  case put(Int, key: String, value: String)
  /// The follower has this write.
  case have(Int)
  /// The follower may have missed writes, and asks for everything.
  case sync
  /// Everything, as it is after so many writes.
  case table(Int, [String: Entry])

  /// A value, and the number of the write that it is from.
  struct Entry: Equatable {
    var value: String
    var version: Int
  }

  var text: String {
    switch self {
    case .beat(let number): "beat \(number)"
    case .here: "here"
    case .put(let number, let key, let value): "put \(number) \(key) \(value)"
    case .have(let number): "have \(number)"
    case .sync: "sync"
    case .table(let number, let table):
      "table \(number) "
        + table.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.value) \($0.value.version)" }
        .joined(separator: " ")
    }
  }

  /// Nil for what no replica says.
  init?(_ bytes: [UInt8]) {
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ").map(String.init)
    switch (words.first, words.count) {
    case ("here", 1): self = .here
    case ("sync", 1): self = .sync
    case ("beat", 2): self = .beat(Int(words[1]) ?? 0)
    case ("have", 2): self = .have(Int(words[1]) ?? 0)
    case ("put", 4): self = .put(Int(words[1]) ?? 0, key: words[2], value: words[3])
    case ("table", let count) where count >= 2 && (count - 2) % 3 == 0:
      var table: [String: Entry] = [:]
      for place in stride(from: 2, to: count, by: 3) {
        table[words[place]] = Entry(value: words[place + 1], version: Int(words[place + 2]) ?? 0)
      }
      self = .table(Int(words[1]) ?? 0, table)
    default: return nil
    }
  }
}
