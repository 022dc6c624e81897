import ShoalTypes
import ShoalWire

/// What the mount knows of one inode, and what is under way on it. Everything in here is true only while the lease
/// stands: `names` under `names`, `attributes` and `blocks` under `read`, dirty pages under `write`.
final class Inode {
    let id: InodeID
    var attributes: FileAttributes { didSet { kernelSize.mayBecome(attributes.size) } }
    var grant = Grant.none
    /// The server changed the attributes on our behalf: the lease stands, but they must be asked for again.
    var attributesAreOld = false
    /// Open descriptors of this mount.
    var openCount = 0
    /// When the kernel was last told of it.
    var shownAt: MonotonicInstant?
    /// Unlinked while open here: the server keeps it for our pin.
    var isOrphan = false

    // Leases.
    /// The recall that is being obeyed: operations that start now wait for the next lease.
    var recall: RecallInProgress?
    /// Operations that wait for a lease, with the mode they need.
    var waiters: [LeaseWaiter] = []
    /// The mode that has been asked for and not been answered.
    var acquiring: LeaseMode?
    /// Operations that run under the lease; a recall is answered when none is left.
    var active = 0
    /// Renames under way that may bring it into a quota tree.
    var movesInFlight = 0
    /// Operations that will need the inode, and wait for another first.
    var awaited = 0
    /// One operation has the inode to itself.
    var isExclusive = false
    /// That operation, until the others that were under way have ended.
    var exclusiveWaiter: (() -> Void)?
    /// Counts losses of the lease: what was fetched before one is not cached after it.
    var generation: UInt64 = 0

    var pages = KernelPages()
    var kernelAttributes = KernelAttributes()
    var kernelSize = KernelSize()

    // Extended attributes.
    /// All of them, if they have been asked for under this lease.
    var extendedAttributes: ExtendedAttributeSet?
    /// Changes of them that this mount has sent and not heard of.
    var extendedAttributeChanges = 0

    // Content.
    var blocks: [UInt64: CacheBlock] = [:]
    /// Blocks with dirty pages, ascending when flushed.
    var dirtyBlocks: Set<UInt64> = []
    /// Blocks being written to the nodes.
    var flushesInFlight = 0
    /// Bytes `..<reservedSize` may be sent to nodes; the server knows this bound.
    var reservedSize: UInt64 = 0
    /// The server gave nothing past the end of the file when it was asked last: a quota is full, or the file as long as
    /// any can be.
    var hasNoRoomPastEnd = false
    /// The size that the server has.
    var serverSize: UInt64 = 0
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
    /// What the chunks take, under the write lease.
    var ledger = BlockLedger()
    /// A node is being asked what chunks take that are about to be written.
    var isLearningBlocks = false
    /// Chunks that this mount wrote and has not synced.
    var unsyncedChunks: Set<UInt32> = []
    /// Another mount may have written and not synced: the next fsync asks every node.
    var mayHaveForeignUnsynced = true
    /// Numbers the writes to this file's chunks.
    var chunkVersion: UInt64 = 0
    /// Told whenever a flush or a commit ends.
    var flushWaiters: [() -> Void] = []
    var hasFlushTimer = false

    // Read-ahead.
    var readAhead = ReadAheadState()

    // Directories.
    /// Known entries: the inode, or nil for a name known to be absent.
    var names: [FileName: InodeID?] = [:]
    /// Every entry is in `names`: what is not there does not exist.
    var namesAreComplete = false
    /// Where a listing that started at the beginning under this lease has come to.
    var listingCookie: UInt64 = 0

    var kernelNames = KernelNames()
    var kernelListing = KernelListing()

    // The table's list, in order of use.
    var newer: Inode?
    unowned(unsafe) var older: Inode?
    var isLinked = false

    init(id: InodeID) {
        self.id = id
        attributes = FileAttributes(inode: id)
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
    var isHeldUp: Bool { recall != nil || isExclusive }
    /// What tells the server that the lease is given back whole.
    var returnedLease: HeldLease { HeldLease(inode: id, mode: .none, sequence: grant.sequence) }
    var isDirectory: Bool { attributes.kind == .directory }
    var isDirty: Bool { !dirtyBlocks.isEmpty || flushesInFlight > 0 || needsCommit || isCommitting }
    /// It is idle, and the kernel has nothing that must be known of.
    var mayBeForgotten: Bool { isIdle && pages.served.isEmpty && !pages.isUnclean }
    /// Nothing would be lost if the mount forgot it and gave its lease back.
    var isIdle: Bool {
        openCount == 0 && extendedAttributeChanges == 0 && !isDirty && active == 0 && awaited == 0 && movesInFlight == 0
            && waiters.isEmpty && recall == nil && acquiring == nil && !isOrphan
            && !kernelAttributes.areLeaving && pages.state == .kept && kernelListing.openCount == 0
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
