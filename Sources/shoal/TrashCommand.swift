import ArgumentParser
import Logging
import ShoalClient
import ShoalCluster
import ShoalTypes
import ShoalWire

struct TrashCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trash",
        abstract: "Keep removed files for a time.",
        discussion: """
            With the trash on, a file that loses its last name goes to /.trash/YYYY-MM-DD-HH/NUMBER-NAME (UTC) and is removed \
            after the keep time. The directory is root's and is not listed, but can be entered: what is removed there is gone. \
            Files in the trash take space and count in no quota of the directory they came from. Overwritten and truncated \
            files are not kept, nor are directories, symbolic links and special files.

            EXAMPLES
              shoal trash on --keep 7d
              shoal trash list
              shoal trash restore /docs/report.pdf
              shoal trash empty
              shoal trash off
            """,
        subcommands: [On.self, Off.self, Show.self, List.self, Restore.self, Empty.self])

    struct On: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Turn the trash on, or change the keep time.")
        @Option(help: ArgumentHelp("A number with s, m, h, d or w.", valueName: "time"))
        var keep = KeepTime(seconds: 7 * 86_400)
        @OptionGroup var target: TargetOptions
        @OptionGroup var logging: LoggingOptions

        func run() throws {
            let remote = try RemoteFilesystem(
                try target.metadataAddress(), logger: logging.start("trash", default: .error))
            let seconds = keep.seconds
            do {
                let _: Void = try remote.wait("/.trash") { $0.setTrash(keepSeconds: seconds, completion: $1) }
            } catch {
                if error.error == .exists { throw UpkeepError.trashNameTaken }
                throw error
            }
            try remote.close()
        }
    }

    struct Off: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Turn the trash off.", discussion: "What is in the trash stays until its keep time is over.")
        @OptionGroup var target: TargetOptions
        @OptionGroup var logging: LoggingOptions

        func run() throws {
            let remote = try RemoteFilesystem(
                try target.metadataAddress(), logger: logging.start("trash", default: .error))
            let _: Void = try remote.wait("/.trash") { $0.setTrash(keepSeconds: nil, completion: $1) }
            try remote.close()
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show whether the trash is on, and what it holds.")
        @OptionGroup var target: TargetOptions
        @OptionGroup var logging: LoggingOptions

        func run() throws {
            let remote = try RemoteFilesystem(
                try target.metadataAddress(), logger: logging.start("trash", default: .error))
            let trash = try remote.trash()
            let keep = trash.keepSeconds == 0 ? "" : ", keep \(KeepTime(seconds: trash.keepSeconds))"
            print("trash  \(trash.isOn ? "on" : "off")\(keep)")
            print("files  \(trash.items.count)")
            print("bytes  \(Quantity.bytes(trash.items.reduce(0) { $0 &+ $1.size }))")
            try remote.close()
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List what is in the trash, the oldest first.")
        @OptionGroup var target: TargetOptions
        @OptionGroup var logging: LoggingOptions

        func run() throws {
            let remote = try RemoteFilesystem(
                try target.metadataAddress(), logger: logging.start("trash", default: .error))
            var paths = DirectoryPaths(remote)
            var table = TextTable([("ID", .right), ("REMOVED", .left), ("BYTES", .right), ("PATH", .left)])
            for item in try remote.trash().items {
                let removed = Timestamp(seconds: Int64(clamping: item.place.milliseconds / 1000), nanoseconds: 0)
                table.append([
                    "\(item.place.inode)", FileText.time(removed), "\(item.size)",
                    try paths.path(of: item.formerName, in: item.formerParent),
                ])
            }
            print(table.text, terminator: "")
            try remote.close()
        }
    }

    struct Restore: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a file back.",
            discussion: "Of several with the same path the one that was removed last is put back. Nothing is replaced.")
        @Argument(help: ArgumentHelp("The path that it had, or its ID in 'shoal trash list'.", valueName: "path-or-id"))
        var what: String
        @Option(name: .customLong("to"), help: ArgumentHelp("Another place for it.", valueName: "path"))
        var destination: String?
        @OptionGroup var target: TargetOptions
        @OptionGroup var logging: LoggingOptions

        func run() throws {
            let remote = try RemoteFilesystem(
                try target.metadataAddress(), logger: logging.start("trash", default: .error))
            let item = try find(remote)
            let path: String
            if let destination {
                let (parent, name) = try remote.parent(of: destination)
                path = destination
                try move(item, to: parent, name, path, remote)
            } else {
                var paths = DirectoryPaths(remote)
                path = try paths.path(of: item.formerName, in: item.formerParent)
                try move(item, to: item.formerParent, item.formerName, path, remote)
            }
            print(path)
            try remote.close()
        }

        private func move(
            _ item: TrashItem, to parent: InodeID, _ name: FileName, _ path: String, _ remote: RemoteFilesystem
        ) throws {
            do {
                let _: Void = try remote.wait(path) {
                    $0.rename(item.directory, item.name, to: parent, name, .noReplace, completion: $1)
                }
            } catch {
                switch error.error {
                case .exists: throw UpkeepError.nameTaken(path)
                case .notFound, .notDirectory: throw UpkeepError.parentGone(what)
                default: throw error
                }
            }
        }

        private func find(_ remote: RemoteFilesystem) throws -> TrashItem {
            let items = try remote.trash().items
            if let id = UInt64(what) {
                guard let item = items.last(where: { $0.place.inode == InodeID(id) }) else {
                    throw UpkeepError.notInTrash(what)
                }
                return item
            }
            var paths = DirectoryPaths(remote)
            let wanted = "/" + what.split(separator: "/").joined(separator: "/")
            let name = wanted.split(separator: "/").last.map(String.init) ?? ""
            for item in items.reversed() where item.formerName.description == name {
                if try paths.path(of: item.formerName, in: item.formerParent) == wanted { return item }
            }
            throw UpkeepError.notInTrash(what)
        }
    }

    struct Empty: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove everything that is in the trash.")
        @OptionGroup var target: TargetOptions
        @OptionGroup var logging: LoggingOptions

        func run() throws {
            let remote = try RemoteFilesystem(
                try target.metadataAddress(), logger: logging.start("trash", default: .error))
            let _: Void = try remote.wait("/.trash") { $0.emptyTrash(completion: $1) }
            try remote.close()
        }
    }
}

extension RemoteFilesystem {
    /// The trash with everything in it.
    func trash() throws(PathError) -> ListTrashReply {
        var whole = ListTrashReply()
        var after: TrashPlace? = TrashPlace()
        while let place = after {
            let page: ListTrashReply = try wait("/.trash") { $0.trash(after: place, completion: $1) }
            whole.isOn = page.isOn
            whole.keepSeconds = page.keepSeconds
            whole.items += page.items
            after = page.next
        }
        return whole
    }
}

/// A time as users write it: a number with s, m, h, d or w.
struct KeepTime: ExpressibleByArgument, CustomStringConvertible {
    let seconds: UInt64
    private static let units: [(letter: Character, seconds: UInt64)] = [
        ("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1),
    ]

    init(seconds: UInt64) { self.seconds = seconds }

    init?(argument: String) {
        guard let letter = argument.last, let unit = Self.units.first(where: { $0.letter == letter }),
            let count = UInt64(argument.dropLast())
        else { return nil }
        let (seconds, overflow) = count.multipliedReportingOverflow(by: unit.seconds)
        guard !overflow, (1...SetTrashRequest.keepSecondsMax).contains(seconds) else { return nil }
        self.seconds = seconds
    }

    var description: String {
        let unit = Self.units.first { seconds >= $0.seconds && seconds % $0.seconds == 0 } ?? ("s", 1)
        return "\(seconds / unit.seconds)\(unit.letter)"
    }
    var defaultValueDescription: String { description }
}
