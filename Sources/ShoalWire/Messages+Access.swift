import ShoalTypes

/// When a file, directory or symlink was last read.
package struct AccessTime: Hashable, Sendable {
    package var inode: InodeID
    package var time: Timestamp
    /// What the reader took for the access time until then; nil if it did not know: then it is for the server to say
    /// whether the access counts.
    package var previous: Timestamp?
    package init(inode: InodeID, time: Timestamp, previous: Timestamp?) {
        self.inode = inode
        self.time = time
        self.previous = previous
    }
}

/// Sets access times; changes nothing else, and recalls no lease. Inodes that are gone are passed over, and those whose
/// access time is not `previous` any more: another reader was first, or it was set by hand. The reply is empty.
package struct AccessTimesRequest: WireMessage, Equatable {
    package static let entriesMax = 512
    package var caller = Caller()
    package var times: [AccessTime] = []
    package init() {}
    package init(caller: Caller, times: [AccessTime]) {
        self.caller = caller
        self.times = times
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        let blank = AccessTime(inode: InodeID(0), time: Timestamp(), previous: nil)
        coder.list(&times, max: Self.entriesMax, minimumBytes: 21, blank: blank) {
            $0.number(&$1.inode)
            $0.timestamp(&$1.time)
            $0.optional(&$1.previous, blank: Timestamp()) { $0.timestamp(&$1) }
        }
    }
}
