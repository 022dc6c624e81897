import Glibc

/// The flags of an open file, as open(2).
package struct FuseOpenFlags: Hashable, Sendable {
    package let rawValue: CInt
    package init(rawValue: CInt) { self.rawValue = rawValue }

    package var isReadable: Bool { rawValue & O_ACCMODE != O_WRONLY }
    package var isWritable: Bool { rawValue & O_ACCMODE != O_RDONLY }
    /// O_RDWR, which a shared mapping that is written needs.
    package var isReadWrite: Bool { rawValue & O_ACCMODE == O_RDWR }
    package var isAppend: Bool { rawValue & O_APPEND != 0 }
    package var isTruncate: Bool { rawValue & O_TRUNC != 0 }
    package var isExclusive: Bool { rawValue & O_EXCL != 0 }
    package var isDirect: Bool { rawValue & FuseOpenFlags.direct != 0 }
    /// O_SYNC or O_DSYNC: a write returns when it is durable.
    package var isSynchronous: Bool { rawValue & O_DSYNC != 0 }
    /// O_NOATIME, which Glibc shows only with _GNU_SOURCE.
    package var keepsAccessTime: Bool { rawValue & 0o1000000 != 0 }

    /// O_DIRECT, which Glibc shows only with _GNU_SOURCE.
    #if arch(arm64)
        private static let direct: CInt = 0o200000
    #else
        private static let direct: CInt = 0o40000
    #endif
}

/// How to rename, as renameat2(2).
package struct FuseRenameFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    /// RENAME_NOREPLACE
    package static let noReplace = FuseRenameFlags(rawValue: 1)
    /// RENAME_EXCHANGE
    package static let exchange = FuseRenameFlags(rawValue: 2)
}
