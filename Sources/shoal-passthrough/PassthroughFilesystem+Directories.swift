import Glibc
import ShoalFUSE
import ShoalTypes

extension PassthroughFilesystem {
    func openDirectory(_ inode: InodeID, flags: FuseOpenFlags, reply: FuseOpenReply) {
        do throws(FileError) {
            let stream = Unmanaged.passRetained(try DirectoryStream(descriptor: descriptor(inode)))
            let handle = FuseFileHandle(UInt64(UInt(bitPattern: stream.toOpaque())))
            if !reply.opened(handle) { stream.release() }
        } catch {
            reply.error(error)
        }
    }

    private func stream(_ handle: FuseFileHandle) -> Unmanaged<DirectoryStream> {
        Unmanaged.fromOpaque(UnsafeRawPointer(bitPattern: UInt(handle.rawValue))!)
    }

    func readDirectory(
        _ inode: InodeID, handle: FuseFileHandle, after cookie: FuseDirectoryCookie, reply: FuseDirectoryReply
    ) {
        let stream = stream(handle).takeUnretainedValue()
        var taken: [InodeID] = []
        do throws(FileError) {
            reply.addDots(parent: nil)
            try stream.seek(to: cookie)
            while let entry = try stream.next() {
                guard try add(entry, to: reply, next: stream.position, in: inode, taken: &taken) else {
                    stream.putBack(entry)
                    break
                }
            }
            if !reply.finish() { for inode in taken { inodes.forget(inode, lookups: 1) } }
        } catch {
            for inode in taken { inodes.forget(inode, lookups: 1) }
            reply.error(error)
        }
    }

    /// - Returns: false if it did not fit.
    private func add(
        _ entry: DirectoryStream.Entry, to reply: FuseDirectoryReply, next: FuseDirectoryCookie, in parent: InodeID,
        taken: inout [InodeID]
    ) throws(FileError) -> Bool {
        guard reply.wantsAttributes else { return reply.add(entry.name, entry.inode, entry.kind, next: next) }
        let attributes: FileAttributes
        do throws(FileError) {
            attributes = try look(up: entry.name, in: parent)
        } catch .notFound {
            return true  // Removed since.
        }
        let isAdded = reply.add(entry.name, attributes, next: next, timeouts: timeouts)
        if isAdded { taken.append(attributes.inode) } else { inodes.forget(attributes.inode, lookups: 1) }
        return isAdded
    }

    func releaseDirectory(_ inode: InodeID, handle: FuseFileHandle, reply: FuseEmptyReply) {
        stream(handle).release()
        reply.done()
    }

    func synchronizeDirectory(_ inode: InodeID, handle: FuseFileHandle, dataOnly: Bool, reply: FuseEmptyReply) {
        let directory = stream(handle).takeUnretainedValue().descriptor
        answer(reply) { () throws(FileError) in try succeed(dataOnly ? fdatasync(directory) : fsync(directory)) }
    }
}
