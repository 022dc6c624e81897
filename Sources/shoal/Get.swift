import ArgumentParser
import Glibc
import Logging
import ShoalClient
import ShoalCluster
import ShoalTypes

struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy a file of the cluster to a local file.",
        discussion: """
            The local file appears under its name when it is complete.

            EXAMPLES
              shoal get /docs/report.pdf
              shoal get /docs/report.pdf copy.pdf
              shoal get /docs/notes.txt - | less
            """)

    @Argument(help: "A path in the cluster.")
    var path: String

    @Argument(help: "The local file, - for standard output. (default: the same name, here)")
    var file: String?

    @OptionGroup var target: TargetOptions
    @OptionGroup var logging: LoggingOptions

    func run() throws {
        let logger = logging.start("get", default: .error)
        let remote = try RemoteFilesystem(try target.metadataAddress(), logger: logger)
        let found = try remote.resolve(path)
        guard found.kind == .regular else {
            throw PathError(path: path, error: found.kind == .directory ? .isDirectory : .invalidArgument)
        }
        let inode = found.inode
        let opened: FileAttributes = try remote.wait(path) {
            $0.open(inode, truncates: false, completion: $1)
        }
        let name = file ?? path.split(separator: "/").last.map(String.init) ?? path
        if name == "-" {
            try copy(remote, opened, to: LocalFile())
        } else {
            let temporary = "\(name).\(getpid()).part"
            do {
                try copy(remote, opened, to: LocalFile(writing: temporary, mode: opened.permissions & 0o777))
                guard rename(temporary, name) == 0 else {
                    throw ClusterError.file(name, reason: TextFile.reason(errno))
                }
            } catch {
                unlink(temporary)
                throw error
            }
        }
        let _: Void = try remote.wait(path) { $0.release(inode, completion: $1) }
        try remote.close()
    }

    private func copy(_ remote: RemoteFilesystem, _ attributes: FileAttributes, to sink: LocalFile) throws {
        var bar = ProgressBar(path, total: attributes.size)
        defer { bar.finish() }
        let inode = attributes.inode
        var offset: UInt64 = 0
        while true {
            let start = offset
            let bytes: [UInt8] = try remote.wait(path) { client, completion in
                client.read(inode, offset: start, length: Geometry.requestBytesMax) { result in
                    completion(result.map { buffers in buffers.flatMap { Array($0) } })
                }
            }
            if bytes.isEmpty { return }
            try sink.write(bytes)
            offset += UInt64(bytes.count)
            bar.update(offset)
        }
    }
}
