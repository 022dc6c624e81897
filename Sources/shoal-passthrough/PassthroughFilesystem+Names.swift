import Glibc
import ShoalFUSE
import ShoalTypes

extension PassthroughFilesystem {
    func lookup(_ name: FileName, in parent: InodeID, reply: FuseEntryReply) {
        answer(reply) { () throws(FileError) in try look(up: name, in: parent) }
    }

    func forget(_ inode: InodeID, lookups: UInt64) { inodes.forget(inode, lookups: lookups) }

    func makeNode(
        _ name: FileName, in parent: InodeID, mode: UInt32, device: UInt32, caller: FuseCaller, reply: FuseEntryReply
    ) {
        answer(reply) { () throws(FileError) in
            try succeed(name.withCString { mknodat(descriptor(parent), $0, mode, dev_t(device)) })
            return try look(up: name, in: parent)
        }
    }

    func makeDirectory(
        _ name: FileName, in parent: InodeID, mode: UInt32, caller: FuseCaller, reply: FuseEntryReply
    ) {
        answer(reply) { () throws(FileError) in
            try succeed(name.withCString { mkdirat(descriptor(parent), $0, mode) })
            return try look(up: name, in: parent)
        }
    }

    func makeSymlink(
        _ name: FileName, in parent: InodeID, target: [UInt8], caller: FuseCaller, reply: FuseEntryReply
    ) {
        answer(reply) { () throws(FileError) in
            let target = (target + [0]).map { CChar(bitPattern: $0) }
            try succeed(name.withCString { symlinkat(target, descriptor(parent), $0) })
            return try look(up: name, in: parent)
        }
    }

    func makeLink(to inode: InodeID, _ name: FileName, in parent: InodeID, reply: FuseEntryReply) {
        answer(reply) { () throws(FileError) in
            let source = inodes.inode(inode).path
            try succeed(name.withCString { linkat(AT_FDCWD, source, descriptor(parent), $0, AT_SYMLINK_FOLLOW) })
            return try look(up: name, in: parent)
        }
    }

    func readLink(_ inode: InodeID, reply: FuseLinkTargetReply) {
        do throws(FileError) {
            var buffer = [CChar](repeating: 0, count: Geometry.symlinkBytesMax + 1)
            let count = try succeed(readlinkat(descriptor(inode), "", &buffer, buffer.count))
            reply.target(buffer[..<count].map { UInt8(bitPattern: $0) })
        } catch {
            reply.error(error)
        }
    }

    func unlink(_ name: FileName, in parent: InodeID, reply: FuseEmptyReply) {
        answer(reply) { () throws(FileError) in
            let result: CInt = name.withCString { unlinkat(descriptor(parent), $0, 0) }
            try succeed(result)
        }
    }

    func removeDirectory(_ name: FileName, in parent: InodeID, reply: FuseEmptyReply) {
        answer(reply) { () throws(FileError) in
            let result: CInt = name.withCString { unlinkat(descriptor(parent), $0, AT_REMOVEDIR) }
            try succeed(result)
        }
    }

    func rename(
        _ name: FileName, in parent: InodeID, to newName: FileName, in newParent: InodeID, flags: FuseRenameFlags,
        reply: FuseEmptyReply
    ) {
        answer(reply) { () throws(FileError) in
            guard flags.isEmpty else { throw .invalidArgument }
            try succeed(
                name.withCString { name in
                    newName.withCString { renameat(descriptor(parent), name, descriptor(newParent), $0) }
                })
        }
    }
}
