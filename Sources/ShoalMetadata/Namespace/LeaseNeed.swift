import ShoalTypes

/// What an operation needs of the leases that are out before it may execute. The requester's own leases never stand in
/// the way of `change`.
package enum LeaseNeed: Hashable, Sendable {
    /// Attributes or links of this inode change: every other session's read and write lease goes first.
    case change(InodeID)
    /// These names in this directory change, and so do its attributes: besides, every other session forgets them.
    case changeNames(InodeID, [FileName])
    /// The same where it is not known yet which name: every other session forgets all.
    case changeAnyName(InodeID)
    /// Attributes are shown: a foreign writer is asked for its current size and times (`OperationContext.glimpses`).
    case observe(InodeID)
    /// The last name of this regular file goes: everybody with a lease says whether it is in use
    /// (`OperationContext.inUse`).
    case lastName(InodeID)
}
