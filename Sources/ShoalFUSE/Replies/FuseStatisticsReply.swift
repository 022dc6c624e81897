import CFuse3
import Glibc
import ShoalTypes

/// What `df` shows.
package struct FuseStatistics: Hashable, Sendable {
    package var blockBytes: UInt64 = 4096
    package var blocksTotal: UInt64 = 0
    package var blocksFree: UInt64 = 0
    package var inodesTotal: UInt64 = 0
    package var inodesFree: UInt64 = 0
    package init() {}
}

/// The answer to statfs.
package struct FuseStatisticsReply: Sendable {
    package let request: FuseRequest

    package func statistics(_ statistics: FuseStatistics) {
        var out = statvfs()
        out.f_bsize = UInt(statistics.blockBytes)
        out.f_frsize = UInt(statistics.blockBytes)
        out.f_blocks = UInt(statistics.blocksTotal)
        out.f_bfree = UInt(statistics.blocksFree)
        out.f_bavail = UInt(statistics.blocksFree)
        out.f_files = UInt(statistics.inodesTotal)
        out.f_ffree = UInt(statistics.inodesFree)
        out.f_favail = UInt(statistics.inodesFree)
        out.f_namemax = UInt(FileName.bytesMax)
        _ = request.answer { fuse_reply_statfs($0, &out) }
    }

    package func error(_ error: FileError) { request.fail(error) }
}
