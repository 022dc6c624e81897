import ShoalRPC
import ShoalTypes

/// The size that the kernel goes by.
extension Client {
    /// The attributes for who has the file open, and goes by its size next: to read from pages, or for SEEK_END. If an access
    /// counts, a read from pages is one: the bytes may not be asked for.
    ///
    /// The kernel is made to grow the file first: it may throw the answer away.
    package func attributesForOpenFile(
        _ id: InodeID, readsPages: Bool, completion: @escaping Completion<FileAttributes>
    ) {
        attributes(of: id, growthsLeft: limits.growthsMax) { [self] result in
            guard case .success(let attributes) = result, let inode = inodes.existing(id) else {
                return completion(result)
            }
            if readsPages, mayRead(inode) { noteAccess(inode) }
            inode.kernelSize.wasTold(attributes.size)
            completion(result)
        }
    }

    private func attributes(
        of id: InodeID, growthsLeft: Int, completion: @escaping Completion<FileAttributes>
    ) {
        attributes(of: id) { [self] result in
            guard case .success(let attributes) = result, let growKernelFile, growthsLeft > 0,
                let inode = inodes.existing(id), attributes.kind == .regular, attributes.size > inode.kernelSize.least
            else { return completion(result) }
            inode.kernelSize.wait { [self] in
                self.attributes(of: id, growthsLeft: growthsLeft - 1, completion: completion)
            }
            guard !inode.kernelSize.isGrowing else { return }
            inode.kernelSize.beginGrowing(to: attributes.size)
            growKernelFile(id, attributes.size) { [self] in
                let waiters = inode.kernelSize.endGrowing(
                    at: scheduler.now, takenIn: limits.sizeTakenIn, changed: inode.kernelAttributes.lastChanged)
                for waiter in waiters { waiter() }
            }
        }
    }

    /// The kernel is being answered that the file has this size.
    package func kernelIsAnswered(_ id: InodeID, size: UInt64) {
        inodes.existing(id)?.activity?.kernelSize.isAnswered(size, at: scheduler.now)
    }

    /// Whether the kernel has had the time to take in what size it was told; if not, it is called again.
    func kernelKnowsSize(_ inode: Inode, _ recall: RecallInProgress) -> Bool {
        guard inode.kernelSize.mayBeTooLarge else { return true }
        // From the recall's begin: who asks again and again does not hold it up.
        let end = recall.begin + limits.sizeTakenIn
        guard end <= scheduler.now else {
            proceedWithRecall(inode, at: end)
            return false
        }
        inode.kernelSize.wasTakenIn()
        return true
    }
}
