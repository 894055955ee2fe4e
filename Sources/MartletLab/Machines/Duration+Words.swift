import MartletCore

extension Duration {
  /// As "20 µs" or "1.5 s": in the largest unit that leaves a whole number before the point, to the nanosecond below it.
  var words: String {
    let nanoseconds = inNanoseconds
    for (name, size) in [("s", Int64(1_000_000_000)), ("ms", 1_000_000), ("µs", 1_000)]
    where nanoseconds.magnitude >= size.magnitude {
      let (whole, rest) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: size.magnitude)
      var digits = String(rest)
      digits = String(repeating: "0", count: String(size).count - 1 - digits.count) + digits
      while digits.hasSuffix("0") { digits.removeLast() }
      return "\(nanoseconds < 0 ? "-" : "")\(whole)\(digits.isEmpty ? "" : "." + digits) \(name)"
    }
    let (_, attoseconds) = components
    let rest = (attoseconds % 1_000_000_000).magnitude / 1_000_000
    guard rest > 0, nanoseconds.magnitude < 1_000 else { return "\(nanoseconds) ns" }
    var digits = String(rest)
    digits = String(repeating: "0", count: 3 - digits.count) + digits
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(nanoseconds).\(digits) ns"
  }
}
