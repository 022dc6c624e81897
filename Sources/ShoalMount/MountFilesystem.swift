import ShoalClient
import ShoalFUSE
import ShoalTypes

/// The kernel's requests, turned into calls of the client core. The kernel caches names, attributes and, for those who
/// opened a file to read, pages, while a lease stands behind them.
final class MountFilesystem: FuseFilesystem {
    let client: Client
    private var lastHandle: UInt64 = 0
    /// The files that are open with O_NOATIME, for calls with which the kernel does not say it.
    var keepAccessTime: Set<FuseFileHandle> = []
    /// The files whose reads the kernel serves from its pages.
    private var pageReaders: Set<FuseFileHandle> = []
    /// Of the open directories.
    var listings: [FuseFileHandle: Listing] = [:]
    /// Directories in which the kernel has looked names up since they were last listed: what a listing shows is wanted
    /// with attributes.
    var searched: Set<InodeID> = []

    init(client: Client) { self.client = client }

    /// How the kernel treats a file that has been opened: whoever writes by direct I/O, and side by side, as their order is
    /// the client's business.
    func openOptions(_ inode: InodeID, _ handle: FuseFileHandle, _ flags: FuseOpenFlags) -> FuseOpenOptions {
        let use = flags.isWritable || flags.keepsAccessTime ? .none : client.pagesForReader(inode)
        if use != .none { pageReaders.insert(handle) }
        return switch use {
        case .none: [.directIO, .parallelDirectWrites]
        case .fresh: []
        case .kept: .keepCache
        }
    }

    func readsPages(_ handle: FuseFileHandle?) -> Bool { handle.map(pageReaders.contains) ?? false }

    func handleIsClosed(_ inode: InodeID, _ handle: FuseFileHandle) {
        if pageReaders.remove(handle) != nil { client.readerClosed(inode) }
    }

    /// Every open file and directory has a number of its own: locks and listings belong to it.
    func nextHandle() -> FuseFileHandle {
        lastHandle += 1
        return FuseFileHandle(lastHandle)
    }

    func forget(_ inode: InodeID, lookups: UInt64) {
        client.kernelForgot(inode, lookups: lookups)
    }

    /// The kernel has this inode, and it is gone: ESTALE makes it look the path up anew (once), where ENOENT would be
    /// the end of the call, though the name may exist all the time and only have come to mean another file.
    func gone(_ error: FileError) -> FileError { error == .notFound ? .stale : error }

    /// Its groups are looked up only where they matter. Only before the answer.
    func writer(of request: FuseRequest) -> Writer {
        request.caller.losesSetID ? .ordinary(isMember: { [self] in isMember(of: $0, request) }) : .privileged
    }

    func isMember(of group: UInt32, _ request: FuseRequest) -> Bool {
        request.caller.gid == group || request.supplementaryGroups.contains(group)
    }

    func finish(_ reply: FuseEntryReply) -> Completion<FileAttributes> {
        { [self] result in
            switch result {
            case .success(let attributes):
                client.whenKernelHasForgotten { [self] in
                    client.kernelIsAnswered(attributes.inode, size: attributes.size)
                    if reply.entry(attributes) { client.kernelLearned(attributes.inode) }
                }
            case .failure(let error): reply.error(error)
            }
        }
    }

    func finish(_ reply: FuseEmptyReply) -> Completion<Void> {
        { [self] result in
            switch result {
            case .success: client.whenKernelHasForgotten { reply.done() }
            case .failure(let error): reply.error(error)
            }
        }
    }

    /// The kernel knows what a write changes, but for asynchronous ones; not that the source of a copy has been accessed.
    func finish(_ reply: FuseWriteReply) -> Completion<Int> {
        { [self] result in
            switch result {
            case .success(let count): client.whenKernelHasForgotten { reply.written(count) }
            case .failure(let error): reply.error(error)
            }
        }
    }

    func finish(_ reply: FuseAttributesReply) -> Completion<FileAttributes> {
        { [self] result in
            switch result {
            case .success(let attributes):
                client.whenKernelHasForgotten { [self] in
                    client.kernelIsAnswered(attributes.inode, size: attributes.size)
                    reply.attributes(attributes)
                }
            case .failure(let error): reply.error(gone(error))
            }
        }
    }
}
