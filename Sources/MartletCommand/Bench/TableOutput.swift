import ArgumentParser

/// How a measurement's result is told, and what it is compared with.
struct TableOutput: ParsableArguments {
  @Flag(help: "One JSON object a line instead of a table.")
  var json = false

  @Flag(help: "The page as it is kept in git, on standard output.")
  var markdown = false

  @Option(help: ArgumentHelp("Write the page to this file.", valueName: "file"))
  var output: String?

  @Flag(help: "Compare with the page in git; exit code 1 and the difference if the numbers changed.")
  var check = false

  @Option(help: ArgumentHelp("The page that --check compares with.", valueName: "file"))
  var golden: String?

  /// Tells the result as was asked for.
  func tell(lines: [String], objects: [JSON], markdown page: String, golden standard: String) throws {
    if json {
      for object in objects { StandardStreams.line(object.line) }
    } else if markdown {
      StandardStreams.write(page, to: 1)
    } else if !check {
      for line in lines { StandardStreams.line(line) }
    }
    if let output { try GoldenFile(path: output).write(page) }
    guard check else { return }
    let file = GoldenFile(path: golden ?? standard)
    let difference = try file.difference(to: page)
    guard !difference.isEmpty else {
      if !json && !markdown { StandardStreams.line("\(file.path) is what was measured.") }
      return
    }
    for line in difference { StandardStreams.line(line) }
    throw CommandFailure(
      .network, "\(file.path) is not what was measured.",
      remedy: "If the change is meant, write the page anew with --output \(file.path).")
  }
}
