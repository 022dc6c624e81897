import ShoalTypes

/// Who waits for an inode, what is being done about its lease, and what the kernel has of a file.
final class InodeActivity {
    fileprivate var recall: RecallInProgress?
    fileprivate var waiters: [LeaseWaiter] = []
    fileprivate var movesInFlight = 0
    fileprivate var awaited = 0
    fileprivate var exclusiveWaiter: (() -> Void)?
    fileprivate var extendedAttributes: ExtendedAttributeSet?
    fileprivate var extendedAttributeChanges = 0
    fileprivate var attributeWaiters: [() -> Void] = []
    fileprivate var pages = KernelPages()
    var kernelSize = KernelSize()

    /// Its part in `Inode.isIdle`.
    var isIdle: Bool {
        extendedAttributeChanges == 0 && awaited == 0 && movesInFlight == 0 && waiters.isEmpty && recall == nil
            && pages.state == .kept
    }

    /// Nothing is in here that matters. What is known of the size that the kernel has only saves it work, as long as it has
    /// no pages.
    var isUnused: Bool {
        isIdle && exclusiveWaiter == nil && extendedAttributes == nil && attributeWaiters.isEmpty && pages.isUnused
            && kernelSize.isSettled
    }
}

extension Inode {
    /// The recall that is being obeyed: operations that start now wait for the next lease.
    var recall: RecallInProgress? {
        _read { if let activity { yield activity.recall } else { yield nil } }
        _modify { yield &madeActivity.recall }
        set { if activity != nil || newValue != nil { madeActivity.recall = newValue } }
    }
    /// Operations that wait for a lease, with the mode they need.
    var waiters: [LeaseWaiter] {
        _read { if let activity { yield activity.waiters } else { yield Array() } }
        _modify { yield &madeActivity.waiters }
    }
    /// Renames under way that may bring it into a quota tree.
    var movesInFlight: Int {
        get { activity?.movesInFlight ?? 0 }
        set { madeActivity.movesInFlight = newValue }
    }
    /// Operations that will need the inode, and wait for another first.
    var awaited: Int {
        get { activity?.awaited ?? 0 }
        set { madeActivity.awaited = newValue }
    }
    /// The operation that is to have the inode to itself, until the others that were under way have ended.
    var exclusiveWaiter: (() -> Void)? {
        get { activity?.exclusiveWaiter }
        set { if activity != nil || newValue != nil { madeActivity.exclusiveWaiter = newValue } }
    }
    /// All extended attributes, if they have been asked for under this lease.
    var extendedAttributes: ExtendedAttributeSet? {
        get { activity?.extendedAttributes }
        set { if activity != nil || newValue != nil { madeActivity.extendedAttributes = newValue } }
    }
    /// Changes of them that this mount has sent and not heard of.
    var extendedAttributeChanges: Int {
        get { activity?.extendedAttributeChanges ?? 0 }
        set { madeActivity.extendedAttributeChanges = newValue }
    }
    /// Those who wait until the kernel has been told to forget the attributes.
    var attributeWaiters: [() -> Void] {
        _read { if let activity { yield activity.attributeWaiters } else { yield Array() } }
        _modify { yield &madeActivity.attributeWaiters }
    }
    var pages: KernelPages {
        _read { if let activity { yield activity.pages } else { yield KernelPages() } }
        _modify { yield &madeActivity.pages }
    }
    var kernelSize: KernelSize {
        _read { if let activity { yield activity.kernelSize } else { yield KernelSize() } }
        _modify { yield &madeActivity.kernelSize }
    }

    private var madeActivity: InodeActivity {
        if let activity { return activity }
        let made = InodeActivity()
        activity = made
        return made
    }
}
