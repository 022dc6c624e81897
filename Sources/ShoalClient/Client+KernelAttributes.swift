import ShoalRPC
import ShoalTypes

/// Attributes that the kernel shows without asking, while a lease stands under which they are true.
///
/// It is given them for no longer than the leases are sure to stand, so even a mount whose process has been stopped shows
/// nothing old after its leases have gone on to others. Before a lease is given up, and before a call is answered that
/// changed them, the kernel is told to ask again; an answer that it has not taken in by then is void (`attr_version`
/// of Linux's fs/fuse/inode.c).
extension Client {
    /// For how long the kernel may show what it is being told of an inode; zero if it has to ask each time.
    ///
    /// For answers to LOOKUP and GETATTR only: the kernel takes others in without looking whether they have become void, or
    /// long after they were given.
    package func kernelLearns(_ attributes: FileAttributes) -> Interval {
        guard let inode = inodes.existing(attributes.inode) else { return Interval(nanoseconds: 0) }
        inode.activity?.kernelSize.isAnswered(attributes.size, at: scheduler.now)
        guard inode.attributes == attributes, mayShowAttributes(of: inode) else { return Interval(nanoseconds: 0) }
        inode.kernelAttributes.areShown = true
        return metadata.leasesEnd - scheduler.now
    }

    func mayShowAttributes(of inode: Inode) -> Bool {
        dropKernelAttributes != nil && mayRead(inode) && !inode.attributesAreOld && !inode.isDirty
            && !inode.kernelAttributes.areLeaving
            // A write clears them, of which the kernel hears nothing.
            && !inode.hasSetIDBits && (canDropAtOnce(inode) || isUnchanged(inode, for: limits.attributeCalm))
            // An access by who reads pages is seen only if that has to ask for attributes.
            && (inode.pages.readerCount == 0 || !isAccessDue(inode))
    }

    /// This mount has not changed the attributes, nor lost them, for so long.
    func isUnchanged(_ inode: Inode, for interval: Interval) -> Bool {
        inode.kernelAttributes.lastChanged.map { scheduler.now - $0 >= interval } ?? true
    }

    /// They have changed by this mount's own doing.
    func attributesChanged(_ inode: Inode) {
        inode.kernelAttributes.lastChanged = scheduler.now
        dropChanged(inode)
        dropPagesOfChanged(inode)
    }

    func dropChanged(_ inode: Inode) {
        guard inode.kernelAttributes.areShown, !dropAtOnce(inode) else { return }
        changesToForget.insert(inode.id)
        dropKernelAttributes(of: [inode]) {}
    }

    /// Whether a recall may go on to give the lease up; if not, it is called again.
    func kernelAttributesAreGone(_ inode: Inode) -> Bool {
        inode.kernelAttributes.lastChanged = scheduler.now
        if inode.kernelAttributes.areShown, !dropAtOnce(inode) { dropKernelAttributes(of: [inode]) {} }
        return !inode.kernelAttributes.areLeaving
    }

    /// The kernel can be told without waiting for anything that waits for us, as it may for an inode that is being evicted:
    /// a directory has no pages to write back, and a file has none, nor any being read, once all who opened it have closed.
    private func canDropAtOnce(_ inode: Inode) -> Bool {
        dropKernelAttributesAtOnce != nil && (inode.isDirectory || inode.openCount == 0)
    }

    /// False if it has to be done on another thread.
    private func dropAtOnce(_ inode: Inode) -> Bool {
        guard canDropAtOnce(inode), dropKernelAttributesAtOnce?(inode.id) ?? false else { return false }
        inode.kernelAttributes.areShown = false
        return true
    }

    /// Has the kernel forget them, in parts that do not wait for each other.
    func dropKernelAttributes(of inodes: [Inode], completion: @escaping () -> Void) {
        guard let dropKernelAttributes, !inodes.isEmpty else { return completion() }
        let parts = stride(from: 0, to: inodes.count, by: limits.attributeDropsMax).map {
            inodes[$0..<min($0 + limits.attributeDropsMax, inodes.count)]
        }
        var left = parts.count
        for part in parts {
            for inode in part {
                inode.kernelAttributes.beginDrop()
            }
            dropKernelAttributes(part.map(\.id)) { [self] in
                for inode in part { dropEnded(inode) }
                left -= 1
                if left == 0 { completion() }
            }
        }
    }

    func dropAllKernelAttributes(completion: @escaping () -> Void) {
        dropKernelAttributes(of: inodes.all.filter(\.kernelAttributes.areShown), completion: completion)
    }

    private func dropEnded(_ inode: Inode) {
        inode.kernelAttributes.endDrop()
        guard !inode.kernelAttributes.areLeaving else { return }
        if inode.pages.state != .dropping { changesToForget.remove(inode.id) }
        let waiters = inode.attributeWaiters
        inode.attributeWaiters = []
        for waiter in waiters { waiter() }
        if inode.recall != nil { proceedWithRecall(inode) }
        inode.shed()
    }

    /// Runs `body` when the kernel has forgotten what this mount has changed so far: before that, the end of a call that
    /// changed it may not be told.
    package func whenKernelHasForgotten(_ body: @escaping () -> Void) {
        if changesToForget.isEmpty { return body() }
        wait(for: changesToForget.sorted()[...], body)
    }

    /// The same, of one inode only, before anybody is shown what it is like: who sees a change in an answer, and asks the kernel
    /// next, must not be shown how it was before.
    package func whenKernelHasForgotten(changeOf id: InodeID, _ body: @escaping () -> Void) {
        if changesToForget.contains(id) { wait(for: [id], body) } else { body() }
    }

    private func wait(for changed: ArraySlice<InodeID>, _ body: @escaping () -> Void) {
        var rest = changed
        while let id = rest.popFirst() {
            guard let inode = inodes.existing(id) else { continue }
            let next = { [self] in wait(for: rest, body) }
            if inode.pages.readerCount > 0, inode.pages.state == .dropping {
                return inode.pages.afterDrop.append {
                    if inode.kernelAttributes.areLeaving { inode.attributeWaiters.append(next) } else { next() }
                }
            }
            if inode.kernelAttributes.areLeaving { return inode.attributeWaiters.append(next) }
        }
        body()
    }
}

/// What is known of the attributes of one inode that the kernel shows. Who waits until it has forgotten them is in
/// `Inode.attributeWaiters`.
struct KernelAttributes {
    /// It may have some.
    var areShown = false
    private(set) var dropsUnderWay: Int32 = 0
    private var changed = MonotonicInstant.never

    /// When this mount changed them last, or lost the lease.
    var lastChanged: MonotonicInstant? {
        get { changed == .never ? nil : changed }
        set { changed = newValue ?? .never }
    }
    /// It is being told to forget them; what it is answered meanwhile may be taken in before that.
    var areLeaving: Bool { dropsUnderWay > 0 }

    mutating func beginDrop() {
        areShown = false
        dropsUnderWay += 1
    }

    mutating func endDrop() { dropsUnderWay -= 1 }
}

extension Inode {
    fileprivate var hasSetIDBits: Bool { attributes.kind == .regular && attributes.mode & 0o6000 != 0 }
}

extension MonotonicInstant {
    /// Stands for "not yet" where an optional would cost eight bytes in each of very many objects.
    static let never = MonotonicInstant(.min)
}
