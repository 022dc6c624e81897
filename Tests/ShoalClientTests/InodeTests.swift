import Glibc
import ShoalRPC
import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalClient

@Suite("What the client remembers of inodes")
struct InodeTests {
    /// What the allocator has set aside for an object, with its own word before it.
    private func bytes(of object: AnyObject) throws -> Int {
        let symbol = try #require(dlsym(nil, "malloc_usable_size"))
        let usableSize = unsafeBitCast(symbol, to: (@convention(c) (UnsafeMutableRawPointer) -> Int).self)
        return usableSize(Unmanaged.passUnretained(object).toOpaque()) + 8
    }

    @Test("An idle inode takes less than 400 bytes, with its name and its place in the tables")
    func bytesOfIdleInode() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let directory = a.inodes.inode(try cluster.create(a, "directory", opens: false))
        let count = 10_000
        var inodes = 0
        for number in 0..<count {
            let id = InodeID(UInt64(1_000_000 + number))
            let attributes = FileAttributes(inode: id, mode: FileKind.regular.rawValue | 0o644, size: 5)
            let inode = a.learn(attributes, Grant(mode: .read, sequence: LeaseSequence(UInt64(10 + number))))
            _ = a.kernelLearns(attributes)
            a.noteShown(id)
            _ = directory.names.set(named("source-file-\(number).c"), to: id)
            directory.kernelNames.show(
                named("source-file-\(number).c"), until: MonotonicInstant(.max), now: MonotonicInstant(0))
            #expect(inode.isIdle && inode.content == nil && inode.directory == nil && inode.activity == nil)
            inodes += try bytes(of: inode)
        }
        // In the table of inodes, of which between three eighths and three quarters are in use.
        let table = MemoryLayout<Unmanaged<Inode>?>.size * 8 / 3
        let names = (directory.names.bytes + directory.kernelNames.bytes) / count
        #expect(inodes / count + names + table <= 400, "\(inodes / count) + \(names) + \(table) bytes")
    }

    @Test("What a file needed while it was used goes when it is out of use")
    func sideObjectsGo() throws {
        let cluster = try Cluster()
        var limits = ClientLimits.production
        limits.cacheBytesMax = 1 << 20
        // It keeps its write lease.
        limits.finishedFilesDelay = .seconds(1000)
        let a = try cluster.client("a", limits: limits)
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        let inode = try #require(a.inodes.existing(file))
        let first = pattern(300_000, 1)
        try cluster.write(a, file, .at(0), first)
        #expect(inode.content != nil)
        try cluster.wait { a.release(file, completion: $0) }
        cluster.scheduler.run(for: .seconds(1))
        #expect(inode.grant.mode == .write && inode.isIdle)
        // Its blocks leave for another file's.
        let other = try cluster.create(a, "g")
        try cluster.write(a, other, .at(0), pattern(1 << 20, 2))
        try cluster.sync(a, other)
        #expect(inode.content == nil && inode.activity == nil && inode.mayHaveForeignUnsynced)
        // Under the same lease it goes on as if nothing had been forgotten.
        let sequence = inode.grant.sequence
        let second = pattern(5000, 3)
        try cluster.open(a, file)
        try cluster.write(a, file, .at(100_000), second)
        try cluster.sync(a, file)
        #expect(inode.grant.sequence == sequence)
        var expected = first
        expected.replaceSubrange(100_000..<105_000, with: second)
        #expect(try cluster.read(b, file) == expected)
        #expect(inode.attributes.allocatedBytes == inode.attributes.denseBytes)
        try cluster.wait { a.release(file, completion: $0) }
    }

    @Test("Past their number the coldest inodes go, whatever is looked at")
    func inodesAreBounded() throws {
        let cluster = try Cluster()
        var limits = ClientLimits.production
        limits.inodesMax = 100
        let a = try cluster.client("a", limits: limits)
        var most = 0
        for number in 0..<1000 {
            _ = try cluster.create(a, "f\(number)", opens: false)
            most = max(most, a.inodes.count)
        }
        #expect(most <= limits.inodesMax + limits.inodesMax / 10)
        #expect(a.inodes.all.count == a.inodes.count)
    }
}
