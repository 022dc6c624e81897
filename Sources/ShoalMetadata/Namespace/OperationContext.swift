import ShoalTypes
import ShoalWire

/// What an operation is told by the coordinator: the time, and what the leases' holders answered.
package struct OperationContext: Sendable {
    package var session: SessionID
    /// Stamped on what changes.
    package var now: Timestamp
    /// Of files that are created, 16...26.
    package var chunkBytesLog2: UInt8
    /// Inodes named by `LeaseNeed.lastName` that some session, the requester included, may have open: they become
    /// orphans.
    package var inUse: [InodeID] = []
    /// Those of `inUse` that the requester may have open.
    package var inUseByRequester: [InodeID] = []
    /// What foreign writers answered for `LeaseNeed.observe`: one of the whole, or several of parts, of whom one may know
    /// another length than the server, and each may have written last.
    private var glimpses: [InodeID: (reply: GlimpseReply, isWhole: Bool)] = [:]
    /// For `StatFileSystem`: space as users see it.
    package var bytesTotal: UInt64 = 0
    package var bytesFree: UInt64 = 0
    /// For `PrepareUpload`: a fresh sequence.
    package var sequence = LeaseSequence.none

    package init(
        session: SessionID, now: Timestamp, chunkBytesLog2: UInt8 = Geometry.chunkBytesLog2Default
    ) {
        self.session = session
        self.now = now
        self.chunkBytesLog2 = chunkBytesLog2
    }

    /// The attributes as their current writer, if any, sees them.
    func merged(_ attributes: FileAttributes) -> FileAttributes {
        guard !glimpses.isEmpty, let (glimpse, isWhole) = glimpses[attributes.inode] else { return attributes }
        var merged = attributes
        if isWhole {
            merged.size = glimpse.size
            merged.allocatedBytes = glimpse.allocatedBytes
            merged.modifyTime = glimpse.modifyTime
            merged.changeTime = glimpse.changeTime
            if let accessTime = glimpse.accessTime { merged.accessTime = accessTime }
        } else {
            merged.size = max(merged.size, glimpse.size)
            merged.modifyTime = max(merged.modifyTime, glimpse.modifyTime)
            merged.changeTime = max(merged.changeTime, glimpse.changeTime)
        }
        return merged
    }

    /// - Parameter isWhole: The writer has the whole file: what it says is how it is.
    package mutating func note(_ answer: GlimpseReply, of inode: InodeID, isWhole: Bool) {
        guard var known = glimpses[inode]?.reply else { return glimpses[inode] = (answer, isWhole) }
        known.size = max(known.size, answer.size)
        known.modifyTime = max(known.modifyTime, answer.modifyTime)
        known.changeTime = max(known.changeTime, answer.changeTime)
        glimpses[inode] = (known, isWhole)
    }
}
