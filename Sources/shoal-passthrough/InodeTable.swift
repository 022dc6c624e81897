import Glibc
import ShoalFUSE
import ShoalTypes
import Synchronization

/// An inode that the kernel knows: an O_PATH descriptor of the file beneath. Its node ID is its address.
final class PassthroughInode: Sendable {
    struct Key: Hashable {
        let device: UInt
        let number: UInt
    }

    let descriptor: CInt
    let key: Key

    init(descriptor: CInt, key: Key) {
        self.descriptor = descriptor
        self.key = key
    }

    deinit { close(descriptor) }

    var id: InodeID { InodeID(UInt64(UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()))) }

    /// A path that opens the file itself.
    var path: String { "/proc/self/fd/\(descriptor)" }
}

/// The inodes that the kernel knows, by device and number, each with its count of lookups.
final class InodeTable: Sendable {
    private struct Entry {
        let inode: PassthroughInode
        var lookups: UInt64
    }

    let root: PassthroughInode
    private let entries = Mutex<[PassthroughInode.Key: Entry]>([:])

    init(root: PassthroughInode) { self.root = root }

    /// The inode with a number that the kernel was given: it is in the table until the kernel forgets it.
    func inode(_ id: InodeID) -> PassthroughInode {
        if id == .root { return root }
        return Unmanaged<PassthroughInode>.fromOpaque(UnsafeRawPointer(bitPattern: UInt(id.rawValue))!)
            .takeUnretainedValue()
    }

    /// Counts a lookup of what `descriptor` (O_PATH, now the table's) refers to.
    func take(_ descriptor: CInt, key: PassthroughInode.Key) -> PassthroughInode {
        let (inode, isKnown) = entries.withLock { entries in
            if let known = entries[key] {
                entries[key]?.lookups += 1
                return (known.inode, true)
            }
            let inode = PassthroughInode(descriptor: descriptor, key: key)
            entries[key] = Entry(inode: inode, lookups: 1)
            return (inode, false)
        }
        if isKnown { close(descriptor) }
        return inode
    }

    func forget(_ id: InodeID, lookups: UInt64) {
        if id == .root { return }
        let key = inode(id).key
        // The last reference goes after the lock: closing the descriptor may take its time.
        let forgotten: PassthroughInode? = entries.withLock { entries in
            guard var entry = entries[key] else { return nil }
            entry.lookups -= lookups
            entries[key] = entry.lookups == 0 ? nil : entry
            return entry.inode
        }
        withExtendedLifetime(forgotten) {}
    }
}
