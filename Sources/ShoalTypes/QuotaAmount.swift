/// Bytes and inodes: what a directory tree holds, or may hold.
package struct QuotaAmount: Hashable, Sendable {
    /// Lengths of regular files.
    package var bytes: UInt64
    /// Files and directories of every kind.
    package var inodes: UInt64

    package init(bytes: UInt64, inodes: UInt64) {
        self.bytes = bytes
        self.inodes = inodes
    }
    package static let zero = QuotaAmount(bytes: 0, inodes: 0)
    /// As a limit: none.
    package static let unlimited = QuotaAmount(bytes: .max, inodes: .max)
}
