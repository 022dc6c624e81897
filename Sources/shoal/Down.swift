import ArgumentParser
import Glibc
import Logging
import ShoalCluster

struct Down: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Unmount and stop the cluster on this machine.",
        discussion: """
            Unmounts first, also what 'shoal mount' mounted, so that everything written is on the nodes; then stops the metadata \
            server, then the storage nodes. \
            Returns when all of them have ended. The data stays: 'shoal up' brings it back.

            EXAMPLES
              shoal down
              shoal down --purge          and delete the data, after asking
            """)

    @OptionGroup var cluster: ClusterOptions

    @Flag(help: "Delete the cluster's data afterwards.")
    var purge = false

    @Flag(help: "Do not ask before --purge.")
    var yes = false

    @Flag(help: "Detach mounts that are in use, and kill what does not stop.")
    var force = false

    @OptionGroup var logging: LoggingOptions

    func run() throws {
        _ = logging.start("down", default: .warning)
        let local = try LocalCluster(directory: cluster.directory, report: Progress.line)
        // A wrong directory is an error before the question is asked.
        _ = try local.state()
        if purge, !yes { try ask(local.layout.directory) }
        try local.down(isForced: force)
        guard purge else { return }
        try local.purge()
        print("deleted   \(local.layout.directory)")
    }

    private func ask(_ directory: String) throws {
        guard isatty(STDIN_FILENO) != 0 else {
            throw ValidationError("--purge deletes all data of \(directory); say --yes too, as there is nobody to ask")
        }
        print("Delete all data of the cluster in \(directory)? [y/N] ", terminator: "")
        fflush(nil)
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
            throw Refused()
        }
    }

    private struct Refused: Error, CustomStringConvertible {
        var description: String { "nothing was stopped or deleted" }
    }
}
