import Glibc
import ShoalKeyValue
import ShoalMetadata
import ShoalTypes

/// A metadata server's data directory: `identity`, and `store/`, whose lock keeps a second server out.
///
/// A new directory gets its store first and its identity last, so that a crash in between leaves what the next start
/// can complete.
struct MetadataDirectory {
    let path: String
    private var identityPath: String { "\(path)/identity" }
    private var storePath: String { "\(path)/store" }

    /// Opens the store; makes directory, store and cluster if there is none yet. `newCluster` names a new one.
    func open(_ options: MetadataOptions, newCluster: ClusterID, now: Timestamp) throws(MetadataServerError)
        -> Namespace
    {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure(path, errno) }
        let identity = try readIdentity()
        if identity == nil {
            let foreign = try entries().subtracting(["store", "identity.new", "lost+found"])
            // `up` keeps logs beside the store; hidden files are nobody's data.
            guard foreign.allSatisfy({ $0.hasPrefix(".") || $0.hasSuffix(".log") }) else { throw .notOurs(path) }
        } else if try !entries().contains("store") {
            throw .corruptIdentity(path: identityPath, reason: "its store is missing")
        }
        let store: RocksDBStore
        do throws(KeyValueError) {
            store = try RocksDBStore(directory: storePath, options: .metadata)
        } catch {
            if case .locked = error { throw .directoryInUse(path) }
            throw .store(directory: path, error)
        }
        do throws(MetadataServerError) {
            return try open(store, identity, options, newCluster, now)
        } catch {
            store.close()
            throw error
        }
    }

    private func open(
        _ store: RocksDBStore, _ identity: MetadataIdentity?, _ options: MetadataOptions, _ newCluster: ClusterID,
        _ now: Timestamp
    ) throws(MetadataServerError) -> Namespace {
        let namespace: Namespace
        do throws(MetadataError) {
            if identity == nil {
                // The map goes first: a store that has its superblock is whole.
                if try !Namespace.isFormatted(store) {
                    try MetadataCore.format(
                        store, replicaCount: UInt8(options.replicas), partitionCount: options.partitions)
                    try Namespace.format(store, cluster: newCluster, uid: getuid(), gid: getgid(), now: now)
                }
            }
            namespace = try Namespace(store: store)
        } catch {
            throw .metadata(directory: path, error)
        }
        if let identity {
            guard identity.cluster == namespace.cluster else {
                throw .corruptIdentity(
                    path: identityPath, reason: "it names cluster \(identity.cluster), the store \(namespace.cluster)")
            }
        } else {
            try write(MetadataIdentity(cluster: namespace.cluster))
        }
        return namespace
    }

    private func entries() throws(MetadataServerError) -> Set<String> {
        guard let stream = opendir(path) else { throw failure(path, errno) }
        defer { closedir(stream) }
        var names: Set<String> = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.insert(name) }
        }
        return names
    }

    private func readIdentity() throws(MetadataServerError) -> MetadataIdentity? {
        let descriptor = Glibc.open(identityPath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure(identityPath, errno)
        }
        defer { Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: MetadataIdentity.bytesMax + 1)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw failure(identityPath, errno) }
        guard count <= MetadataIdentity.bytesMax else { throw .corruptIdentity(path: identityPath, reason: "too long") }
        do throws(MetadataIdentity.ParseError) {
            return try MetadataIdentity(parsing: Array(bytes[..<count]))
        } catch {
            switch error {
            case .corrupt(let reason): throw .corruptIdentity(path: identityPath, reason: reason)
            case .unsupportedFormat(let format): throw .unsupportedFormat(path: identityPath, format: format)
            }
        }
    }

    /// A crash leaves the old file or the new one.
    private func write(_ identity: MetadataIdentity) throws(MetadataServerError) {
        let temporary = "\(identityPath).new"
        let descriptor = Glibc.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(temporary, errno) }
        let bytes = identity.encoded
        let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        let reason: CInt? =
            written != bytes.count ? (written < 0 ? errno : ENOSPC) : fsync(descriptor) != 0 ? errno : nil
        Glibc.close(descriptor)
        if let reason { throw failure(temporary, reason) }
        guard rename(temporary, identityPath) == 0 else { throw failure(identityPath, errno) }
        let directory = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure(path, errno) }
        defer { Glibc.close(directory) }
        guard fsync(directory) == 0 else { throw failure(path, errno) }
    }

    private func failure(_ path: String, _ code: CInt) -> MetadataServerError {
        .cannotUseDirectory(path, reason: String(cString: strerror(code)))
    }
}
