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
    /// For answers to LOOKUP, GETATTR and READDIRPLUS only: the kernel takes others in without looking whether they have
    /// become void.
    package func kernelLearns(_ attributes: FileAttributes) -> Interval {
        guard dropKernelAttributes != nil, let inode = inodes.existing(attributes.inode), mayRead(inode),
            inode.attributes == attributes, !inode.attributesAreOld, !inode.isDirty, !inode.kernelAttributes.areLeaving,
            // A write clears them, of which the kernel hears nothing.
            !inode.hasSetIDBits, isUnchanged(inode, for: limits.attributeCalm)
        else { return Interval(nanoseconds: 0) }
        inode.kernelAttributes.areShown = true
        return metadata.leasesEnd - scheduler.now
    }

    /// This mount has not changed the attributes, nor lost them, for so long.
    func isUnchanged(_ inode: Inode, for interval: Interval) -> Bool {
        inode.kernelAttributes.lastChanged.map { scheduler.now - $0 >= interval } ?? true
    }

    /// They have changed by this mount's own doing.
    func attributesChanged(_ inode: Inode) {
        inode.kernelAttributes.lastChanged = scheduler.now
        if inode.kernelAttributes.areShown { dropKernelAttributes(of: [inode]) {} }
    }

    /// Whether a recall may go on to give the lease up; if not, it is called again.
    func kernelAttributesAreGone(_ inode: Inode) -> Bool {
        inode.kernelAttributes.lastChanged = scheduler.now
        if inode.kernelAttributes.areShown { dropKernelAttributes(of: [inode]) {} }
        return !inode.kernelAttributes.areLeaving
    }

    func dropKernelAttributes(of inodes: [Inode], completion: @escaping () -> Void) {
        guard let dropKernelAttributes, !inodes.isEmpty else { return completion() }
        for inode in inodes {
            inode.kernelAttributes.areShown = false
            inode.kernelAttributes.dropsUnderWay += 1
        }
        let number = kernelDrops.begin()
        dropKernelAttributes(inodes.map(\.id)) { [self] in
            for inode in inodes {
                inode.kernelAttributes.dropsUnderWay -= 1
                if inode.recall != nil { proceedWithRecall(inode) }
            }
            completion()
            for waiter in kernelDrops.end(number) { waiter() }
        }
    }

    /// Runs `body` when the kernel has forgotten all that it has been told to forget so far: before that, the end of a
    /// change may not be told.
    package func whenKernelHasForgotten(_ body: @escaping () -> Void) {
        if !kernelDrops.wait(body) { body() }
    }
}

/// What is known of the attributes of one inode that the kernel shows.
struct KernelAttributes {
    /// It may have some.
    var areShown = false
    var dropsUnderWay = 0
    /// When this mount changed them last, or lost the lease.
    var lastChanged: MonotonicInstant?

    /// It is being told to forget them; what it is answered meanwhile may be taken in before that.
    var areLeaving: Bool { dropsUnderWay > 0 }
}

/// Drops of attributes that are under way, and who waits for them.
struct KernelDrops {
    private var last: UInt64 = 0
    private var underWay: Set<UInt64> = []
    private var waiters: [(last: UInt64, run: () -> Void)] = []

    mutating func begin() -> UInt64 {
        last += 1
        underWay.insert(last)
        return last
    }

    /// - Returns: those that waited for no later one.
    mutating func end(_ number: UInt64) -> [() -> Void] {
        underWay.remove(number)
        let oldest = underWay.min() ?? .max
        let count = waiters.prefix { $0.last < oldest }.count
        defer { waiters.removeFirst(count) }
        return waiters[..<count].map(\.run)
    }

    /// - Returns: false if there is nothing to wait for.
    mutating func wait(_ body: @escaping () -> Void) -> Bool {
        guard !underWay.isEmpty else { return false }
        waiters.append((last, body))
        return true
    }
}

extension Inode {
    fileprivate var hasSetIDBits: Bool { attributes.kind == .regular && attributes.mode & 0o6000 != 0 }
}
