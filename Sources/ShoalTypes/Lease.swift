/// What a session may do with an inode without asking (design section 7). A higher mode includes the lower ones.
package enum LeaseMode: UInt8, Comparable, Sendable {
    case none = 0
    /// "I have this open": nothing cached; an unlinked file lives on.
    case pin = 1
    /// Of a directory: names, and absent names, that were cached under `read` stay true, but for those that the server
    /// says will change. No new ones, and no attributes. Any number of sessions.
    case names = 4
    /// Of a regular file: of the chunks of an extent, what `write` allows of all of it; of attributes nothing. Any number of
    /// sessions, whose extents do not overlap, and no reader or writer of the whole.
    case part = 5
    /// Cache attributes, data, and of a directory names and absent names. Any number of sessions.
    case read = 2
    /// Besides, buffer writes, extend, change size and times. One session, and no other reader.
    case write = 3
    package static func < (lhs: LeaseMode, rhs: LeaseMode) -> Bool { lhs.rank < rhs.rank }

    /// Writes may be buffered under it.
    package var allowsWriting: Bool { self == .write || self == .part }

    /// How much it allows. The numbers above are those of the wire.
    private var rank: UInt8 {
        switch self {
        case .none: 0
        case .pin: 1
        case .names: 2
        case .part: 3
        case .read: 4
        case .write: 5
        }
    }
}

/// A lease as it was handed out.
package struct Grant: Hashable, Sendable {
    package var sequence: LeaseSequence
    /// The holder's requests to nodes must carry at least this epoch, so that the nodes learn of fences.
    package var minimumEpoch: Epoch
    package var mode: LeaseMode
    /// The last writer died: chunks from `size` to `reservedSize` may hold bytes nobody acknowledged.
    /// A writer truncates them away on the nodes before it extends the file; a reader never reads past `size`. What the file
    /// takes has to be counted anew.
    package var tailUnclean: Bool
    /// Of `.part`; else whole.
    package var extent: LeaseExtent

    package init(
        mode: LeaseMode = .none, sequence: LeaseSequence = .none, minimumEpoch: Epoch = Epoch(0),
        tailUnclean: Bool = false, extent: LeaseExtent = .whole
    ) {
        self.mode = mode
        self.sequence = sequence
        self.minimumEpoch = minimumEpoch
        self.tailUnclean = tailUnclean
        self.extent = extent
    }

    /// Whether it covers a use of these chunks that needs `wanted`. Of the whole file a part never does, however far it goes.
    package func allows(_ wanted: LeaseMode, of chunks: LeaseExtent = .whole) -> Bool {
        if mode == .part, wanted >= .read { return chunks != .whole && extent.contains(chunks) }
        return mode >= wanted
    }
    package static let none = Grant()
}
