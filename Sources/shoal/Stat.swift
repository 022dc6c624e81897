import ArgumentParser
import Logging
import ShoalTypes

struct Stat: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what the cluster knows of a path.",
        discussion: """
            A symbolic link at the end of the path is shown itself.

            EXAMPLES
              shoal stat /docs/report.pdf
            """)

    @Argument(help: "A path in the cluster.")
    var path: String

    @OptionGroup var target: TargetOptions
    @OptionGroup var logging: LoggingOptions

    func run() throws {
        let logger = logging.start("stat", default: .error)
        let remote = try RemoteFilesystem(try target.metadataAddress(), logger: logger)
        let found = try remote.resolve(path, followsLast: false)
        let octal = String(found.permissions, radix: 8)
        print("path      \(path)")
        print("type      \(FileText.kind(found.kind))")
        print("inode     \(found.inode)")
        print("mode      \(FileText.mode(found)) (\(octal))")
        print("owner     \(found.uid):\(found.gid)")
        print("links     \(found.linkCount)")
        print("size      \(found.size)")
        print("accessed  \(FileText.time(found.accessTime)) UTC")
        print("modified  \(FileText.time(found.modifyTime)) UTC")
        print("changed   \(FileText.time(found.changeTime)) UTC")
        if found.kind == .regular { print("content   data \(found.data), chunks of \(found.chunkBytes) bytes") }
        try remote.close()
    }
}
