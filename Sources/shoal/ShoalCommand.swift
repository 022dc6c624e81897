import ArgumentParser

@main
struct ShoalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shoal",
        abstract: "A distributed filesystem that you mount.",
        discussion: """
            Files are cut into chunks, chunks are hashed over storage nodes and kept on several of them, and every mount sees every \
            other mount's changes at once.

            EXAMPLES
              shoal up --mount ./mnt      a cluster on this machine, mounted
              shoal status                what runs, and how it is
              shoal down                  unmount and stop; the data stays
              shoal put FILE /PATH        the same cluster without a mount

            'shoal COMMAND --help' explains each command.
            """,
        version: Version.text,
        groupedSubcommands: [
            CommandGroup(name: "A cluster on this machine:", subcommands: [Up.self, Down.self, Status.self]),
            CommandGroup(name: "Mounts:", subcommands: [Mount.self, Umount.self]),
            CommandGroup(
                name: "Files, without a mount:",
                subcommands: [Put.self, Get.self, List.self, Remove.self, Stat.self, Where.self]),
            CommandGroup(name: "Upkeep:", subcommands: [QuotaCommand.self, TrashCommand.self]),
            CommandGroup(name: "Servers:", subcommands: [Meta.self, Node.self]),
        ])

    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            Failure.exit(with: error)
        }
    }
}
