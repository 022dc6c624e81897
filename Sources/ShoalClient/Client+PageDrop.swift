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
        dropKernelPages != nil && !inode.pages.served.isEmpty && inode.openCount > 0
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
        var isOver = false
        let finish = { [self] in
            guard !isOver else { return }
            isOver = true
            inode.pages.leaving = RangeSet()
            if kernelMayHavePages(inode), scheduler.now < deadline { return drop(inode, until: deadline) }
            endDrop(inode)
        }
        watch(inode, isOver: { isOver }) { [self] in
            guard scheduler.now >= deadline else { return }
            logger.warning("inode \(inode.id): the kernel does not give its mapped pages up")
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
        if inode.recall == nil { keepPages(inode) } else { inode.pages.state = .dropped }
        for waiter in waiters { waiter() }
        if inode.recall != nil { proceedWithRecall(inode) }
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
        inode.grant.mode >= mode && !inode.isExclusive && metadata.leasesAreUsable
    }
}
