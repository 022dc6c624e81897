import Logging
import ShoalRPC
import ShoalTypes

/// Having the kernel drop its pages of a file, before the lease is given up under which it read them.
///
/// The kernel writes dirty pages back while it drops them, and waits for pages that are being read. So page writes are
/// served meanwhile. New reads of pages are held: served, they would only have to be dropped again, and a program that
/// touches the page all the time could hold the recall up for ever. Only if the kernel does not get on is what it may
/// be waiting for served, and dropped in another round. The whole has an end, too: a truncation of this mount that
/// itself waits for the lease makes the kernel hold its page writes back.
extension Client {
    func kernelMayHavePages(_ inode: Inode) -> Bool {
        dropKernelPages != nil && !inode.pages.served.isEmpty
    }

    /// Whether pages must go before bytes of `range` change that do not pass through them: else one who reads them could
    /// still see what was there before, after another had seen the new bytes.
    func kernelPagesAreInTheWay(of range: Range<UInt64>, _ inode: Inode) -> Bool {
        dropKernelPages != nil && inode.pages.state != .dropped && inode.pages.mayHave(range)
    }

    /// Runs `body` when the kernel has dropped its pages, and before it reads any again; once, even if that fails.
    func withoutKernelPages(of inode: Inode, _ body: @escaping () -> Void) {
        if inode.pages.state == .dropped || !kernelMayHavePages(inode) && inode.pages.state == .kept { return body() }
        inode.pages.afterDrop.append(body)
        if inode.pages.state == .kept { beginDrop(inode) }
    }

    /// Has the kernel drop its pages of all of these, of some at a time.
    func dropKernelPages(of inodes: [Inode], completion: @escaping () -> Void) {
        var rest = inodes[...]
        var left = inodes.count
        guard left > 0 else { return completion() }
        func next() {
            guard let inode = rest.popFirst() else { return }
            withoutKernelPages(of: inode) { [self] in
                left -= 1
                if left == 0 { return completion() }
                // Not deeper and deeper where there is nothing to drop.
                scheduler.schedule(after: Interval(nanoseconds: 0), next)
            }
        }
        for _ in 0..<min(limits.pageDropsMax, left) { next() }
    }

    /// A change of this mount's own, of what reads from pages do not see, or do not count for: the access time.
    func dropPagesOfChanged(_ inode: Inode) {
        // With stores the kernel may wait for the end of the call before it writes pages back.
        guard inode.pages.readerCount > 0, inode.pages.storerCount == 0, inode.pages.state == .kept,
            kernelMayHavePages(inode)
        else { return }
        changesToForget.insert(inode.id)
        withoutKernelPages(of: inode) { [self] in
            if !inode.kernelAttributes.areLeaving { changesToForget.remove(inode.id) }
        }
    }

    /// The kernel has the inode no more.
    func kernelPagesHaveGone(_ inode: Inode) {
        guard inode.activity != nil, inode.pages.state == .kept else { return }
        inode.pages.forgetServed()
        inode.pages.isUnclean = false
        // No call on it is under way that could go by a size.
        if !inode.kernelSize.isGrowing { inode.kernelSize = KernelSize() }
        inode.shed()
    }

    /// Whether a recall may go on to give the lease up; if not, it is called again.
    func kernelPagesAreGone(_ inode: Inode) -> Bool {
        switch inode.pages.state {
        case .dropped: return true
        case .dropping: return false
        case .kept:
            guard kernelMayHavePages(inode) else { return true }
            beginDrop(inode)
            return false
        }
    }

    func beginDrop(_ inode: Inode) {
        inode.pages.state = .dropping
        drop(inode, until: scheduler.now + limits.pageDropDeadline)
    }

    private func drop(_ inode: Inode, until deadline: MonotonicInstant) {
        inode.pages.beginLeaving()
        hurryPageWrites(of: inode)
        var isOver = false
        let finish = { [self] in
            guard !isOver else { return }
            isOver = true
            inode.pages.leaving = RangeSet()
            if kernelMayHavePages(inode), scheduler.now < deadline { return drop(inode, until: deadline) }
            inode.pages.isUnclean = kernelMayHavePages(inode)
            endDrop(inode)
        }
        watch(inode, isOver: { isOver }) { [self] in
            guard scheduler.now >= deadline else { return }
            logger.warning("inode \(inode.id): the kernel does not give its pages up")
            // The next recall tries again.
            inode.pages.noteServed(inode.pages.leaving)
            finish()
        }
        dropKernelPages?(inode.id, Array(inode.pages.leaving.ranges), finish)
    }

    /// Serves what may be in the way of a drop, every few milliseconds until it is over.
    private func watch(_ inode: Inode, isOver: @escaping () -> Bool, _ body: @escaping () -> Void) {
        scheduler.schedule(after: limits.pageDropPatience) { [self] in
            guard !isOver() else { return }
            hurryPageWrites(of: inode)
            if servesPages(inode, .read) {
                for read in inode.pages.takeReadsInTheWay() { read.serve() }
            }
            body()
            watch(inode, isOver: isOver, body)
        }
    }

    private func endDrop(_ inode: Inode) {
        let waiters = inode.pages.afterDrop
        inode.pages.afterDrop = []
        // Reads go on only after those who wanted the pages gone.
        inode.pages.state = .dropped
        for waiter in waiters { waiter() }
        beginExclusiveUse(of: inode)
        if inode.recall == nil { keepPages(inode) } else { proceedWithRecall(inode) }
    }

    /// The recall is answered, or there was none: pages may be read again.
    func keepPages(_ inode: Inode) {
        inode.pages.state = .kept
        let held = inode.pages.heldReads
        inode.pages.heldReads = []
        for read in held { read.resume() }
    }

    /// Whether the lease that is being recalled still allows it.
    func servesPages(_ inode: Inode, _ mode: LeaseMode) -> Bool {
        inode.grant.mode >= mode && (!inode.isExclusive || inode.exclusiveWaiter != nil) && metadata.leasesAreUsable
    }
}
