/// Every bound of the namespace.
package struct NamespaceLimits: Sendable {
    /// Decoded inodes kept in memory; about 250 bytes each.
    package var inodesCachedMax: Int
    /// Decoded dentries kept in memory; about 200 bytes each.
    package var dentriesCachedMax: Int
    /// Numbers of each kind reserved at once. Reserving costs one synced commit; a restart skips what is left.
    package var identifierRange: UInt64
    /// Directories with a quota; all of them are kept in memory, about 150 bytes each.
    package var quotasMax = 10_000

    package static let production = NamespaceLimits(
        inodesCachedMax: 262_144, dentriesCachedMax: 262_144, identifierRange: 65_536)
    package static let simulation = NamespaceLimits(inodesCachedMax: 8, dentriesCachedMax: 8, identifierRange: 4)

    package init(inodesCachedMax: Int, dentriesCachedMax: Int, identifierRange: UInt64) {
        self.inodesCachedMax = inodesCachedMax
        self.dentriesCachedMax = dentriesCachedMax
        self.identifierRange = identifierRange
    }
}
