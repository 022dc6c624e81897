import Logging
import ShoalRPC
import ShoalTypes
import ShoalWire

/// The kernel's pages of mapped files: reading them, and writing what was stored into them.
///
/// They are the one cache that this core does not own. A store through a shared mapping is not announced: a page that
/// the kernel has, it may change. Such mappings need a file opened for reading and writing, and keep it open. While one
/// is, the kernel is given pages under the write lease only, and has none under less: so no other mount has the file's
/// bytes at that time (one writer or many readers, as Li and Hudak's shared virtual memory, 1989, by the file).
extension Client {
    /// A file was opened for reading and writing, and `open` has been answered; before the program can map it, pages
    /// that the kernel has under less than the write lease are dropped. `storesEnded` follows before `release`.
    package func expectStores(_ id: InodeID, completion: @escaping () -> Void) {
        let inode = inodes.inode(id)
        inode.pages.storerCount += 1
        switch inode.pages.state {
        case .dropped: completion()
        case .dropping: inode.pages.afterDrop.append(completion)
        case .kept:
            guard inode.pages.storerCount == 1, inode.grant.mode < .write, kernelMayHavePages(inode) else {
                return completion()
            }
            inode.pages.afterDrop.append(completion)
            beginDrop(inode)
        }
    }

    package func storesEnded(_ id: InodeID) {
        guard let inode = inodes.existing(id), inode.pages.storerCount > 0 else { return }
        inode.pages.storerCount -= 1
    }

    /// Reads pages that the kernel keeps; else as `read`.
    package func readPages(
        _ id: InodeID, offset: UInt64, length: Int, keepsAccessTime: Bool = false,
        completion: @escaping Completion<[UnsafeRawBufferPointer]>
    ) {
        let inode = inodes.inode(id)
        let range = offset..<offset + UInt64(length)
        let serve = { [self] (done: @escaping () -> Void) in
            inode.pages.noteServed(RangeSet(range))
            readLeased(inode, offset, length, keepsAccessTime) {
                completion($0)
                done()
            }
        }
        guard inode.pages.state == .kept else {
            let held = KernelPages.HeldRead(range: range) { [self] in
                readPages(id, offset: offset, length: length, keepsAccessTime: keepsAccessTime, completion: completion)
            } serve: { [self] in
                inode.active += 1
                serve { [self] in leaseUseEnded(inode) }
            }
            inode.pages.heldReads.append(held)
            return
        }
        let mode = inode.pages.storerCount > 0 ? LeaseMode.write : .read
        withLease(mode, on: inode, failure: { completion(.failure($0)) }) { [self] done in
            // Opened to store while this waited?
            if inode.pages.storerCount == 0 || inode.grant.mode == .write { return serve(done) }
            readPages(id, offset: offset, length: length, keepsAccessTime: keepsAccessTime, completion: completion)
            done()
        }
    }

    /// Pages that a shared mapping changed. They never make the file longer: it may have been cut since.
    ///
    /// The kernel writes pages while it drops them for a recall; they are taken under the lease that is recalled. If
    /// that is a mere read lease (the pages should have been gone), the kernel would wait for a write lease that only
    /// the end of the recall can bring: then the pages are taken as they are, and written under the next lease, after
    /// what the other mount writes. An error is kept for the next fsync or close.
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
        guard inode.pages.state == .dropping else {
            return withLease(.write, on: inode, failure: { completion(.failure($0)) }, store(completion))
        }
        if servesPages(inode, .write) {
            inode.active += 1
            return store(completion)({ [self] in leaseUseEnded(inode) })
        }
        completion(.success(copy.count))
        let keep: Completion<Int> = { [self] result in
            guard case .failure(let error) = result else { return }
            logger.error("inode \(inode.id): could not write mapped pages: \(error)")
            inode.writeError = inode.writeError ?? error
        }
        withLease(.write, on: inode, failure: { keep(.failure($0)) }, store(keep))
    }
}
