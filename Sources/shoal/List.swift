import ArgumentParser
import Logging
import ShoalCluster
import ShoalTypes

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List a directory of the cluster.",
        discussion: """
            EXAMPLES
              shoal ls
              shoal ls -l /docs
            """)

    @Argument(help: "A path in the cluster.")
    var path = "/"

    @Flag(name: [.customShort("l"), .long], help: "Mode, links, owner, group, size and time too.")
    var long = false

    @OptionGroup var target: TargetOptions
    @OptionGroup var logging: LoggingOptions

    func run() throws {
        let logger = logging.start("ls", default: .error)
        let remote = try RemoteFilesystem(try target.metadataAddress(), logger: logger)
        let found = try remote.resolve(path, followsLast: !long)
        let entries =
            found.kind == .directory
            ? try remote.list(found.inode, path).map { ($0.name.description, $0.attributes) } : [(path, found)]
        if long {
            var table = TextTable([
                ("MODE", .left), ("LINKS", .right), ("UID", .right), ("GID", .right), ("SIZE", .right),
                ("MODIFIED (UTC)", .left), ("NAME", .left),
            ])
            for (name, each) in entries {
                table.append([
                    FileText.mode(each), "\(each.linkCount)", "\(each.uid)", "\(each.gid)", "\(each.size)",
                    FileText.time(each.modifyTime), name,
                ])
            }
            print(table.text, terminator: "")
        } else {
            for (name, _) in entries { print(TextTable.printable(name)) }
        }
        try remote.close()
    }
}
