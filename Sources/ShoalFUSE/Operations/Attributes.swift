import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addAttributes() {
        getattr = { request, inode, file in
            let reply = FuseAttributesReply(request: FuseRequest(request!))
            reply.request.filesystem.getAttributes(of: InodeID(inode), handle: file?.pointee.handle, reply: reply)
        }
        setattr = { request, inode, attributes, mask, file in
            let reply = FuseAttributesReply(request: FuseRequest(request!))
            let change = FuseAttributeChange(attributes: attributes!.pointee, mask: mask)
            reply.request.filesystem.setAttributes(
                of: InodeID(inode), change, handle: file?.pointee.handle, reply: reply)
        }
    }
}

extension fuse_file_info {
    var handle: FuseFileHandle { FuseFileHandle(fh) }
    var openFlags: FuseOpenFlags { FuseOpenFlags(rawValue: flags) }
}
