import CFuse3
import Glibc
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addExtendedAttributes() {
        setxattr = { request, inode, name, value, count, flags in
            let reply = FuseEmptyReply(request: FuseRequest(request!))
            reply.request.filesystem.setExtendedAttribute(
                bytes(of: name!), of: InodeID(inode), value: UnsafeRawBufferPointer(start: value, count: count),
                flags: FuseExtendedAttributeFlags(rawValue: flags), reply: reply)
        }
        getxattr = { request, inode, name, count in
            let reply = FuseExtendedAttributeReply(request: FuseRequest(request!), bytesMax: count)
            reply.request.filesystem.getExtendedAttribute(bytes(of: name!), of: InodeID(inode), reply: reply)
        }
        listxattr = { request, inode, count in
            let reply = FuseExtendedAttributeReply(request: FuseRequest(request!), bytesMax: count)
            reply.request.filesystem.listExtendedAttributes(of: InodeID(inode), reply: reply)
        }
        removexattr = { request, inode, name in
            let reply = FuseEmptyReply(request: FuseRequest(request!))
            reply.request.filesystem.removeExtendedAttribute(bytes(of: name!), of: InodeID(inode), reply: reply)
        }
    }
}

private func bytes(of cString: UnsafePointer<CChar>) -> [UInt8] {
    [UInt8](UnsafeRawBufferPointer(start: cString, count: strlen(cString)))
}
