import ShoalChunkStore
import ShoalTestSupport

extension SimulatedDisk {
    /// The machine loses power and comes back: what was not synced is kept or lost by chance. `keep` is the share that
    /// is kept.
    package func losePower(keep: Double, using random: inout SeededGenerator) throws(DiskError) {
        var generator = random
        try with { (state) throws(DiskError) in
            for change in state.changes where Double.random(in: 0..<1, using: &generator) < keep {
                Self.apply(change, to: &state.durable)
            }
            state.changes = []
            // What hangs below a lost directory is lost.
            let kept = state.durable
            state.names = kept.filter { path, _ in
                var parent = Self.parent(path)
                while parent.contains("/store") {
                    if kept[parent] == nil { return false }
                    parent = Self.parent(parent)
                }
                return true
            }
            state.durable = state.names
            for path in state.names.keys.sorted() {
                guard case .file(let inode)? = state.names[path] else { continue }
                replay(inode, keep: keep, &generator)
            }
            state.boot += 1
            state.generation += 1
        }
        random = generator
        power.arm(after: nil)
    }

    private func replay(_ inode: Inode, keep: Double, _ random: inout SeededGenerator) {
        for change in inode.changes {
            switch change {
            case .truncate(let length):
                if Double.random(in: 0..<1, using: &random) < keep { SimulatedFile.resize(&inode.durable, to: length) }
            case .write(let offset, let bytes):
                for start in stride(from: 0, to: bytes.count, by: sectorBytes)
                where Double.random(in: 0..<1, using: &random) < keep {
                    SimulatedFile.put(
                        bytes[start..<min(start + sectorBytes, bytes.count)], at: offset + start, in: &inode.durable)
                }
            }
        }
        inode.changes = []
        inode.bytes = inode.durable
    }

    /// The process dies; the machine goes on, and keeps everything.
    package func killProcess() throws(DiskError) {
        try with { (state) throws(DiskError) in state.generation += 1 }
        power.arm(after: nil)
    }

    /// Paths of all chunk files.
    package func chunkFiles() throws(DiskError) -> [String] {
        try with { (state) throws(DiskError) in
            state.names.keys.filter { path in
                guard path.contains("/data/"), case .file? = state.names[path] else { return false }
                return true
            }.sorted()
        }
    }

    /// Damages the disk under a synced byte.
    package func flipBit(_ path: String, byte: Int, bit: Int) throws(DiskError) {
        try with { (state) throws(DiskError) in
            guard case .file(let inode)? = state.names[path] else { return }
            inode.bytes[byte] ^= 1 << UInt8(bit)
            inode.durable[byte] ^= 1 << UInt8(bit)
        }
    }

    package func fail(syncs: Bool) throws(DiskError) {
        try with { (state) throws(DiskError) in state.failsSyncs = syncs }
    }
    package func limit(bytes: Int?) throws(DiskError) {
        try with { (state) throws(DiskError) in state.capacity = bytes }
    }
    package var syncCount: Int {
        get throws(DiskError) { try with { (state) throws(DiskError) in state.syncs } }
    }
    package var usedBytes: Int {
        get throws(DiskError) { try with { (state) throws(DiskError) in Self.used(state) } }
    }
}
