import Glibc
import ShoalChunkStore
import Synchronization

/// A filesystem in memory that loses what was not synced. At a loss of power, each unsynced sector of each write, each
/// unsynced change of a length and each unsynced name is kept or lost by chance.
package final class SimulatedDisk: Disk {
    package enum Name {
        case directory
        case file(Inode)
    }
    package final class Inode {
        enum Change {
            case write(offset: Int, bytes: [UInt8])
            case truncate(Int)
        }
        var bytes: [UInt8] = []
        var durable: [UInt8] = []
        var changes: [Change] = []
    }
    package enum NameChange {
        case add(String, Name)
        case remove(String)
        case rename(String, String, Name)
    }
    package struct State {
        var names: [String: Name] = [:]
        var durable: [String: Name] = [:]
        var changes: [NameChange] = []
        var boot = 1
        /// Handles of an earlier boot are dead.
        var generation = 0
        var capacity: Int?
        var failsSyncs = false
        var syncs = 0
    }
    // Inodes are reached under this lock only.
    struct Box: @unchecked Sendable { var state = State() }
    private let box = Mutex(Box())
    package let power: Power
    /// What one torn write is torn into.
    package let sectorBytes: Int

    package init(power: Power = Power(), sectorBytes: Int = 512) {
        self.power = power
        self.sectorBytes = sectorBytes
    }

    package func with<Result>(_ body: (inout State) throws(DiskError) -> Result) throws(DiskError) -> Result {
        try box.withLock { (box) throws(DiskError) in UncheckedResult(value: try body(&box.state)) }.value
    }
    private struct UncheckedResult<Value>: @unchecked Sendable { var value: Value }

    private func change<Result>(
        _ operation: String, _ path: String, _ body: (inout State) throws(DiskError) -> Result
    ) throws(DiskError) -> Result {
        guard power.spend() else { throw DiskError(errno: EIO, operation: "\(operation) without power", path: path) }
        return try with(body)
    }

    private func parentExists(_ path: String, _ state: State) -> Bool {
        let parent = Self.parent(path)
        return !parent.contains("/store") || state.names[parent] != nil
    }
    package static func parent(_ path: String) -> String {
        let parent = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        return parent.isEmpty ? "/" : String(parent)
    }

    package func open(_ path: String, create: Bool) throws(DiskError) -> any DiskFile {
        try change("open", path) { (state) throws(DiskError) in
            if case .file(let inode)? = state.names[path] {
                if create { throw DiskError(errno: EEXIST, operation: "open", path: path) }
                return SimulatedFile(disk: self, inode: inode, path: path, generation: state.generation)
            }
            guard create, self.parentExists(path, state) else {
                throw DiskError(errno: ENOENT, operation: "open", path: path)
            }
            let inode = Inode()
            state.names[path] = .file(inode)
            state.changes.append(.add(path, .file(inode)))
            return SimulatedFile(disk: self, inode: inode, path: path, generation: state.generation)
        }
    }

    package func makeDirectory(_ path: String) throws(DiskError) {
        try change("mkdir", path) { (state) throws(DiskError) in
            if state.names[path] != nil { return }
            state.names[path] = .directory
            state.changes.append(.add(path, .directory))
        }
    }

    package func syncDirectory(_ path: String) throws(DiskError) {
        try change("fsync", path) { (state) throws(DiskError) in
            if state.failsSyncs { throw DiskError(errno: EIO, operation: "fsync", path: path) }
            var rest: [NameChange] = []
            for change in state.changes {
                switch change {
                case .add(let name, _), .remove(let name), .rename(_, let name, _):
                    if Self.parent(name) == path { Self.apply(change, to: &state.durable) } else { rest.append(change) }
                }
            }
            state.changes = rest
        }
    }

    static func apply(_ change: NameChange, to names: inout [String: Name]) {
        switch change {
        case .add(let path, let name): names[path] = name
        case .remove(let path): names[path] = nil
        case .rename(let old, let new, let name):
            names[old] = nil
            names[new] = name
        }
    }

    package func unlink(_ path: String) throws(DiskError) {
        try change("unlink", path) { (state) throws(DiskError) in
            guard state.names[path] != nil else { return }
            state.names[path] = nil
            state.changes.append(.remove(path))
        }
    }

    package func rename(_ path: String, to target: String) throws(DiskError) {
        try change("rename", path) { (state) throws(DiskError) in
            guard let name = state.names[path] else { throw DiskError(errno: ENOENT, operation: "rename", path: path) }
            state.names[path] = nil
            state.names[target] = name
            state.changes.append(.rename(path, target, name))
        }
    }

    package func list(_ directory: String) throws(DiskError) -> [String] {
        try with { (state) throws(DiskError) in
            state.names.keys.filter { Self.parent($0) == directory }.map { String($0.dropFirst(directory.count + 1)) }
                .sorted()
        }
    }

    package func space(_ directory: String) throws(DiskError) -> DiskSpace {
        try with { (state) throws(DiskError) in
            guard let capacity = state.capacity else { return DiskSpace(bytesTotal: 1 << 40, bytesFree: 1 << 40) }
            return DiskSpace(bytesTotal: UInt64(capacity), bytesFree: UInt64(max(0, capacity - Self.used(state))))
        }
    }

    static func used(_ state: State) -> Int {
        state.names.values.reduce(0) { sum, name in
            if case .file(let inode) = name { sum + inode.bytes.count } else { sum }
        }
    }

    package func bootID() throws(DiskError) -> String { try with { (state) throws(DiskError) in "boot-\(state.boot)" } }
}

package final class SimulatedFile: DiskFile, @unchecked Sendable {
    // The inode is reached under the disk's lock only.
    private let disk: SimulatedDisk
    private let inode: SimulatedDisk.Inode
    private let path: String
    private let generation: Int

    package init(disk: SimulatedDisk, inode: SimulatedDisk.Inode, path: String, generation: Int) {
        self.disk = disk
        self.inode = inode
        self.path = path
        self.generation = generation
    }

    private func change<Result>(
        _ operation: String, _ body: (inout SimulatedDisk.State) throws(DiskError) -> Result
    ) throws(DiskError) -> Result {
        let dead = DiskError(errno: EIO, operation: "\(operation) without power", path: path)
        guard disk.power.spend() else { throw dead }
        return try disk.with { (state) throws(DiskError) in
            guard state.generation == self.generation else { throw dead }
            return try body(&state)
        }
    }

    package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int {
        try disk.with { (_) throws(DiskError) in
            let count = max(0, min(buffer.count, inode.bytes.count - offset))
            if count > 0 {
                inode.bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[offset..<offset + count])) }
            }
            return count
        }
    }

    package func write(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        try change("pwrite") { (state) throws(DiskError) in
            let growth = max(0, offset + bytes.count - inode.bytes.count)
            if let capacity = state.capacity, growth > capacity - SimulatedDisk.used(state) {
                // A full disk takes a part of the write.
                let part = bytes.count / 2 / 512 * 512
                apply(offset, UnsafeRawBufferPointer(rebasing: bytes[..<part]))
                throw DiskError(errno: ENOSPC, operation: "pwrite", path: path)
            }
            apply(offset, bytes)
        }
    }

    private func apply(_ offset: Int, _ bytes: UnsafeRawBufferPointer) {
        let bytes = [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
            count = bytes.count
        }
        Self.put(bytes[...], at: offset, in: &inode.bytes)
        inode.changes.append(.write(offset: offset, bytes: bytes))
    }

    static func put(_ bytes: ArraySlice<UInt8>, at offset: Int, in target: inout [UInt8]) {
        if bytes.isEmpty { return }
        resize(&target, to: max(target.count, offset + bytes.count))
        target.withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + bytes.count]).copyMemory(from: $0)
            }
        }
    }

    static func resize(_ target: inout [UInt8], to length: Int) {
        if target.count < length {
            // In a debug build this is a hundred times faster than appending zeros.
            let old = target
            target = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
                memset(buffer.baseAddress!, 0, length)
                old.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
                count = length
            }
        } else {
            target.removeLast(target.count - length)
        }
    }

    package func truncate(to length: Int) throws(DiskError) {
        try change("ftruncate") { (_) throws(DiskError) in
            Self.resize(&inode.bytes, to: length)
            inode.changes.append(.truncate(length))
        }
    }

    package func punch(at offset: Int, count: Int) throws(DiskError) {
        try change("fallocate") { (_) throws(DiskError) in
            let zeros = [UInt8](repeating: 0, count: min(count, max(0, inode.bytes.count - offset)))
            zeros.withUnsafeBytes { apply(offset, $0) }
        }
    }

    package func length() throws(DiskError) -> Int { try disk.with { (_) throws(DiskError) in inode.bytes.count } }

    package func startWriting() {}

    package func sync() throws(DiskError) {
        try change("fdatasync") { (state) throws(DiskError) in
            state.syncs += 1
            if state.failsSyncs { throw DiskError(errno: EIO, operation: "fdatasync", path: path) }
            inode.durable = inode.bytes
            inode.changes = []
        }
    }
}
