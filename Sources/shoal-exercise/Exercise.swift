import ArgumentParser

/// Random exercises for a mounted filesystem.
@main
struct Exercise: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shoal-exercise", abstract: "Random exercises for a mounted filesystem.",
        subcommands: [Trees.self, Content.self, Histories.self])
}
