import Glibc
import ShoalFUSE
import ShoalTypes
import Synchronization
import Testing
import ShoalTestSupport

@Suite("FUSE adapter: names and attributes", .serialized)
struct NamespaceOperationTests {
    @Test("A directory of 2000 entries is listed whole, each name once, with its dots and the parent's number")
    func listing() throws {
        try MountFixture.with(MemoryFilesystem()) { mount, filesystem in
            try check(mkdir(mount["d"], 0o755))
            try check(mkdir(mount["d/e"], 0o755))
            let names = (0..<2000).map { "entry-\($0)-" + String(repeating: "x", count: $0 % 200) }
            for name in names { try writeFile(mount["d/e/" + name], []) }
            let listed = try list(mount["d/e"])
            #expect(listed.map(\.name) == [".", ".."] + names)
            #expect(listed[0].inode == (try status(of: mount["d/e"]).st_ino))
            #expect(listed[1].inode == (try status(of: mount["d"]).st_ino))
            #expect(filesystem.observed.withLock { $0.calls["readdirplus", default: 0] } > 0)
        }
    }

    @Test("Directories come and go, and errors reach the caller")
    func directories() throws {
        try MountFixture.with(MemoryFilesystem()) { mount, _ in
            try check(mkdir(mount["d"], 0o750))
            #expect(try status(of: mount["d"]).st_mode == S_IFDIR | 0o750)
            #expect(code(of: mkdir(mount["d"], 0o750)) == EEXIST)
            try writeFile(mount["d/f"], [])
            #expect(code(of: rmdir(mount["d"])) == ENOTEMPTY)
            try check(unlink(mount["d/f"]))
            try check(rmdir(mount["d"]))
            #expect(code(of: chdir(mount["d"])) == ENOENT)
        }
    }

    @Test("A name of 255 bytes works, one of 256 is too long")
    func nameLength() throws {
        try MountFixture.with(MemoryFilesystem()) { mount, _ in
            try writeFile(mount[String(repeating: "n", count: 255)], [1])
            #expect(
                code(of: open(mount[String(repeating: "n", count: 256)], O_WRONLY | O_CREAT, 0o644)) == ENAMETOOLONG)
            #expect(code(of: mkdir(mount[String(repeating: "n", count: 256)], 0o755)) == ENAMETOOLONG)
        }
    }

    @Test("Symlinks of up to 4095 bytes, hard links, and what unlink leaves")
    func links() throws {
        try MountFixture.with(MemoryFilesystem()) { mount, _ in
            let target = String(repeating: "t/", count: 2047) + "t"
            try check(symlink(target, mount["s"]))
            var buffer = [CChar](repeating: 0, count: 5000)
            #expect(try check(readlink(mount["s"], &buffer, buffer.count)) == 4095)
            #expect(String(decoding: buffer[..<4095].map { UInt8(bitPattern: $0) }, as: UTF8.self) == target)
            try writeFile(mount["a"], [1, 2])
            try check(link(mount["a"], mount["b"]))
            #expect(try status(of: mount["b"]).st_nlink == 2)
            try check(unlink(mount["a"]))
            #expect(try status(of: mount["b"]).st_nlink == 1)
            #expect(try readFile(mount["b"]) == [1, 2])
        }
    }

    @Test("Rename replaces, refuses to replace, and exchanges")
    func renames() throws {
        try MountFixture.with(MemoryFilesystem()) { mount, filesystem in
            try writeFile(mount["a"], [1])
            try writeFile(mount["b"], [2])
            #expect(code(of: Hidden.renameat2(mount["a"], mount["b"], 1)) == EEXIST)
            try check(Hidden.renameat2(mount["a"], mount["b"], 2))
            #expect(try readFile(mount["a"]) == [2])
            try check(rename(mount["a"], mount["b"]))
            #expect(try readFile(mount["b"]) == [2])
            // The kernel refuses NOREPLACE itself when it sees the target; then the filesystem hears nothing.
            #expect(filesystem.observed.withLock { $0.renames.suffix(2) } == [.exchange, []])
        }
    }

    @Test("mknod makes pipes and devices with their numbers, and the umask has been applied")
    func specialFiles() throws {
        try MountFixture.with(MemoryFilesystem()) { mount, filesystem in
            let before = umask(0o027)
            defer { umask(before) }
            try check(mknod(mount["p"], S_IFIFO | 0o666, 0))
            #expect(try status(of: mount["p"]).st_mode == S_IFIFO | 0o640)
            try check(mknod(mount["c"], S_IFCHR | 0o600, 4 << 8 | 7))
            #expect(try status(of: mount["c"]).st_rdev == 4 << 8 | 7)
            let caller = try #require(filesystem.observed.withLock { $0.callers.last })
            #expect(caller.uid == geteuid() && caller.gid == getegid() && caller.umask == 0o027)
        }
    }

    @Test("chmod, chown, truncate and utimes arrive as what they change, and as nothing else")
    func attributeChanges() throws {
        try MountFixture.with(MemoryFilesystem()) { mount, filesystem in
            try writeFile(mount["f"], [1, 2, 3])
            let change = { try #require(filesystem.observed.withLock { $0.changes.last }) }
            var expected = FuseAttributeChange()
            try check(chmod(mount["f"], 0o4711))
            expected.permissions = 0o4711
            #expect(withoutChangeTime(try change()) == expected)
            #expect(try status(of: mount["f"]).st_mode == S_IFREG | 0o4711)

            try check(chmod(mount["f"], 0o644))
            try check(chown(mount["f"], 12, 34))
            expected = FuseAttributeChange()
            (expected.uid, expected.gid) = (12, 34)
            #expect(withoutChangeTime(try change()) == expected)

            try check(truncate(mount["f"], 2))
            #expect(try change().size == 2)
            #expect(try readFile(mount["f"]) == [1, 2])

            let times = [
                timespec(tv_sec: -5, tv_nsec: 6), timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2 /* UTIME_OMIT */),
            ]
            try check(utimensat(AT_FDCWD, mount["f"], times, 0))
            expected = FuseAttributeChange()
            expected.accessTime = .at(Timestamp(seconds: -5, nanoseconds: 6))
            #expect(withoutChangeTime(try change()) == expected)
            #expect(try status(of: mount["f"]).st_atim.tv_sec == -5)

            try check(utimensat(AT_FDCWD, mount["f"], nil, 0))
            #expect(try change().accessTime == .now && change().modifyTime == .now)
        }
    }

    private func withoutChangeTime(_ change: FuseAttributeChange) -> FuseAttributeChange {
        var change = change
        change.changeTime = nil
        return change
    }

    @Test("statfs shows what the filesystem says")
    func statistics() throws {
        try MountFixture.with(MemoryFilesystem()) { mount, _ in
            var result = statvfs()
            try check(statvfs(mount.path, &result))
            #expect(result.f_blocks == 1000 && result.f_bavail == 600 && result.f_bsize == 4096)
            #expect(result.f_files == 77 && result.f_ffree == 33 && result.f_namemax == 255)
        }
    }

    @Test("Extended attributes are not supported, and the kernel stops asking")
    func extendedAttributes() throws {
        try MountFixture.with(MemoryFilesystem()) { mount, _ in
            try writeFile(mount["f"], [])
            for _ in 0..<2 { #expect(code(of: Hidden.setxattr(mount["f"], "user.a", "b")) == EOPNOTSUPP) }
        }
    }

    @Test("Every lookup that the kernel took is given back")
    func forgetting() throws {
        try MountFixture.with(MemoryFilesystem()) { mount, filesystem in
            for index in 0..<50 { try writeFile(mount["f\(index)"], [1]) }
            for _ in 0..<3 { _ = try list(mount.path) }
            #expect(filesystem.observed.withLock { $0.lookupsHeld.count } == 50)
            try #require(geteuid() == 0, "dropping the kernel's caches needs root")
            for index in 0..<50 { try check(unlink(mount["f\(index)"])) }
            try writeFile("/proc/sys/vm/drop_caches", Array("2".utf8), flags: O_WRONLY)
            // Forgets come in order with other requests, before the answer to this one.
            while filesystem.observed.withLock({ !$0.lookupsHeld.isEmpty }) { _ = try status(of: mount.path) }
        }
    }
}
