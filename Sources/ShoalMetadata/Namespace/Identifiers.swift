import ShoalWire

/// The next number of each kind. In memory it is what is given out next; stored it is a ceiling below which everything
/// may have been given out, raised (and synced, so that no loss of power gives a number out twice) before it is passed.
/// Layout after the format byte: inode, data, cookie, session u64.
package struct Identifiers: StoredRecord, Equatable {
    package var inode: UInt64 = 2
    package var data: UInt64 = 1
    package var cookie: UInt64 = 1
    package var session: UInt64 = 1
    package init() {}

    package mutating func code(_ coder: inout WireCoder) {
        coder.integer(&inode)
        coder.integer(&data)
        coder.integer(&cookie)
        coder.integer(&session)
    }

    func exceeds(_ ceiling: Identifiers) -> Bool {
        inode > ceiling.inode || data > ceiling.data || cookie > ceiling.cookie || session > ceiling.session
    }

    func raised(by range: UInt64) -> Identifiers {
        var raised = self
        raised.inode += range
        raised.data += range
        raised.cookie += range
        raised.session += range
        return raised
    }
}
