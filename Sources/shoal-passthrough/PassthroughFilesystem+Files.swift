import Glibc
import ShoalFUSE
import ShoalTypes

extension PassthroughFilesystem {
    private func options(_ flags: FuseOpenFlags) -> FuseOpenOptions {
        flags.isDirect ? [.directIO, .parallelDirectWrites] : []
    }

    func open(_ inode: InodeID, flags: FuseOpenFlags, reply: FuseOpenReply) {
        do throws(FileError) {
            let path = inodes.inode(inode).path
            let file = try succeed(Glibc.open(path, flags.rawValue & ~O_NOFOLLOW | O_CLOEXEC))
            if !reply.opened(FuseFileHandle(UInt64(file)), options: options(flags)) { close(file) }
        } catch {
            reply.error(error)
        }
    }

    func create(
        _ name: FileName, in parent: InodeID, mode: UInt32, flags: FuseOpenFlags, caller: FuseCaller,
        reply: FuseCreateReply
    ) {
        do throws(FileError) {
            let file = try succeed(
                name.withCString {
                    openat(descriptor(parent), $0, (flags.rawValue | O_CREAT) & ~O_NOFOLLOW | O_CLOEXEC, mode)
                })
            do throws(FileError) {
                let attributes = try look(up: name, in: parent)
                if !reply.created(
                    attributes, FuseFileHandle(UInt64(file)), options: options(flags), timeouts: timeouts)
                {
                    inodes.forget(attributes.inode, lookups: 1)
                    close(file)
                }
            } catch {
                close(file)
                throw error
            }
        } catch {
            reply.error(error)
        }
    }

    func read(
        _ inode: InodeID, handle: FuseFileHandle, offset: UInt64, count: Int, flags: FuseOpenFlags, reply: FuseReadReply
    ) {
        buffers.with { buffer in
            do throws(FileError) {
                let filled = try succeed(pread(CInt(handle.rawValue), buffer.baseAddress, count, off_t(offset)))
                reply.bytes(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
            } catch {
                reply.error(error)
            }
        }
    }

    func write(
        _ inode: InodeID, handle: FuseFileHandle, offset: UInt64, bytes: UnsafeRawBufferPointer, flags: FuseOpenFlags,
        reply: FuseWriteReply
    ) {
        func pass(_ bytes: UnsafeRawBufferPointer) {
            do throws(FileError) {
                reply.written(
                    try succeed(pwrite(CInt(handle.rawValue), bytes.baseAddress, bytes.count, off_t(offset))))
            } catch {
                reply.error(error)
            }
        }
        guard flags.isDirect else { return pass(bytes) }
        // O_DIRECT beneath wants aligned memory.
        buffers.with { buffer in
            buffer.copyMemory(from: bytes)
            pass(UnsafeRawBufferPointer(rebasing: buffer[..<bytes.count]))
        }
    }

    func flush(_ inode: InodeID, handle: FuseFileHandle, owner: LockOwner, reply: FuseEmptyReply) {
        answer(reply) { () throws(FileError) in try succeed(close(dup(CInt(handle.rawValue)))) }
    }

    func release(_ inode: InodeID, handle: FuseFileHandle, flags: FuseOpenFlags, reply: FuseEmptyReply) {
        answer(reply) { () throws(FileError) in try succeed(close(CInt(handle.rawValue))) }
    }

    func synchronize(_ inode: InodeID, handle: FuseFileHandle, dataOnly: Bool, reply: FuseEmptyReply) {
        let file = CInt(handle.rawValue)
        answer(reply) { () throws(FileError) in try succeed(dataOnly ? fdatasync(file) : fsync(file)) }
    }
}
