import Dispatch
import Glibc
import ShoalFUSE
import ShoalTypes
import Synchronization
import Testing

@Suite("FUSE adapter: open files", .serialized)
struct FileOperationTests {
    @Test("What is written is read back, in requests of up to 1 MiB")
    func contents() throws {
        try MountFixture.with(MemoryFilesystem()) { mount, filesystem in
            let bytes = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            try writeFile(mount["f"], bytes)
            #expect(try readFile(mount["f"]) == bytes)
            let status = try status(of: mount["f"])
            #expect(status.st_size == bytes.count && status.st_blocks == (bytes.count + 511) / 512)
            #expect(filesystem.observed.withLock { $0.largestWrite } == 128 * 1024 * 8)
        }
    }

    @Test("With direct I/O a read of 1 MiB is one request")
    func largeReads() throws {
        try MountFixture.with(DirectFilesystem()) { mount, filesystem in
            let bytes = [UInt8](repeating: 7, count: 2 << 20)
            try writeFile(mount["f"], bytes)
            #expect(try readFile(mount["f"]) == bytes)
            #expect(filesystem.observed.withLock { $0.largestWrite } == 1 << 20)
            // A buffer that does not start with a page needs one more page, and 256 is the most.
            #expect(filesystem.observed.withLock { $0.largestRead } > (1 << 20) - 4096)
        }
    }

    @Test("Open flags arrive: O_TRUNC with the open, O_APPEND with the open and every write, O_EXCL with create")
    func openFlags() throws {
        try MountFixture.with(MemoryFilesystem()) { mount, filesystem in
            let last = { try #require(filesystem.observed.withLock { $0.openFlags.last }) }
            try writeFile(mount["f"], [1, 2, 3], flags: O_WRONLY | O_CREAT | O_EXCL)
            #expect(try last().isExclusive && last().isWritable && !last().isReadable)
            try writeFile(mount["f"], [4], flags: O_RDWR | O_TRUNC)
            #expect(try last().isTruncate && last().isReadable)
            #expect(filesystem.observed.withLock { $0.changes.isEmpty }, "no separate truncation")
            #expect(try readFile(mount["f"]) == [4])
            try writeFile(mount["f"], [5], flags: O_WRONLY | O_APPEND)
            #expect(try last().isAppend)
            #expect(filesystem.observed.withLock { $0.writeFlags.last?.isAppend } == true)
            #expect(try readFile(mount["f"]) == [4, 5])
        }
    }

    @Test("fsync, fdatasync and fsync of a directory arrive; close sends flush, then release")
    func synchronization() throws {
        try MountFixture.with(MemoryFilesystem()) { mount, filesystem in
            let file = try check(open(mount["f"], O_RDWR | O_CREAT | O_CLOEXEC, 0o644))
            try check(fsync(file))
            try check(fdatasync(file))
            try check(close(file))
            let directory = try check(open(mount.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
            try check(fsync(directory))
            try check(close(directory))
            let calls = filesystem.observed.withLock { $0.calls }
            for call in ["fsync", "fdatasync", "synchronizeDirectory", "flush"] { #expect(calls[call] == 1) }
            // Nobody waits for release; it is there before the next answer to us or soon after.
            while filesystem.observed.withLock({ $0.calls["release"] == nil }) { _ = try status(of: mount.path) }
        }
    }

    @Test("The error of flush is the error of close")
    func failingFlush() throws {
        final class Failing: MemoryFilesystem, @unchecked Sendable {
            override func flush(_ inode: InodeID, handle: FuseFileHandle, owner: LockOwner, reply: FuseEmptyReply) {
                reply.error(.noSpace)
            }
        }
        try MountFixture.with(Failing()) { mount, _ in
            let file = try check(open(mount["f"], O_RDWR | O_CREAT | O_CLOEXEC, 0o644))
            #expect(code(of: close(file)) == ENOSPC)
        }
    }

    @Test(
        "Two direct writes to one file are under way at once, whether it was opened or created",
        arguments: [true, false])
    func parallelDirectWrites(isCreated: Bool) throws {
        try MountFixture.with(PairingFilesystem()) { mount, filesystem in
            var file = try check(open(mount["f"], O_RDWR | O_CREAT | O_CLOEXEC, 0o644))
            try check(ftruncate(file, 8192))
            if !isCreated {
                try check(close(file))
                file = try check(open(mount["f"], O_RDWR | O_CLOEXEC))
            }
            defer { close(file) }
            let descriptor = file
            filesystem.pairs.store(true, ordering: .relaxed)
            DispatchQueue.concurrentPerform(iterations: 2) { index in
                let bytes = [UInt8](repeating: UInt8(index + 1), count: 4096)
                #expect(pwrite(descriptor, bytes, 4096, index * 4096) == 4096)
            }
            #expect(try readFile(mount["f"]) == [UInt8](repeating: 1, count: 4096) + [UInt8](repeating: 2, count: 4096))
        }
    }
}

/// Opens files for direct I/O.
class DirectFilesystem: MemoryFilesystem, @unchecked Sendable {
    override var openOptions: FuseOpenOptions { [.directIO, .parallelDirectWrites] }
}

/// Answers a write only when a second one has arrived: a kernel that serialises them would hang.
final class PairingFilesystem: DirectFilesystem, @unchecked Sendable {
    let pairs = Atomic(false)
    private var held: (() -> Void)?

    override func write(
        _ inode: InodeID, handle: FuseFileHandle, offset: UInt64, bytes: UnsafeRawBufferPointer, flags: FuseOpenFlags,
        reply: FuseWriteReply
    ) {
        guard pairs.load(ordering: .relaxed), held == nil else {
            super.write(inode, handle: handle, offset: offset, bytes: bytes, flags: flags, reply: reply)
            held?()
            return
        }
        let copy = Array(bytes)
        held = {
            copy.withUnsafeBytes {
                super.write(inode, handle: handle, offset: offset, bytes: $0, flags: flags, reply: reply)
            }
        }
    }
}
