import ArgumentParser
import Logging
import ShoalClient
import ShoalCluster
import ShoalTypes
import ShoalWire

struct QuotaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quota",
        abstract: "Limit what directories may hold.",
        discussion: """
            A quota counts everything below its directory: the lengths of files, and files and directories. Past a limit, \
            writes and creations fail with "Disk quota exceeded". Quotas may be nested; each of them holds.

            EXAMPLES
              shoal quota set /home/ann --bytes 10G --inodes 100000
              shoal quota show
              shoal quota remove /home/ann
            """,
        subcommands: [Set.self, Show.self, Remove.self])

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a directory limits, or change them.",
            discussion: """
                What is in the directory already is counted first; until then 'shoal quota show' says "counting" and nothing is \
                refused.
                """)
        @Argument(help: "A directory in the cluster.") var path: String
        @Option(
            help: ArgumentHelp("The sum of all files' lengths: a number, with K, M, G or T; or 'none'.", valueName: "N")
        )
        var bytes: QuotaLimit?
        @Option(help: ArgumentHelp("Files and directories: a number; or 'none'.", valueName: "N"))
        var inodes: QuotaLimit?
        @OptionGroup var target: TargetOptions
        @OptionGroup var logging: LoggingOptions

        func validate() throws {
            if bytes == nil, inodes == nil { throw ValidationError("give --bytes or --inodes, or both") }
        }

        func run() throws {
            let remote = try RemoteFilesystem(
                try target.metadataAddress(), logger: logging.start("quota", default: .error))
            let directory = try remote.resolve(path)
            let (bytes, inodes) = (bytes?.count, inodes?.count)
            let reply: QuotaListReply = try remote.wait(path) {
                $0.setQuota(of: directory.inode, bytes: bytes, inodes: inodes, completion: $1)
            }
            if reply.entries.first?.state == .counting {
                print("\(path): being counted; the limits hold when that is done")
            }
            try remote.close()
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show quotas: all, or those that a path counts in, the innermost first.")
        @Argument(help: "A path in the cluster.") var path: String?
        @OptionGroup var target: TargetOptions
        @OptionGroup var logging: LoggingOptions

        func run() throws {
            let remote = try RemoteFilesystem(
                try target.metadataAddress(), logger: logging.start("quota", default: .error))
            var entries: [QuotaEntry] = []
            var inode = InodeID(0)
            if let path { inode = try remote.resolve(path).inode }
            let asked = inode
            var isEnd = false
            while !isEnd {
                let after = entries.last?.tree ?? InodeID(0)
                let page: QuotaListReply = try remote.wait(path ?? "/") {
                    $0.quotas(of: asked, after: after, completion: $1)
                }
                entries += page.entries
                isEnd = page.isEnd || page.entries.isEmpty
            }
            if entries.isEmpty { print(path.map { "\($0): no quota" } ?? "no quotas") }
            if !entries.isEmpty { print(try table(entries, remote), terminator: "") }
            try remote.close()
        }

        private func table(_ entries: [QuotaEntry], _ remote: RemoteFilesystem) throws -> String {
            var paths = DirectoryPaths(remote)
            var table = TextTable([
                ("PATH", .left), ("BYTES", .right), ("LIMIT", .right), ("INODES", .right), ("LIMIT", .right),
                ("STATE", .left),
            ])
            for entry in entries {
                table.append([
                    try paths.path(of: entry.tree), Quantity.bytes(entry.used.bytes),
                    entry.limit.bytes == .max ? "none" : Quantity.bytes(entry.limit.bytes), "\(entry.used.inodes)",
                    entry.limit.inodes == .max ? "none" : "\(entry.limit.inodes)", "\(entry.state)",
                ])
            }
            return table.text
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take a directory's quota away.")
        @Argument(help: "A directory in the cluster.") var path: String
        @OptionGroup var target: TargetOptions
        @OptionGroup var logging: LoggingOptions

        func run() throws {
            let remote = try RemoteFilesystem(
                try target.metadataAddress(), logger: logging.start("quota", default: .error))
            let directory = try remote.resolve(path)
            do {
                let _: Void = try remote.wait(path) { $0.removeQuota(of: directory.inode, completion: $1) }
            } catch {
                if error.error == .noData { throw UpkeepError.noQuota(path) }
                throw error
            }
            try remote.close()
        }
    }
}

/// A limit as users write it: a count of bytes or inodes, or `none`.
struct QuotaLimit: ExpressibleByArgument {
    let count: UInt64
    init?(argument: String) {
        if argument.lowercased() == "none" {
            count = .max
        } else if let bytes = ByteCount(argument: argument) {
            count = UInt64(bytes.count)
        } else {
            return nil
        }
    }
}
