/// Every bound of the locks that the leader keeps; past each of them a request is answered ENOLCK. A lock takes about
/// 200 bytes here, a waiter about 300.
package struct LockLimits: Sendable {
    /// Spans, over all owners, of one inode and kind: a conflict is looked for among all of them.
    package var locksPerFileMax = 16_384
    /// Spans of one session.
    package var locksPerSessionMax = 131_072
    /// Waiters of one session: each is a blocked thread of that machine.
    package var waitersPerSessionMax = 32_768
    package var waitersMax = 262_144
    /// Owners looked at in search of a circle; a larger one is not found, and its members wait until one gives up.
    package var deadlockOwnersMax = 1024

    package init() {}
    package static let production = LockLimits()
}
