import ShoalTypes

/// A lease that a session waits for, first come first served.
struct LeaseAcquisition {
    var inode: InodeID
    var mode: LeaseMode
    /// The chunks that it wants to use.
    var extent: LeaseExtent
}

/// What it would be given: what it asked for, or a part of the file that contains that, and leaves others theirs.
struct LeaseOffer: Equatable {
    var inode: InodeID
    var mode: LeaseMode
    var extent: LeaseExtent
}
