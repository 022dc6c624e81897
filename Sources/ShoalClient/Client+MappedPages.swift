import Logging
import ShoalRPC
import ShoalTypes
import ShoalWire

/// The kernel's pages of mapped files. They are the one cache that this core does not own: it asks the mount to have
/// them dropped (`dropKernelPages`) before it gives up the lease under which they were read.
///
/// The kernel writes dirty pages back while it drops them, and waits for pages that are being read. So page reads and
/// page writes go on while a recall drops pages; all else waits for the next lease. What was read meanwhile may be in
/// the kernel again, so it is dropped once more, a bounded number of times. The wait has an end, too: a truncation of
/// this mount that itself waits for the lease makes the kernel hold its page writes back.
extension Client {
    private static let dropRoundsMax = 3

    /// True while the kernel may have pages: somebody here has the file open, and reads of whole pages were answered.
    private func mayHaveKernelPages(_ inode: Inode) -> Bool {
        dropKernelPages != nil && inode.hasReadPages && inode.openCount > 0
    }

    /// Whether a recall may go on to give the lease up; if not, it is called again.
    func kernelPagesAreGone(_ inode: Inode) -> Bool {
        switch inode.kernelPages {
        case .dropped: return true
        case .dropping: return false
        case .kept:
            guard mayHaveKernelPages(inode) else { return true }
            drop(inode, round: 1)
            return false
        }
    }

    private func drop(_ inode: Inode, round: Int) {
        inode.kernelPages = .dropping
        inode.hasReadPages = false
        var isOver = false
        let finish = { [self] in
            guard !isOver else { return }
            isOver = true
            if inode.recall != nil, inode.hasReadPages, round < Client.dropRoundsMax {
                return drop(inode, round: round + 1)
            }
            inode.kernelPages = .dropped
            if inode.recall != nil { proceedWithRecall(inode) } else { inode.kernelPages = .kept }
        }
        scheduler.schedule(after: limits.pageDropDeadline) { [self] in
            if !isOver { logger.warning("inode \(inode.id): the kernel does not give its mapped pages up") }
            finish()
        }
        dropKernelPages?(inode.id, finish)
    }

    /// A read of pages or a write of pages may be served while the recall drops them.
    func servesPages(_ inode: Inode, _ mode: LeaseMode) -> Bool {
        inode.kernelPages == .dropping && inode.grant.mode >= mode && !inode.isExclusive && metadata.leasesAreUsable
    }

    /// Pages that a shared mapping changed. They never make the file longer: it may have been cut since.
    ///
    /// Under a recall of a mere read lease the kernel would wait for a write lease that only the end of the recall can
    /// bring: then the pages are taken as they are, and written under the next lease, after what the other mount
    /// writes. An error is kept for the next fsync or close.
    package func writePages(
        _ id: InodeID, offset: UInt64, _ bytes: UnsafeRawBufferPointer, completion: @escaping Completion<Int>
    ) {
        let inode = inodes.inode(id)
        let copy = Array(bytes)
        let store: (@escaping Completion<Int>) -> (@escaping () -> Void) -> Void = { [self] stored in
            { [self] done in
                let size = inode.attributes.size
                let count = offset < size ? Int(min(UInt64(copy.count), size - offset)) : 0
                storeWithEdges(Array(copy[..<count]), .at(offset), inode, inode.grant.sequence) { result in
                    stored(result.map { _ in copy.count })
                    done()
                }
            }
        }
        if inode.kernelPages == .dropping, !servesPages(inode, .write) {
            completion(.success(copy.count))
            let keep: Completion<Int> = { [self] result in
                guard case .failure(let error) = result else { return }
                logger.error("inode \(inode.id): could not write mapped pages: \(error)")
                inode.writeError = inode.writeError ?? error
            }
            return withLease(.write, on: inode, failure: { keep(.failure($0)) }, store(keep))
        }
        withLease(.write, on: inode, ofPages: true, failure: { completion(.failure($0)) }, store(completion))
    }
}

/// What is known of the kernel's pages of a file.
enum KernelPages {
    case kept
    /// A recall waits until they are gone.
    case dropping
    /// They are gone, until the recall is answered.
    case dropped
}
