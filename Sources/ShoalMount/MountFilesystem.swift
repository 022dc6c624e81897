import ShoalClient
import ShoalFUSE
import ShoalTypes

/// The kernel's requests, turned into calls of the client core. The kernel caches neither names nor attributes nor
/// content: every answer has timeout 0 and every file is opened for direct I/O, so what one mount has changed every
/// other one sees.
final class MountFilesystem: FuseFilesystem {
    let client: Client
    private var lastHandle: UInt64 = 0
    /// The files that are open with O_NOATIME, for calls with which the kernel does not say it.
    var keepAccessTime: Set<FuseFileHandle> = []
    /// Of the open directories.
    var listings: [FuseFileHandle: Listing] = [:]

    init(client: Client) { self.client = client }

    /// Direct I/O, and writes of one file side by side: their order is the client's business.
    static let openOptions: FuseOpenOptions = [.directIO, .parallelDirectWrites]

    /// Every open file and directory has a number of its own: locks and listings belong to it.
    func nextHandle() -> FuseFileHandle {
        lastHandle += 1
        return FuseFileHandle(lastHandle)
    }

    /// Inode numbers are for good: there is no table to take this one out of.
    func forget(_ inode: InodeID, lookups: UInt64) { client.forgotten(inode) }

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
        { result in
            switch result {
            case .success(let attributes): reply.entry(attributes)
            case .failure(let error): reply.error(error)
            }
        }
    }

    func finish(_ reply: FuseEmptyReply) -> Completion<Void> {
        { result in
            switch result {
            case .success: reply.done()
            case .failure(let error): reply.error(error)
            }
        }
    }

    func finish(_ reply: FuseAttributesReply) -> Completion<FileAttributes> {
        { [self] result in
            switch result {
            case .success(let attributes): reply.attributes(attributes)
            case .failure(let error): reply.error(gone(error))
            }
        }
    }
}
