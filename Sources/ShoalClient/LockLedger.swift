import ShoalTypes
import ShoalWire

/// What the processes of this mount have locked, as the server has confirmed it, and what they have asked for. Closing
/// a file asks the server for nothing if its owner has no entry here.
struct LockLedger {
    struct Owner {
        var spans = LockSpans()
        var process: UInt32 = 0
        /// Not yet answered or queued, in order: one is under way at a time, so that a retry never overtakes.
        var calls: [LockCall] = []
        /// Waiting in the server's queue.
        var queuedCount = 0
        /// The open files through which it asked.
        var files: Set<OpenFileID> = []
        var isIdle: Bool { spans.isEmpty && calls.isEmpty && queuedCount == 0 }
    }
    private(set) var owners: [LockTarget: Owner] = [:]
    private var targetsOfFile: [OpenFileID: Set<LockTarget>] = [:]
    /// By ticket: in the server's queue.
    var queued: [UInt64: LockCall] = [:]
    /// Files whose locks ended with an expired session, until they are closed.
    var lostFiles: Set<OpenFileID> = []
    private var lastTicket: UInt64 = 0

    mutating func nextTicket() -> UInt64 {
        lastTicket += 1
        return lastTicket
    }

    /// Changes an owner's entry, which goes when it is idle.
    mutating func update<Value>(_ target: LockTarget, _ body: (inout Owner) -> Value) -> Value {
        var owner = owners[target] ?? Owner()
        let before = owner.files
        let value = body(&owner)
        if owner.isIdle { owner.files = [] }
        for file in owner.files.subtracting(before) { targetsOfFile[file, default: []].insert(target) }
        for file in before.subtracting(owner.files) {
            targetsOfFile[file]?.remove(target)
            if targetsOfFile[file]?.isEmpty == true { targetsOfFile[file] = nil }
        }
        owners[target] = owner.isIdle ? nil : owner
        return value
    }

    /// Those that asked through this file, in a fixed order.
    func targets(of file: OpenFileID) -> [LockTarget] {
        (targetsOfFile[file] ?? []).sorted { ($0.kind, $0.owner) < ($1.kind, $1.owner) }
    }

    /// Everything that waits to be sent, or is under way, by arrival.
    var calls: [LockCall] { owners.values.flatMap(\.calls).sorted { $0.ticket < $1.ticket } }
}
