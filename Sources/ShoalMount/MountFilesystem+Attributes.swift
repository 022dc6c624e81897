import ShoalClient
import ShoalFUSE
import ShoalTypes
import ShoalWire

extension MountFilesystem {
    func getAttributes(of inode: InodeID, handle: FuseFileHandle?, reply: FuseAttributesReply) {
        let answer: Completion<FileAttributes> = { [self] result in
            switch result {
            case .success(let attributes):
                reply.attributes(attributes, timeout: client.kernelLearns(attributes).seconds)
            case .failure(let error): reply.error(gone(error))
            }
        }
        // Linux names the handle where it is about to read from pages, or to seek from the end.
        guard let handle else {
            return client.attributes(of: inode) { [self] result in
                client.whenKernelHasForgotten(changeOf: inode) { answer(result) }
            }
        }
        client.attributesForOpenFile(inode, readsPages: readsPages(handle), completion: answer)
    }

    func setAttributes(
        of inode: InodeID, _ change: FuseAttributeChange, handle: FuseFileHandle?, reply: FuseAttributesReply
    ) {
        var wanted = AttributeChange()
        wanted.permissions = change.permissions
        wanted.uid = change.uid
        wanted.gid = change.gid
        wanted.size = change.size
        // One now: utimensat(2) without times sets both to the same.
        let now = client.wallClock
        wanted.accessTime = change.accessTime.map { time($0, now) }
        wanted.modifyTime = change.modifyTime.map { time($0, now) }
        client.setAttributes(of: inode, wanted, by: writer(of: reply.request), completion: finish(reply))
    }

    private func time(_ time: FuseAttributeChange.Time, _ now: Timestamp) -> Timestamp {
        switch time {
        case .now: now
        case .at(let timestamp): timestamp
        }
    }

    func statistics(_ inode: InodeID, reply: FuseStatisticsReply) {
        client.statistics(of: inode) { result in
            switch result {
            case .success(let space):
                var statistics = FuseStatistics()
                statistics.blocksTotal = space.bytesTotal / statistics.blockBytes
                statistics.blocksFree = space.bytesFree / statistics.blockBytes
                // Inodes cost metadata space only; as many more are possible as there are blocks.
                statistics.inodesFree = space.inodesFree ?? statistics.blocksFree
                statistics.inodesTotal = space.inodesUsed + statistics.inodesFree
                reply.statistics(statistics)
            case .failure(let error): reply.error(error)
            }
        }
    }
}
