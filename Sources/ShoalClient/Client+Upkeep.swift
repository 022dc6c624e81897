import ShoalRPC
import ShoalTypes
import ShoalWire

/// Quotas and the trash, for commands.
extension Client {
    /// Limits that are nil stay as they are; `.max` is none.
    package func setQuota(
        of id: InodeID, bytes: UInt64?, inodes: UInt64?, completion: @escaping Completion<QuotaListReply>
    ) {
        metadata.request(
            .setQuota, isChange: true, { SetQuotaRequest(caller: $0, inode: id, bytes: bytes, inodes: inodes) }
        ) { completion($0.decode(QuotaListReply.self).mapError(\.fileError)) }
    }

    /// Those that the inode is charged to, the innermost first; of inode 0 all, above `after`.
    package func quotas(
        of id: InodeID, after: InodeID = InodeID(0), completion: @escaping Completion<QuotaListReply>
    ) {
        metadata.request(
            .listQuotas, isChange: false, { QuotaListRequest(caller: $0, inode: id, after: after) }
        ) { completion($0.decode(QuotaListReply.self).mapError(\.fileError)) }
    }

    package func removeQuota(of id: InodeID, completion: @escaping Completion<Void>) {
        metadata.request(.removeQuota, isChange: true, { InodeRequest(caller: $0, inode: id) }) {
            completion($0.decode(Empty.self).map { _ in }.mapError(\.fileError))
        }
    }

    /// - Parameter keepSeconds: nil turns it off.
    package func setTrash(keepSeconds: UInt64?, completion: @escaping Completion<Void>) {
        metadata.request(.setTrash, isChange: true, { SetTrashRequest(caller: $0, keepSeconds: keepSeconds) }) {
            completion($0.decode(Empty.self).map { _ in }.mapError(\.fileError))
        }
    }

    package func trash(after place: TrashPlace, completion: @escaping Completion<ListTrashReply>) {
        metadata.request(.listTrash, isChange: false, { ListTrashRequest(caller: $0, after: place) }) {
            completion($0.decode(ListTrashReply.self).mapError(\.fileError))
        }
    }

    package func emptyTrash(completion: @escaping Completion<Void>) {
        metadata.request(.emptyTrash, isChange: true, { EmptyTrashRequest(caller: $0) }) {
            completion($0.decode(Empty.self).map { _ in }.mapError(\.fileError))
        }
    }
}
