import ShoalTypes

/// The inodes that the mount remembers, in order of use.
final class InodeTable {
    private var inodes: [InodeID: Inode] = [:]
    private unowned(unsafe) var newest: Inode?
    private unowned(unsafe) var oldest: Inode?

    var count: Int { inodes.count }
    var all: Dictionary<InodeID, Inode>.Values { inodes.values }

    func existing(_ id: InodeID) -> Inode? { inodes[id] }

    /// The inode, remembered from now on; it becomes the most recently used.
    func inode(_ id: InodeID) -> Inode {
        if let inode = inodes[id] {
            if newest !== inode {
                unlink(inode)
                link(inode)
            }
            return inode
        }
        let inode = Inode(id: id)
        inodes[id] = inode
        link(inode)
        return inode
    }

    func remove(_ inode: Inode) {
        guard inode.isLinked else { return }
        unlink(inode)
        inodes.removeValue(forKey: inode.id)
    }

    /// The `count` least recently used that are idle and `mayGo`, looking at no more than four times as many.
    func coldest(_ count: Int, mayGo: (Inode) -> Bool) -> [Inode] {
        var found: [Inode] = []
        var candidate = oldest
        var looked = 0
        while let inode = candidate, found.count < count, looked < 4 * count {
            if inode.isIdle, mayGo(inode) { found.append(inode) }
            candidate = inode.newer
            looked += 1
        }
        return found
    }

    private func link(_ inode: Inode) {
        inode.newer = nil
        inode.older = newest
        newest?.newer = inode
        newest = inode
        if oldest == nil { oldest = inode }
        inode.isLinked = true
    }

    private func unlink(_ inode: Inode) {
        guard inode.isLinked else { return }
        if let newer = inode.newer { newer.older = inode.older } else { newest = inode.older }
        if let older = inode.older { older.newer = inode.newer } else { oldest = inode.newer }
        inode.newer = nil
        inode.older = nil
        inode.isLinked = false
    }
}
