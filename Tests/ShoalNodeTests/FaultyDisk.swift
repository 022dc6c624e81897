import Glibc
import ShoalChunkStore
import Synchronization

/// The real disk, until told to be full or to fail its syncs.
final class FaultyDisk: Disk {
    private let real = PosixDisk()
    private let faults = Mutex((isFull: false, failsSync: false))

    func fill() { faults.withLock { $0.isFull = true } }
    func failSyncs() { faults.withLock { $0.failsSync = true } }
    fileprivate var failsSync: Bool { faults.withLock { $0.failsSync } }

    func open(_ path: String, create: Bool) throws(DiskError) -> any DiskFile {
        FaultyFile(real: try real.open(path, create: create), disk: self)
    }
    func makeDirectory(_ path: String) throws(DiskError) { try real.makeDirectory(path) }
    func syncDirectory(_ path: String) throws(DiskError) { try real.syncDirectory(path) }
    func unlink(_ path: String) throws(DiskError) { try real.unlink(path) }
    func rename(_ path: String, to target: String) throws(DiskError) { try real.rename(path, to: target) }
    func list(_ directory: String) throws(DiskError) -> [String] { try real.list(directory) }
    func bootID() throws(DiskError) -> String { try real.bootID() }
    func space(_ directory: String) throws(DiskError) -> DiskSpace {
        var space = try real.space(directory)
        if faults.withLock({ $0.isFull }) { space.bytesFree = 0 }
        return space
    }
}

private final class FaultyFile: DiskFile {
    private let real: any DiskFile
    private let disk: FaultyDisk
    init(real: any DiskFile, disk: FaultyDisk) {
        self.real = real
        self.disk = disk
    }
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int {
        try real.read(at: offset, into: buffer)
    }
    func write(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(DiskError) { try real.write(at: offset, bytes) }
    func truncate(to length: Int) throws(DiskError) { try real.truncate(to: length) }
    func punch(at offset: Int, count: Int) throws(DiskError) { try real.punch(at: offset, count: count) }
    func length() throws(DiskError) -> Int { try real.length() }
    func startWriting() { real.startWriting() }
    func sync() throws(DiskError) {
        if disk.failsSync { throw DiskError(errno: EIO, operation: "fdatasync", path: "a chunk") }
        try real.sync()
    }
}
