internal import MartletReportPage

/// A run as one page of HTML that opens from a disk and asks no network for anything.
///
/// The page shows the topology, the events, each flow's ladder and graphs, queues, packets with what each hop changed,
/// tables and counters, at any moment of the run. The same recording gives the same bytes.
public struct HTMLReport: Sendable {
  /// How much of a packet's bytes a page may hold before frames are cut.
  static let wholeFramesLimit = 2 << 20
  /// What is kept of each frame then: all headers, and the beginning of the payload.
  static let cutFrameByteCount = 160

  let recording: Recording
  let bytesPerFrame: Int

  /// - Parameter bytesPerFrame: How many bytes of each frame the page has; nil keeps all of them unless they are more
  ///   than 2 MiB together, and else 160 of each.
  public init(_ recording: Recording, bytesPerFrame: Int? = nil) {
    self.recording = recording
    // A packet's next hop only costs what it changed.
    let total = recording.frames.reduce(0) { $0 + ($1.origin == nil ? $1.bytes.count : 0) }
    self.bytesPerFrame = max(0, bytesPerFrame ?? (total <= Self.wholeFramesLimit ? .max : Self.cutFrameByteCount))
  }

  /// The page, in UTF-8.
  public var bytes: [UInt8] {
    var page: [UInt8] = []
    func put(_ text: String) { page.append(contentsOf: text.utf8) }
    put("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
    put("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
    put("<meta name=\"color-scheme\" content=\"light dark\">\n")
    // Nothing is loaded from anywhere, whatever a recording's texts say.
    put("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ")
    put("style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n")
    put("<title>\(Self.escaped(recording.name))</title>\n<style>\n")
    page += ReportPage.style
    put("</style>\n</head>\n")
    page += ReportPage.body
    put("<script type=\"application/json\" id=\"recording\">")
    page += data()
    put("</script>\n<script>\n\"use strict\";\n")
    for script in ReportPage.scripts { page += script }
    put("</script>\n</html>\n")
    return page
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      default: result.append(character)
      }
    }
    return result
  }
}
