import Dispatch
import Logging
import ShoalClient
import ShoalTransport
import ShoalTypes
import ShoalWire

/// The cluster without a mount, for commands: each method waits for its result. Not for use on an event loop.
package final class CommandClient: Sendable {
    private let loop = Loop(name: "command")
    private let client: LoopConfined<Client>

    /// - Throws: `.unreachable` if no metadata server answers within `deadline`.
    package init(metadata: HostPort, command: String, deadline: Interval = .seconds(5), logger: Logger) throws(MountError) {
        var limits = ClientLimits.production
        limits.cacheBytesMax = 64 << 20
        limits.dirtyBytesMax = 16 << 20
        client = try MountService.connect(
            metadata, .command, "command: \(command)", limits, loop, logger, deadline: deadline)
    }

    package func close() { MountService.disconnect(client, loop) }

    /// Runs `body` on the loop and waits for its completion.
    func wait<Value>(_ body: @escaping (Client, @escaping Completion<Value>) -> Void) throws(FileError) -> Value {
        let done = DispatchSemaphore(value: 0)
        let outcome = LoopConfined<Result<Value, FileError>?>(nil)
        let start = LoopConfined(body)
        let client = self.client
        loop.execute {
            start.value(client.value) { result in
                outcome.value = result
                done.signal()
            }
        }
        done.wait()
        guard let result = outcome.value else { preconditionFailure("the completion stores its result before it signals") }
        return try result.get()
    }

    // MARK: Paths

    /// The parts of a path from the root of the filesystem; empty parts and `.` do not count, `..` is refused.
    package static func names(_ path: String) throws(FileError) -> [FileName] {
        var names: [FileName] = []
        for part in path.utf8.split(separator: UInt8(ascii: "/")) where Array(part) != [UInt8(ascii: ".")] {
            names.append(try FileName(part))
        }
        return names
    }

    /// What `path` names. Symlinks are not followed.
    package func resolve(_ path: String) throws(FileError) -> FileAttributes {
        var found: FileAttributes = try wait { $0.attributes(of: .root, completion: $1) }
        for name in try CommandClient.names(path) {
            guard found.kind == .directory else { throw .notDirectory }
            found = try entry(name, in: found.inode)
        }
        return found
    }

    /// The directory that holds the last part of `path`, and that part. `.invalidArgument` for the root.
    package func resolveParent(_ path: String) throws(FileError) -> (directory: FileAttributes, name: FileName) {
        var names = try CommandClient.names(path)
        guard let last = names.popLast() else { throw .invalidArgument }
        var directory: FileAttributes = try wait { $0.attributes(of: .root, completion: $1) }
        for name in names { directory = try entry(name, in: directory.inode) }
        guard directory.kind == .directory else { throw .notDirectory }
        return (directory, last)
    }

    private func entry(_ name: FileName, in directory: InodeID) throws(FileError) -> FileAttributes {
        let found: FileAttributes? = try wait { $0.lookup(directory, name, completion: $1) }
        guard let found else { throw .notFound }
        return found
    }

    // MARK: Directories

    /// Every entry, in the directory's order, with attributes.
    package func list(_ directory: InodeID) throws(FileError) -> [(name: FileName, attributes: FileAttributes)] {
        var entries: [(name: FileName, attributes: FileAttributes)] = []
        var after: UInt64 = 0
        while true {
            let from = after
            let page: ReadDirectoryReply = try wait {
                $0.readDirectory(directory, after: from, limit: 1024, withAttributes: true, completion: $1)
            }
            for entry in page.entries {
                // Another mount is writing it, or it has just gone.
                var attributes = entry.attributes
                if attributes == nil { attributes = try wait { $0.lookup(directory, entry.name, completion: $1) } }
                if let attributes { entries.append((entry.name, attributes)) }
            }
            guard let last = page.entries.last, !page.isEnd else { return entries }
            after = last.cookie
        }
    }

    package func linkTarget(_ inode: InodeID) throws(FileError) -> [UInt8] { try wait { $0.readLink(inode, completion: $1) } }

    package func unlink(_ name: FileName, in directory: InodeID) throws(FileError) {
        try wait { $0.unlink(directory, name, completion: $1) }
    }

    package func removeDirectory(_ name: FileName, in directory: InodeID) throws(FileError) {
        try wait { $0.removeDirectory(directory, name, completion: $1) }
    }

    // MARK: Content

    /// Up to `count` bytes at `offset`; fewer at the end of the file.
    package func read(_ inode: InodeID, offset: UInt64, count: Int) throws(FileError) -> [UInt8] {
        try wait { client, completion in
            client.read(inode, offset: offset, length: count) { result in
                completion(result.map { pieces in pieces.reduce(into: []) { $0 += $1 } })
            }
        }
    }

    /// Makes `name` a file with the bytes that `next` yields (up to 1 MiB at a time, whole MiB except at the end; empty at the end): the whole of it or, if
    /// anything fails, none.
    package func upload(
        _ name: FileName, in directory: InodeID, size: UInt64, mode: UInt32, uid: UInt32, gid: UInt32,
        next: () throws -> [UInt8]
    ) throws -> FileAttributes {
        let upload: Upload = try wait { Upload.prepare($0, size: size, completion: $1) }
        do {
            while true {
                let bytes = try next()
                if bytes.isEmpty { break }
                try wait { (_, completion: @escaping Completion<Void>) in upload.append(bytes, completion: completion) }
            }
            return try wait {
                upload.publish(directory, name, mode: mode, uid: uid, gid: gid, completion: $1)
            }
        } catch {
            try wait { (_, completion: @escaping Completion<Void>) in upload.abandon { completion(.success(())) } }
            throw error
        }
    }

    // MARK: Where

    /// One chunk of a file, as the map and the nodes have it.
    package struct ChunkPlace: Sendable {
        package let chunk: ChunkID
        package let partition: PartitionID
        package let replicas: [(node: NodeDescription, state: ReplicaState, digest: ChunkDigest?)]
    }

    /// Where each chunk of the file is; chunks that no node has are holes and are left out.
    package func places(of file: FileAttributes) throws(FileError) -> [ChunkPlace] {
        let count = (file.size + file.chunkBytes - 1) / file.chunkBytes
        guard file.data != .none, count > 0 else { return [] }
        var places: [ChunkPlace] = []
        for start in stride(from: UInt64(0), to: count, by: 1024) {
            let chunks = (start..<min(count, start + 1024)).map { ChunkID(data: file.data, index: UInt32($0)) }
            let digests: [NodeID: [ChunkID: ChunkDigest]] = try wait { $0.digests(of: chunks, completion: $1) }
            let map: ClusterMap = try wait { client, completion in completion(.success(client.map)) }
            for chunk in chunks {
                let partition = map.partition(of: chunk)
                let replicas = map[partition].replicas.compactMap { replica in
                    map.node(replica.node).map { (node: $0, state: replica.state, digest: digests[replica.node]?[chunk]) }
                }
                if replicas.contains(where: { $0.digest != nil }) {
                    places.append(ChunkPlace(chunk: chunk, partition: partition, replicas: replicas))
                }
            }
        }
        return places
    }
}
