import ShoalTypes

/// Under the write lease, after the nodes hold the bytes: the file's size and times. Also raises or lowers the
/// reservation, which must be raised (and answered) before bytes past it are sent to any node. Reply: `EntryReply`.
package struct CommitWriteRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var inode = InodeID(0)
    package var sequence = LeaseSequence.none
    package var size: UInt64 = 0
    package var reservedSize: UInt64 = 0
    /// What the file takes on one replica of each of its chunks, in bytes.
    package var allocatedBytes: UInt64 = 0
    /// What the caller cannot do without of `reservedSize`: in a quota tree it is given little more than that. The reply
    /// says how much.
    package var neededSize: UInt64 = 0
    package var modifyTime = Timestamp()
    package var changeTime = Timestamp()
    /// Only if it was set by hand.
    package var accessTime: Timestamp?
    package init() {}
    package init(caller: Caller, _ commit: WriteCommit) {
        self.caller = caller
        inode = commit.inode
        sequence = commit.sequence
        size = commit.size
        reservedSize = commit.reservedSize
        allocatedBytes = commit.allocatedBytes
        neededSize = commit.neededSize
        modifyTime = commit.modifyTime
        changeTime = commit.changeTime
        accessTime = commit.accessTime
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&inode)
        coder.number(&sequence)
        coder.integer(&size)
        coder.integer(&reservedSize)
        coder.allocatedBytes(&allocatedBytes)
        coder.integer(&neededSize)
        coder.timestamp(&modifyTime)
        coder.timestamp(&changeTime)
        coder.optional(&accessTime, blank: Timestamp()) { $0.timestamp(&$1) }
    }
}

/// One file of a `CommitWritesRequest`; the fields are those of `CommitWriteRequest`.
package struct WriteCommit: Hashable, Sendable {
    package var inode = InodeID(0)
    package var sequence = LeaseSequence.none
    package var size: UInt64 = 0
    package var reservedSize: UInt64 = 0
    /// What the file takes on one replica of each of its chunks, in bytes.
    package var allocatedBytes: UInt64 = 0
    package var neededSize: UInt64 = 0
    package var modifyTime = Timestamp()
    package var changeTime = Timestamp()
    package var accessTime: Timestamp?
    package init() {}
}

/// `commitWrite` for many files in one message and one batch of the store. It needs no number among the session's
/// changes: under one lease sequence a file has at most one commit under way, and to carry out the same one twice
/// changes nothing. Each file succeeds or fails by itself. Reply: `CommitWritesReply`.
package struct CommitWritesRequest: WireMessage, Equatable {
    package static let commitsMax = 256
    package var caller = Caller()
    package var commits: [WriteCommit] = []
    package init() {}
    package init(caller: Caller, commits: [WriteCommit]) {
        self.caller = caller
        self.commits = commits
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.list(&commits, max: Self.commitsMax, minimumBytes: 73, blank: WriteCommit()) { coder, commit in
            coder.number(&commit.inode)
            coder.number(&commit.sequence)
            coder.integer(&commit.size)
            coder.integer(&commit.reservedSize)
            coder.allocatedBytes(&commit.allocatedBytes)
            coder.integer(&commit.neededSize)
            coder.timestamp(&commit.modifyTime)
            coder.timestamp(&commit.changeTime)
            coder.optional(&commit.accessTime, blank: Timestamp()) { $0.timestamp(&$1) }
        }
    }
}

/// What became of each file, in the order of the request.
package struct CommitWritesReply: WireMessage, Equatable {
    package struct Outcome: Hashable, Sendable {
        package var status: WireStatus
        /// The content's ID now: after a truncation to zero the first reservation gives it one. `.none` on failure.
        package var data: DataID
        /// What is reserved now: in a quota tree it may be less than was asked for. 0 on failure.
        package var reservedSize: UInt64
        package init(status: WireStatus, data: DataID = .none, reservedSize: UInt64 = 0) {
            self.status = status
            self.data = data
            self.reservedSize = reservedSize
        }
    }
    package var outcomes: [Outcome] = []
    package init() {}
    package init(outcomes: [Outcome]) { self.outcomes = outcomes }
    package mutating func code(_ coder: inout WireCoder) {
        coder.list(
            &outcomes, max: CommitWritesRequest.commitsMax, minimumBytes: 18, blank: Outcome(status: .ok)
        ) { coder, outcome in
            var status = outcome.status.rawValue
            coder.integer(&status)
            outcome.status = WireStatus(rawValue: status)
            coder.number(&outcome.data)
            coder.integer(&outcome.reservedSize)
        }
    }
}
