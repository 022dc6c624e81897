import ShoalTypes

/// The leases of one session, oldest grant first: which are cold, and which end with the session. Entries whose lease
/// has gone or was granted anew stay until the next compaction; the lease table decides. 16 bytes an entry.
struct LeaseOrder {
    struct Entry {
        let inode: InodeID
        let sequence: LeaseSequence
    }
    private var entries: [Entry] = []
    private var head = 0

    var count: Int { entries.count - head }

    mutating func append(_ inode: InodeID, _ sequence: LeaseSequence) {
        entries.append(Entry(inode: inode, sequence: sequence))
    }

    mutating func popFirst() -> Entry? {
        guard head < entries.count else { return nil }
        defer {
            head += 1
            if head > 1024, head > entries.count / 2 {
                entries.removeFirst(head)
                head = 0
            }
        }
        return entries[head]
    }

    func forEach(_ body: (Entry) -> Void) {
        for entry in entries[head...] { body(entry) }
    }

    /// Drops what no longer stands once that is more than half. Amortised O(1) per `append`.
    mutating func compact(leaseCount: Int, _ stands: (Entry) -> Bool) {
        guard count > 2 * leaseCount + 64 else { return }
        entries = entries[head...].filter(stands)
        head = 0
    }

    mutating func removeAll() { self = LeaseOrder() }
}
