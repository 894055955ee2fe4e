/// Text in pages.
enum HTMLText {
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      // Control characters are not allowed in a page; their pictures are.
      case "\u{0}"..."\u{1f}": result.unicodeScalars.append(Unicode.Scalar(0x2400 + scalar.value) ?? "?")
      case "\u{7f}": result += "␡"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Of listings and error pages alike, for light and dark screens and for narrow ones.
  static let style = """
    :root{color-scheme:light dark}
    body{font:16px/1.5 system-ui,sans-serif;margin:0;background:Canvas;color:CanvasText}
    main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem}
    h1{font-size:1.25rem;font-weight:600;overflow-wrap:anywhere;margin:0 0 1rem}
    a{color:#0b57d0;text-decoration:none}a:hover,a:focus-visible{text-decoration:underline}
    table{width:100%;border-collapse:collapse}caption{text-align:left;opacity:.75;padding:0 .5rem .5rem}
    th,td{padding:.35rem .5rem;text-align:left;font-weight:400;border-bottom:1px solid #8884}
    thead th{font-weight:600}tbody th{overflow-wrap:anywhere}
    td{white-space:nowrap;font-variant-numeric:tabular-nums}td:nth-child(2){text-align:right}
    thead th:nth-child(2){text-align:right}tbody tr:hover{background:#8881}
    @media(prefers-color-scheme:dark){a{color:#8ab4f8}}
    @media(max-width:36rem){th:nth-child(3),td:nth-child(3){display:none}}
    """
}

/// Text in JSON (RFC 8259 section 7).
enum JSONText {
  static func quoted(_ text: some StringProtocol) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{0}"..<"\u{20}", "\u{7f}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
