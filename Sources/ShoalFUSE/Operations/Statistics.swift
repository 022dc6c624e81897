import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addStatistics() {
        statfs = { request, inode in
            let reply = FuseStatisticsReply(request: FuseRequest(request!))
            reply.request.filesystem.statistics(InodeID(inode), reply: reply)
        }
    }
}
