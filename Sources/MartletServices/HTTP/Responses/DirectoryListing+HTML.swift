extension DirectoryListing {
  /// A page that needs nothing else: no script, no picture, no font.
  var html: String {
    let title = HTMLText.escaped("Index of " + displayPath)
    var page = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(title)</title>
      <style>\(HTMLText.style)</style>
      </head>
      <body>
      <main>
      <h1>Index of \(breadcrumbs)</h1>
      <table>
      <caption>\(summary)</caption>
      <thead><tr>\(heading(.name, "Name"))\(heading(.size, "Size"))\(heading(.modified, "Modified (UTC)"))</tr></thead>
      <tbody>

      """
    if !path.isEmpty {
      page += "<tr><th scope=\"row\"><a href=\"../\">Parent directory</a></th><td></td><td></td></tr>\n"
    }
    for entry in entries { page += row(entry) }
    return page + "</tbody>\n</table>\n</main>\n</body>\n</html>\n"
  }

  private var summary: String {
    let directories = entries.count { $0.isDirectory }
    let files = entries.count - directories
    let bytes = entries.reduce(Int64(0)) { $1.isDirectory ? $0 : $0 &+ $1.size }
    return "\(directories) \(directories == 1 ? "directory" : "directories"), "
      + "\(files) \(files == 1 ? "file" : "files"), \(Self.humanSize(bytes))"
  }

  /// Each part of the path as a link, but for the last, which is here.
  private var breadcrumbs: String {
    let segments = path.split(separator: UInt8(ascii: "/"))
    var result = segments.isEmpty ? "/" : "<a href=\"\(String(repeating: "../", count: segments.count))\">/</a>"
    for (index, segment) in segments.enumerated() {
      let name = HTMLText.escaped(String(decoding: segment, as: UTF8.self))
      let above = segments.count - 1 - index
      result +=
        above == 0
        ? "<span aria-current=\"page\">\(name)</span>/"
        : "<a href=\"\(String(repeating: "../", count: above))\">\(name)</a>/"
    }
    return result
  }

  private func heading(_ column: Column, _ text: String) -> String {
    let isCurrent = order.column == column
    let reverses = isCurrent && !order.isDescending
    let sorted = isCurrent ? " aria-sort=\"\(order.isDescending ? "descending" : "ascending")\"" : ""
    let arrow = isCurrent ? "<span aria-hidden=\"true\"> \(order.isDescending ? "↓" : "↑")</span>" : ""
    return "<th scope=\"col\"\(sorted)><a href=\"?sort=\(column.rawValue)\(reverses ? "&amp;order=desc" : "")\">"
      + "\(text)\(arrow)</a></th>"
  }

  private func row(_ entry: DirectoryEntry) -> String {
    let name = HTMLText.escaped(entry.displayName) + (entry.isDirectory ? "/" : "")
    let link = "<a href=\"\(HTMLText.escaped(href(of: entry)))\">\(name)</a>"
    let size = entry.isDirectory ? "" : "<data value=\"\(entry.size)\">\(Self.humanSize(entry.size))</data>"
    let date = entry.lastModified
    let time =
      "<time datetime=\"\(Self.timestamp(date))\">"
      + "\(Self.timestamp(date, separator: " ", suffix: "", seconds: false))</time>"
    return "<tr><th scope=\"row\">\(link)</th><td>\(size)</td><td>\(time)</td></tr>\n"
  }
}
