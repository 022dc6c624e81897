import Logging
import ShoalRPC
import ShoalTypes
import ShoalWire

/// The kernel's pages: reading them, and writing what was stored into them through mappings.
///
/// They are the one cache that this core does not own. Who opens a file to read, while nobody here has it open to write, is
/// served from them with no request (decision 26); others have them for mappings only. A store through a shared mapping is not announced: a page that
/// the kernel has, it may change. Such mappings need a file opened for reading and writing, and keep it open. While one
/// is, the kernel is given pages under the write lease only, and has none under less: so no other mount has the file's
/// bytes at that time (one writer or many readers, as Li and Hudak's shared virtual memory, 1989, by the file).
extension Client {
    /// A file was opened for reading and writing, and `open` has been answered; before the program can map it, pages
    /// that the kernel has under less than the write lease are dropped. `storesEnded` follows before `release`.
    package func expectStores(_ id: InodeID, completion: @escaping () -> Void) {
        let inode = inodes.inode(id)
        inode.pages.storerCount += 1
        if inode.pages.state == .kept, inode.pages.storerCount > 1 || inode.grant.mode == .write { return completion() }
        withoutKernelPages(of: inode, completion)
    }

    /// How the kernel may use its pages for a file or directory that is opened.
    package enum PageUse {
        /// Direct I/O.
        case none
        /// It drops those it has.
        case fresh
        case kept
    }

    /// A file was opened to read, and `open` has been answered.
    ///
    /// The kernel reads its pages only while it may show the attributes, which end with the lease: so pages are given where
    /// attributes would be. What was opened before for pages keeps them: then each write here drops some.
    ///
    /// Unless that is `.none`, `readerClosed` follows before `release`.
    package func pagesForReader(_ id: InodeID) -> PageUse {
        guard let inode = inodes.existing(id), dropKernelPages != nil, mayShowAttributes(of: inode),
            isUnchanged(inode, for: limits.pageCalm), inode.pages.state == .kept, inode.pages.writerCount == 0,
            !isAccessDue(inode)
        else { return .none }
        inode.pages.readerCount += 1
        return inode.pages.isUnclean ? .fresh : .kept
    }

    package func readerClosed(_ id: InodeID) {
        guard let inode = inodes.existing(id), inode.pages.readerCount > 0 else { return }
        inode.pages.readerCount -= 1
    }

    /// Reads that the kernel serves do not count as accesses.
    func isAccessDue(_ inode: Inode) -> Bool {
        limits.keepsAccessTimes && inode.attributes.accessCounts(at: scheduler.wallClock)
    }

    /// A file was opened to write, and `open` has been answered; `writerClosed` follows before `release`.
    package func writerOpened(_ id: InodeID) { inodes.inode(id).pages.writerCount += 1 }

    package func writerClosed(_ id: InodeID) {
        guard let inode = inodes.existing(id), inode.pages.writerCount > 0 else { return }
        inode.pages.writerCount -= 1
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
            let lost = { [self] in
                done()
                readPages(id, offset: offset, length: length, keepsAccessTime: keepsAccessTime, completion: completion)
            }
            readLeased(inode, offset, length, keepsAccessTime, lost: lost) {
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
        let number = inode.pages.beginWaiting(range)
        let fail: (FileError) -> Void = { error in
            inode.pages.endWaiting(number)
            completion(.failure(error))
        }
        withLease(mode, on: inode, failure: fail) { [self] done in
            inode.pages.endWaiting(number)
            // Opened to store while this waited?
            if inode.pages.storerCount == 0 || inode.grant.mode == .write { return serve(done) }
            readPages(id, offset: offset, length: length, keepsAccessTime: keepsAccessTime, completion: completion)
            done()
        }
    }

    /// Pages that a shared mapping changed. They never make the file longer: it may have been cut since.
    ///
    /// The kernel writes pages while it drops them for a recall, and waits for those it has sent before; they are taken under
    /// the lease that is recalled. If that is a mere read lease (the pages should have been gone), the kernel would wait for
    /// a write lease that only the end of the recall can bring: then the pages are taken as they are, and written under the
    /// next lease, after what the other mount writes. An error is kept for the next fsync or close.
    package func writePages(
        _ id: InodeID, offset: UInt64, _ bytes: UnsafeRawBufferPointer, completion: @escaping Completion<Int>
    ) {
        let inode = inodes.inode(id)
        let number = inode.pages.beginWaiting(
            KernelPages.WaitingWrite(offset: offset, bytes: Array(bytes), completion: completion))
        if inode.pages.state == .dropping { hurryPageWrites(of: inode) }
        let fail: (FileError) -> Void = { inode.pages.takeWrite(number)?.completion(.failure($0)) }
        withLease(.write, on: inode, failure: fail) { [self] done in
            guard let write = inode.pages.takeWrite(number) else { return done() }
            store(write, inode, done)
        }
    }

    /// The kernel waits for these before it drops the pages, and what has the lease recalled for that.
    func hurryPageWrites(of inode: Inode) {
        if servesPages(inode, .write) {
            for write in inode.pages.takeWaitingWrites() {
                inode.active += 1
                store(write, inode) { [self] in leaseUseEnded(inode) }
            }
        } else {
            inode.pages.promiseWrites { [self] result in
                guard case .failure(let error) = result else { return }
                logger.error("inode \(inode.id): could not write mapped pages: \(error)")
                noteLoss(error, of: inode)
            }
        }
    }

    private func store(_ write: KernelPages.WaitingWrite, _ inode: Inode, _ done: @escaping () -> Void) {
        let size = inode.attributes.size
        let count = write.offset < size ? Int(min(UInt64(write.bytes.count), size - write.offset)) : 0
        let bytes = Array(write.bytes[..<count])
        storeWithEdges(bytes, .at(write.offset), inode, inode.grant.sequence, keepsKernelPages: true) { result in
            write.completion(result.map { _ in write.bytes.count })
            done()
        }
    }
}
