import ShoalRPC
import ShoalTypes

/// What is known of the pages that the kernel has of a file's content: for those who opened it to read, and for mappings,
/// splice(2) and sendfile(2).
struct KernelPages {
    enum State {
        case kept
        /// Some are being dropped: what is read of pages meanwhile is held.
        case dropping
        /// They are gone, until the recall is answered.
        case dropped
    }

    /// A read of pages that waits until a drop, and the recall behind it, have ended. The kernel has its pages locked,
    /// and nothing in them.
    struct HeldRead {
        let range: Range<UInt64>
        /// Begins the read anew, with its lease.
        let resume: () -> Void
        /// Serves it under the present lease.
        let serve: () -> Void
    }

    /// What was stored into a page, and waits for the write lease; the kernel has the page locked.
    struct WaitingWrite {
        let offset: UInt64
        let bytes: [UInt8]
        private(set) var completion: (Result<Int, FileError>) -> Void
        private(set) var isPromised = false

        init(offset: UInt64, bytes: [UInt8], completion: @escaping (Result<Int, FileError>) -> Void) {
            self.offset = offset
            self.bytes = bytes
            self.completion = completion
        }

        fileprivate mutating func promise(_ later: @escaping (Result<Int, FileError>) -> Void) {
            completion(.success(bytes.count))
            (completion, isPromised) = (later, true)
        }
    }

    var state = State.kept
    /// Read since they were last dropped: the kernel may have them.
    private(set) var served = RangeSet<UInt64>()
    /// Those that are being dropped.
    var leaving = RangeSet<UInt64>()
    var heldReads: [HeldRead] = []
    /// Reads of pages that wait for a lease. The kernel has those locked, too.
    private var waitingReads: [UInt64: Range<UInt64>] = [:]
    /// Writes of pages that wait for a lease.
    private var waitingWrites: [UInt64: WaitingWrite] = [:]
    private var lastWaiting: UInt64 = 0
    /// Files of this mount that are open for pages.
    var readerCount = 0
    /// Open files through which pages may be changed without a word.
    var storerCount = 0
    /// Files of this mount that are open for writing.
    var writerCount = 0
    /// The kernel may have kept pages that it was told to drop.
    var isUnclean = false
    /// Run when the drop that is under way has ended.
    var afterDrop: [() -> Void] = []

    private static let rangesMax = 64

    /// Beyond 64 runs of pages what lies between them counts as served, too.
    mutating func noteServed(_ pages: RangeSet<UInt64>) {
        served.formUnion(pages)
        guard served.ranges.count > KernelPages.rangesMax else { return }
        served = RangeSet(served.ranges[0].lowerBound..<served.ranges.last!.upperBound)
    }

    mutating func forgetServed() { served = RangeSet() }

    /// The kernel has none, and nobody is about to read or write any.
    var isUnused: Bool {
        state == .kept && served.isEmpty && leaving.isEmpty && readerCount + storerCount + writerCount == 0
            && !isUnclean
            && heldReads.isEmpty && waitingReads.isEmpty && waitingWrites.isEmpty && afterDrop.isEmpty
    }

    /// Whether the kernel may have a page of which `range` is a part.
    func mayHave(_ range: Range<UInt64>) -> Bool {
        guard state == .dropping || !served.isEmpty else { return false }
        let page = UInt64(CacheBlock.pageBytes)
        let pages = RangeSet(range.lowerBound / page * page..<(range.upperBound + page - 1) / page * page)
        return !served.intersection(pages).isEmpty || !leaving.intersection(pages).isEmpty
    }

    /// A read of pages begins to wait for a lease; `endWaiting` follows.
    mutating func beginWaiting(_ range: Range<UInt64>) -> UInt64 {
        lastWaiting += 1
        waitingReads[lastWaiting] = range
        return lastWaiting
    }

    mutating func beginWaiting(_ write: WaitingWrite) -> UInt64 {
        lastWaiting += 1
        waitingWrites[lastWaiting] = write
        return lastWaiting
    }

    /// nil if it has been taken before.
    mutating func takeWrite(_ number: UInt64) -> WaitingWrite? { waitingWrites.removeValue(forKey: number) }

    /// In the order in which they came.
    mutating func takeWaitingWrites() -> [WaitingWrite] {
        defer { waitingWrites = [:] }
        return waitingWrites.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The kernel is told that they are written; what comes of it is told to `completion`.
    mutating func promiseWrites(completion: @escaping (Result<Int, FileError>) -> Void) {
        for number in waitingWrites.keys where waitingWrites[number]?.isPromised == false {
            waitingWrites[number]?.promise(completion)
        }
    }

    mutating func endWaiting(_ number: UInt64) { waitingReads[number] = nil }

    /// All that were served now leave, but for those that the kernel is reading again: it has dropped them itself.
    mutating func beginLeaving() {
        leaving = served
        forgetServed()
        for range in heldReads.map(\.range) + waitingReads.values { leaving.remove(contentsOf: range) }
    }

    /// Takes out the held reads that touch pages which leave.
    mutating func takeReadsInTheWay() -> [HeldRead] {
        let leaving = leaving
        let found = heldReads.filter { !leaving.intersection(RangeSet($0.range)).isEmpty }
        heldReads.removeAll { !leaving.intersection(RangeSet($0.range)).isEmpty }
        return found
    }
}
