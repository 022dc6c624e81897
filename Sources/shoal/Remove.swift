import ArgumentParser
import Logging
import ShoalClient
import ShoalTypes

struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove files of the cluster.",
        discussion: """
            EXAMPLES
              shoal rm /docs/report.pdf
              shoal rm -r /docs
            """)

    @Argument(help: "Paths in the cluster.")
    var paths: [String]

    @Flag(name: [.customShort("r"), .long], help: "Directories too, with all that is in them.")
    var recursive = false

    @OptionGroup var target: TargetOptions
    @OptionGroup var logging: LoggingOptions

    func run() throws {
        let logger = logging.start("rm", default: .error)
        let remote = try RemoteFilesystem(try target.metadataAddress(), logger: logger)
        for path in paths {
            let found = try remote.resolve(path, followsLast: false)
            let (directory, name) = try remote.parent(of: path)
            try remove(remote, directory, name, found, path)
        }
        try remote.close()
    }

    private func remove(
        _ remote: RemoteFilesystem, _ parent: InodeID, _ name: FileName, _ attributes: FileAttributes, _ path: String
    ) throws {
        guard attributes.kind == .directory else {
            let _: Void = try remote.wait(path) { $0.unlink(parent, name, completion: $1) }
            return
        }
        guard recursive else { throw PathError(path: path, error: .isDirectory) }
        for entry in try remote.list(attributes.inode, path) {
            try remove(remote, attributes.inode, entry.name, entry.attributes, "\(path)/\(entry.name)")
        }
        let _: Void = try remote.wait(path) { $0.removeDirectory(parent, name, completion: $1) }
    }
}
