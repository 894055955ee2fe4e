import ArgumentParser
import MartletLab

/// The virtual internet: worlds that explain themselves.
struct Lab: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play the lectures' scenarios, or a world of your own, in virtual time.",
    discussion: """
      martlet lab list                                     what there is
      martlet lab run sawtooth --report sawtooth.html      play it, and write the page that shows it
      martlet lab run world.yaml --for 10                  ten seconds of a world of your own
      martlet lab check determinism sawtooth               twice, in two processes: the same bytes?
      """,
    subcommands: [LabList.self, LabRun.self, LabCheck.self], defaultSubcommand: LabList.self)
}

/// What there is to play.
struct LabList: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Name the scenarios.")

  @Flag(help: "One JSON object a line instead of text.")
  var json = false

  func run() {
    if json {
      for scenario in Scenario.all {
        StandardStreams.line(JSON.object([("name", .string(scenario.name)), ("title", .string(scenario.title))]).line)
      }
      return
    }
    var table = Table("scenario", "what it shows")
    for scenario in Scenario.all { table.add(scenario.name, scenario.title) }
    for line in table.lines { StandardStreams.line(line) }
  }
}
