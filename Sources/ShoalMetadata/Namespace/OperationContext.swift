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
    /// What foreign writers answered for `LeaseNeed.observe`.
    package var glimpses: [InodeID: GlimpseReply] = [:]
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
        guard !glimpses.isEmpty, let glimpse = glimpses[attributes.inode] else { return attributes }
        var merged = attributes
        merged.size = glimpse.size
        merged.allocatedBytes = glimpse.allocatedBytes
        merged.modifyTime = glimpse.modifyTime
        merged.changeTime = glimpse.changeTime
        if let accessTime = glimpse.accessTime { merged.accessTime = accessTime }
        return merged
    }
}
