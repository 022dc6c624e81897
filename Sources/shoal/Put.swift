import ArgumentParser
import Glibc
import Logging
import ShoalClient
import ShoalCluster
import ShoalMount
import ShoalTypes

struct Put: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy a local file into the cluster, all or nothing.",
        discussion: """
            The content is written to the storage nodes and synced first; then one change publishes it under its name. A file that \
            was there before is replaced in that moment; if anything fails before, it stays as it was.

            EXAMPLES
              shoal put report.pdf /docs/report.pdf
              shoal put --meta 127.0.0.1:7600 report.pdf /docs/
            """)

    @Argument(help: "A local file.")
    var file: String

    @Argument(help: "Its path in the cluster; a directory takes it under its own name.")
    var path: String

    @OptionGroup var target: TargetOptions
    @OptionGroup var logging: LoggingOptions

    func run() throws {
        let logger = logging.start("put", default: .error)
        let source = try LocalFile(reading: file)
        let status = try source.status()
        guard status.st_mode & S_IFMT == S_IFREG else { throw ClusterError.file(file, reason: "not a regular file") }
        let remote = try RemoteFilesystem(try target.metadataAddress(), logger: logger)
        let path = try destination(remote)
        let (directory, name) = try remote.parent(of: path)
        let size = UInt64(status.st_size)
        let made: Upload = try remote.wait(path) { Upload.prepare($0, size: size, completion: $1) }
        let upload = LoopConfined(made)
        do {
            try send(source, size, to: upload, remote, path)
            let mode = status.st_mode & 0o7777
            let _: FileAttributes = try remote.wait(path) {
                upload.value.publish(directory, name, mode: mode, uid: getuid(), gid: getgid(), completion: $1)
            }
        } catch {
            let _: Void = try remote.wait(path) { _, done in upload.value.abandon { done(.success(())) } }
            throw error
        }
        try remote.close()
    }

    private func destination(_ remote: RemoteFilesystem) throws(PathError) -> String {
        let name = file.split(separator: "/").last.map(String.init) ?? file
        if path.hasSuffix("/") { return path + name }
        do throws(PathError) {
            return try remote.resolve(path).kind == .directory ? "\(path)/\(name)" : path
        } catch {
            guard error.error == .notFound else { throw error }
            return path
        }
    }

    private func send(
        _ source: LocalFile, _ size: UInt64, to upload: LoopConfined<Upload>, _ remote: RemoteFilesystem, _ path: String
    ) throws {
        var bar = ProgressBar(file, total: size)
        defer { bar.finish() }
        var done: UInt64 = 0
        while true {
            let bytes = try source.read(Geometry.requestBytesMax)
            if bytes.isEmpty { return }
            let _: Void = try remote.wait(path) { upload.value.append(bytes, completion: $1) }
            done += UInt64(bytes.count)
            bar.update(done)
        }
    }
}
