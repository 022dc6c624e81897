/// What a session may do with an inode without asking (design section 7). A higher mode includes the lower ones.
package enum LeaseMode: UInt8, Comparable, Sendable {
    case none = 0
    /// "I have this open": nothing cached; an unlinked file lives on.
    case pin = 1
    /// Of a directory: names, and absent names, that were cached under `read` stay true, but for those that the server
    /// says will change. No new ones, and no attributes. Any number of sessions.
    case names = 4
    /// Cache attributes, data, and of a directory names and absent names. Any number of sessions.
    case read = 2
    /// Besides, buffer writes, extend, change size and times. One session, and no other reader.
    case write = 3
    package static func < (lhs: LeaseMode, rhs: LeaseMode) -> Bool { lhs.rank < rhs.rank }

    /// How much it allows. The numbers above are those of the wire.
    private var rank: UInt8 { self == .names ? 3 : 2 * rawValue }
}

/// A lease as it was handed out.
package struct Grant: Hashable, Sendable {
    package var sequence: LeaseSequence
    /// The holder's requests to nodes must carry at least this epoch, so that the nodes learn of fences.
    package var minimumEpoch: Epoch
    package var mode: LeaseMode
    /// The last writer died: chunks from `size` to `reservedSize` may hold bytes nobody acknowledged.
    /// A writer truncates them away on the nodes before it extends the file; a reader never reads past `size`.
    package var tailUnclean: Bool

    package init(
        mode: LeaseMode = .none, sequence: LeaseSequence = .none, minimumEpoch: Epoch = Epoch(0),
        tailUnclean: Bool = false
    ) {
        self.mode = mode
        self.sequence = sequence
        self.minimumEpoch = minimumEpoch
        self.tailUnclean = tailUnclean
    }
    package static let none = Grant()
}
