import ShoalTypes
import ShoalWire

/// What the mount knows of one inode, and what is under way on it. Everything in here is true only while the lease
/// stands: `names` under `names`, `attributes` and `blocks` under `read`, dirty pages under `write`.
///
/// Most inodes are only remembered: their attributes and the lease are in here, in few bytes (`InodeTests` bounds them).
/// What an inode needs while it is used is in objects that are made when something is first put there, and go when nothing
/// is left in them and the inode is out of use (`shed`): its content (`InodeContent`), the names in it (`InodeNames`), who
/// waits for it and what the kernel has of it (`InodeActivity`). Their properties look like the inode's own.
final class Inode {
    var attributes: FileAttributes { didSet { activity?.kernelSize.mayBecome(attributes.size) } }
    var id: InodeID { attributes.inode }

    /// The server changed the attributes on our behalf: the lease stands, but they must be asked for again.
    var attributesAreOld = false
    /// Unlinked while open here: the server keeps it for our pin.
    var isOrphan = false
    /// The mode that has been asked for and not been answered.
    var acquiring: LeaseMode?
    /// One operation has the inode to itself.
    var isExclusive = false

    // Of the content, but most often false, or asked of files without any in memory.
    /// The server gave nothing past the end of the file when it was asked last: a quota is full, or the file as long as
    /// any can be.
    var hasNoRoomPastEnd = false
    /// Size or times differ from what the server has.
    var needsCommit = false
    var isCommitting = false
    /// A truncation has been sent, and not been answered.
    var isSettingSize = false
    /// Waits in `Client.flushQueue`.
    var isInFlushQueue = false
    /// A failed write-back, until a later write, close or fsync has reported it, of this descriptor or a later one.
    var writeError: FileError?
    /// Bytes have been given up, and the next close or fsync says so. What is written from then on goes out all the same.
    var lossError: FileError?
    /// A node is being asked what chunks take that are about to be written.
    var isLearningBlocks = false
    /// Another mount may have written and not synced: the next fsync asks every node.
    var mayHaveForeignUnsynced = true
    var hasFlushTimer = false

    var isLinked = false
    var kernelAttributes = KernelAttributes()

    /// Open descriptors of this mount.
    var openCount: Int32 = 0
    /// Operations that run under the lease; a recall is answered when none is left.
    var active: Int32 = 0
    /// Counts losses of the content: what was fetched before one is not cached after it.
    var generation: UInt32 = 0
    /// How often the kernel was told of it and has not forgotten that; `UInt32.max` stands for more.
    var kernelLookups: UInt32 = 0
    var grant = Grant.none
    /// Bytes `..<reservedSize` may be sent to nodes; the server knows this bound.
    var reservedSize: UInt64 = 0
    /// The size that the server has.
    var serverSize: UInt64 = 0
    private var lastShown = MonotonicInstant.never

    var content: InodeContent?
    var directory: InodeNames?
    var activity: InodeActivity?

    // The table's list, in order of use.
    var newer: Inode?
    unowned(unsafe) var older: Inode?

    init(id: InodeID) { attributes = FileAttributes(inode: id) }

    /// When the kernel was last told of it.
    var shownAt: MonotonicInstant? {
        get { lastShown == .never ? nil : lastShown }
        set { lastShown = newValue ?? .never }
    }

    /// It decides how long the file is.
    var hasEndOfFile: Bool { grant.mode == .write || grant.mode == .part && grant.extent.hasNoEnd }
    /// It writes the file, and has something reserved past its end.
    var reservesMoreThanItHas: Bool { hasEndOfFile && reservedSize > attributes.size }

    /// The server's attributes, with what has been changed here under a part of the file.
    func merged(into attributes: FileAttributes) -> FileAttributes {
        guard isDirty else { return attributes }
        var merged = attributes
        if hasEndOfFile { merged.size = self.attributes.size }
        merged.modifyTime = max(attributes.modifyTime, self.attributes.modifyTime)
        merged.changeTime = max(attributes.changeTime, self.attributes.changeTime)
        return merged
    }

    /// Operations that need the lease wait.
    var isHeldUp: Bool { isExclusive || recall != nil }
    /// What tells the server that the lease is given back whole.
    var returnedLease: HeldLease { HeldLease(inode: id, mode: .none, sequence: grant.sequence) }
    var isDirectory: Bool { attributes.kind == .directory }
    var isDirty: Bool { needsCommit || isCommitting || !dirtyBlocks.isEmpty || flushesInFlight > 0 }
    /// It is idle, and the kernel has nothing that must be known of.
    var mayBeForgotten: Bool { isIdle && pages.served.isEmpty && !pages.isUnclean }
    /// Nothing would be lost if the mount forgot it and gave its lease back.
    var isIdle: Bool {
        openCount == 0 && active == 0 && !isOrphan && acquiring == nil && !kernelAttributes.areLeaving && !isDirty
            && (activity?.isIdle ?? true) && kernelListing.openCount == 0
    }

    /// Lets go of what is of no use any more, when an operation has ended or a block has left.
    func shed() {
        guard openCount == 0, active == 0, content != nil || activity != nil else { return }
        if let activity, activity.isUnused, acquiring == nil, !isExclusive { self.activity = nil }
        if content != nil { shedContent() }
    }
}

struct LeaseWaiter {
    var mode: LeaseMode
    /// The chunks that it uses.
    var extent = LeaseExtent.whole
    var deadline: MonotonicInstant
    var run: (Result<Void, FileError>) -> Void
}

/// A lease that the server wants back, down to `mode`, without `names`; `answer` is told what remains.
struct RecallInProgress {
    var begin: MonotonicInstant
    var mode: LeaseMode
    var names: [FileName] = []
    var answer: (LeaseMode) -> Void
    var hasFlushed = false
    /// The kernel has been told once more to drop pages that it had not dropped in time.
    var hasDroppedAgain = false
}

/// What tells a sequential reader from a random one.
struct ReadAheadState {
    /// Where a sequential reader would go on.
    var next: UInt64 = 0
    /// Bytes to have in flight or in the cache ahead of the reader; 0 for a random one.
    var window = 0
    /// What has been asked for already.
    var requestedUpTo: UInt64 = 0
}
