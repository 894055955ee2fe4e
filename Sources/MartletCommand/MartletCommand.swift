import ArgumentParser

@main
struct MartletCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "martlet",
    abstract: "A TCP/IP network of its own, in user space.",
    discussion: """
      Begin with `martlet demo`: a small internet that explains itself, hop by hop. Nothing has to be set up for it.

      Exit codes: 0 well, 1 network failure, 64 usage, 69 no such device, 77 no permission.
      """,
    subcommands: [Demo.self, Up.self, Serve.self, Ping.self, Netcat.self, Lab.self, Bench.self])
}
