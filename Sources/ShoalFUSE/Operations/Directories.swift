import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addDirectories() {
        opendir = { request, inode, file in
            let reply = FuseOpenReply(request: FuseRequest(request!))
            reply.request.filesystem.openDirectory(InodeID(inode), flags: file!.pointee.openFlags, reply: reply)
        }
        readdir = { request, inode, bytesMax, offset, file in
            readDirectory(request!, inode, bytesMax, offset, file!.pointee.handle, wantsAttributes: false)
        }
        readdirplus = { request, inode, bytesMax, offset, file in
            readDirectory(request!, inode, bytesMax, offset, file!.pointee.handle, wantsAttributes: true)
        }
    }
}

private func readDirectory(
    _ request: fuse_req_t, _ inode: fuse_ino_t, _ bytesMax: Int, _ offset: Int, _ handle: FuseFileHandle,
    wantsAttributes: Bool
) {
    let inode = InodeID(inode)
    let reply = FuseDirectoryReply(
        request: FuseRequest(request), directory: inode, offset: offset, bytesMax: bytesMax,
        wantsAttributes: wantsAttributes)
    reply.request.filesystem.readDirectory(inode, handle: handle, after: reply.cookie, reply: reply)
}
