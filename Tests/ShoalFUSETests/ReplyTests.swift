import Dispatch
import Glibc
import ShoalFUSE
import ShoalTypes
import Synchronization
import Testing
import ShoalTestSupport

@Suite("FUSE adapter: one answer to every request", .serialized)
struct ReplyTests {
    @Test("A request that is dropped without an answer fails with EIO")
    func dropped() throws {
        final class Dropping: MemoryFilesystem, @unchecked Sendable {
            override func makeDirectory(
                _ name: FileName, in parent: InodeID, mode: UInt32, caller: FuseCaller, reply: FuseEntryReply
            ) {}
        }
        try MountFixture.with(Dropping()) { mount, _ in
            #expect(code(of: mkdir(mount["d"], 0o755)) == EIO)
        }
    }

    @Test("A request may be answered later, from another thread")
    func deferred() throws {
        final class Deferring: MemoryFilesystem, @unchecked Sendable {
            override func getAttributes(of inode: InodeID, handle: FuseFileHandle?, reply: FuseAttributesReply) {
                DispatchQueue.global().async {
                    reply.attributes(FileAttributes(inode: inode, mode: FileKind.directory.rawValue | 0o711, size: 99))
                }
            }
        }
        try MountFixture.with(Deferring()) { mount, _ in
            let size = try status(of: mount.path).st_size
            #expect(size == 99)
        }
    }

    @Test("A second answer to one request stops the process")
    func answeredTwice() async throws {
        await #expect(processExitsWith: .signal(SIGILL)) {
            final class Twice: MemoryFilesystem, @unchecked Sendable {
                override func statistics(_ inode: InodeID, reply: FuseStatisticsReply) {
                    reply.error(.noData)
                    reply.error(.noData)
                }
            }
            let path = "/tmp/shoal-fuse-twice-\(getppid())"
            mkdir(path, 0o755)
            let session = try FuseSession(filesystem: Twice(), mountpoint: path, options: FuseMountOptions())
            DispatchQueue.global().async {
                var result = statvfs()
                _ = statvfs(path, &result)
                // The first answer woke us; the trap comes with the second.
                exit(DispatchSemaphore(value: 0).wait(timeout: .now() + .seconds(10)) == .success ? 1 : 0)
            }
            try session.run(threads: 1)
        }
        let path = "/tmp/shoal-fuse-twice-\(getpid())"
        try check(umount2(path, CInt(MNT_DETACH)), "umount")
        try check(rmdir(path), "rmdir")
    }

    @Test("A caller that is killed while it waits is let go, and the filesystem hears of it")
    func interrupted() throws {
        final class Waiting: MemoryFilesystem, @unchecked Sendable {
            let arrived = DispatchSemaphore(value: 0)
            override func makeDirectory(
                _ name: FileName, in parent: InodeID, mode: UInt32, caller: FuseCaller, reply: FuseEntryReply
            ) {
                note()
                reply.request.onInterrupt { [self] in
                    note("interrupted")
                    reply.error(.interrupted)
                }
                arrived.signal()
            }
        }
        try MountFixture.with(Waiting()) { mount, filesystem in
            let words = ["mkdir", mount["d"]]
            var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
            defer { for argument in arguments { free(argument) } }
            var process = pid_t()
            #expect(posix_spawnp(&process, "mkdir", nil, nil, &arguments, environ) == 0)
            #expect(filesystem.arrived.wait(timeout: .now() + .seconds(10)) == .success)
            try check(kill(process, SIGKILL))
            var status: CInt = 0
            try check(waitpid(process, &status, 0))
            #expect(status & 0x7F == SIGKILL)
            #expect(filesystem.observed.withLock { $0.calls["interrupted"] } == 1)
        }
    }
}
