import ArgumentParser
struct Demo: ParsableCommand { @OptionGroup var network: NetworkOptions }
struct Up: ParsableCommand {  @OptionGroup var network: NetworkOptions; @Option var publish: [Publication] = [] }
struct Ping: ParsableCommand {}
struct Netcat: ParsableCommand {}
