import ShoalTypes

/// The inodes that the mount remembers, in order of use.
///
/// A hash table of references (8 bytes each, at most three quarters of them in use), because a dictionary that also has the
/// numbers beside them takes two to three times as much.
final class InodeTable {
    /// A power of two, at least a quarter free: a search ends at the first nil. Owns what is in it.
    private var slots: [Unmanaged<Inode>?] = Array(repeating: nil, count: 64)
    private(set) var count = 0
    /// `Inode.kernelLookups` of those that are not remembered.
    private var otherLookups: [InodeID: UInt32] = [:]
    private unowned(unsafe) var newest: Inode?
    private unowned(unsafe) var oldest: Inode?

    deinit {
        for slot in slots { slot?.release() }
    }

    /// As they are now, the longest unused first.
    var all: [Inode] {
        var found: [Inode] = []
        found.reserveCapacity(count)
        var next = oldest
        while let inode = next {
            found.append(inode)
            next = inode.newer
        }
        return found
    }

    func existing(_ id: InodeID) -> Inode? { slots[slot(of: id)]?.takeUnretainedValue() }

    /// The inode, remembered from now on; it becomes the most recently used.
    func inode(_ id: InodeID) -> Inode {
        let slot = slot(of: id)
        if let inode = slots[slot]?.takeUnretainedValue() {
            if newest !== inode {
                unlink(inode)
                link(inode)
            }
            return inode
        }
        let inode = Inode(id: id)
        if !otherLookups.isEmpty { inode.kernelLookups = otherLookups.removeValue(forKey: id) ?? 0 }
        slots[slot] = Unmanaged.passRetained(inode)
        count += 1
        if count * 4 > slots.count * 3 { resize(to: slots.count * 2) }
        link(inode)
        return inode
    }

    func remove(_ inode: Inode) {
        guard inode.isLinked else { return }
        unlink(inode)
        if inode.kernelLookups > 0 { otherLookups[inode.id] = inode.kernelLookups }
        free(slot(of: inode.id))
        count -= 1
        if slots.count > 64, count * 8 < slots.count { resize(to: slots.count / 4) }
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

    // MARK: What the kernel has

    func kernelKnows(_ id: InodeID) -> Bool { existing(id)?.kernelLookups ?? otherLookups[id] ?? 0 > 0 }

    func kernelLearned(_ id: InodeID) { setLookups(of: id) { $0 < .max ? $0 + 1 : .max } }

    /// Those lookups do not count any more.
    func kernelForgot(_ id: InodeID, lookups count: UInt64) {
        setLookups(of: id) { count >= UInt64($0) ? 0 : $0 < .max ? $0 - UInt32(count) : .max }
    }

    private func setLookups(of id: InodeID, _ change: (UInt32) -> UInt32) {
        if let inode = existing(id) {
            inode.kernelLookups = change(inode.kernelLookups)
        } else {
            let lookups = change(otherLookups[id] ?? 0)
            otherLookups[id] = lookups > 0 ? lookups : nil
        }
    }

    // MARK: Slots

    /// Where a search for it begins. Numbers are given one after the other: the high bits of the product spread them.
    private func home(of id: InodeID) -> Int {
        Int(truncatingIfNeeded: (id.rawValue &* 0x9E37_79B9_7F4A_7C15) >> 32) & (slots.count - 1)
    }

    /// The slot that has it, or the free one where it would be put.
    private func slot(of id: InodeID) -> Int {
        var slot = home(of: id)
        while let inode = slots[slot], inode._withUnsafeGuaranteedRef({ $0.id != id }) {
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    /// Empties it, and moves up those behind it that would not be found any more.
    private func free(_ slot: Int) {
        slots[slot]?.release()
        slots[slot] = nil
        let mask = slots.count - 1
        var free = slot
        var next = (slot + 1) & mask
        while let inode = slots[next] {
            let home = home(of: inode._withUnsafeGuaranteedRef { $0.id })
            if (next &- home) & mask >= (next &- free) & mask {
                slots[free] = inode
                slots[next] = nil
                free = next
            }
            next = (next + 1) & mask
        }
    }

    private func resize(to count: Int) {
        let old = slots
        slots = Array(repeating: nil, count: count)
        for inode in old {
            guard let inode else { continue }
            slots[slot(of: inode._withUnsafeGuaranteedRef { $0.id })] = inode
        }
    }

    // MARK: Order of use

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
