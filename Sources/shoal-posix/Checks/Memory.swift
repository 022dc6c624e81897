import CLinux
import Glibc

/// mmap(2) and msync(2).
func memoryChecks() -> [Check] {
    var laws = CheckList("mmap")
    laws.check("a private mapping shows the file") { act, see in
        let content = Bytes(patternOf: 100_000)
        try act.file("f", content)
        let map = try Mapping(see.open("f", O_RDONLY), 100_000, PROT_READ, MAP_PRIVATE)
        try equal(map.bytes(0..<100_000), content, "content")
    }
    laws.check("a write to a private mapping does not reach the file") { act, see in
        try act.file("f", "content")
        let map = try Mapping(act.open("f", O_RDONLY), 7, PROT_READ | PROT_WRITE, MAP_PRIVATE)
        map.set("CON", at: 0)
        try equal(map.bytes(0..<7), "CONtent", "memory")
        try see.contains("f", "content")
    }
    laws.check("a shared mapping for reading shows the file") { act, see in
        let content = Bytes(patternOf: 50_000)
        try act.file("f", content)
        let map = try Mapping(see.open("f", O_RDONLY), 50_000, PROT_READ)
        try equal(map.bytes(0..<50_000), content, "content")
    }
    laws.check("a write to a shared mapping is in the file after msync") { act, see in
        try act.file("f", Bytes(patternOf: 10_000))
        let map = try Mapping(act.open("f"), 10_000)
        map.set("mapped", at: 5000)
        try map.sync().succeeds()
        try equal(see.content("f")[5000..<5006], "mapped", "bytes")
    }
    laws.check("a write to a shared mapping is in the file after munmap and close") { act, see in
        try act.file("f", Bytes(patternOf: 10_000))
        let file = try act.open("f")
        let map = try Mapping(file, 10_000)
        map.set("mapped", at: 100)
        map.remove()
        try file.close().succeeds()
        try equal(see.content("f")[100..<106], "mapped", "bytes")
    }
    laws.check("a write to a shared mapping is read by the same mount at once") { act, _ in
        try act.file("f", Bytes(patternOf: 10_000))
        let file = try act.open("f")
        let map = try Mapping(file, 10_000)
        map.set("mapped", at: 4090)
        try equal(file.pread(6, at: 4090), "mapped", "bytes by pread")
    }
    laws.check("a write by pwrite is in a shared mapping of the same mount at once") { act, _ in
        try act.file("f", Bytes(patternOf: 10_000))
        let file = try act.open("f")
        let map = try Mapping(file, 10_000)
        try equal(map.bytes(4090..<4096), Bytes(patternOf: 10_000)[4090..<4096], "bytes before")
        try file.pwrite("written", at: 4090).returns(7)
        try equal(map.bytes(4090..<4097), "written", "bytes in memory")
    }
    laws.check("two processes share a mapping") { act, see in
        try act.file("f", Bytes(zeros: 4096))
        let map = try Mapping(act.open("f"), 4096)
        try Peer.start { _ in try Mapping(act.open("f"), 4096).set("shared", at: 0) }.end()
        try equal(map.bytes(0..<6), "shared", "memory")
    }
    laws.check("a mapping outlives the descriptor") { act, see in
        try act.file("f", Bytes(patternOf: 5000))
        let file = try act.open("f")
        let map = try Mapping(file, 5000)
        try file.close().succeeds()
        map.set("late", at: 10)
        try map.sync().succeeds()
        try equal(see.content("f")[10..<14], "late", "bytes")
    }
    laws.check("a mapping outlives the name") { act, _ in
        try act.file("f", Bytes(patternOf: 5000))
        let file = try act.open("f")
        let map = try Mapping(file, 5000, PROT_READ)
        try act.unlink("f").succeeds()
        try file.close().succeeds()
        try equal(map.bytes(0..<5000), Bytes(patternOf: 5000), "memory")
    }
    laws.check("bytes past the end in the last page read as zeros and do not reach the file") { act, see in
        try act.file("f", "abc")
        let map = try Mapping(act.open("f"), 4096)
        try equal(map.bytes(3..<100), Bytes(zeros: 97), "memory past the end")
        map.set("hidden", at: 3)
        try map.sync().succeeds()
        try equal(see.stat("f").size, 3, "size")
        try act.truncate("f", 9).succeeds()
        try see.contains("f", "abc" + Bytes(zeros: 6))
    }
    laws.check("a whole page past the end is SIGBUS") { act, _ in
        try act.file("f", "abc")
        let map = try Mapping(act.open("f"), 8192)
        let process = fork()
        if process == 0 {
            signal(SIGBUS, SIG_DFL)
            _ = map.bytes(5000..<5001)
            _exit(0)
        }
        var status: CInt = 0
        waitpid(process, &status, 0)
        try equal(status & 0x7F, SIGBUS, "signal")
    }
    laws.check("a file that is truncated under a mapping is SIGBUS there, and what stays is readable") { act, see in
        try act.file("f", Bytes(patternOf: 16384))
        let map = try Mapping(act.open("f"), 16384)
        try equal(map.bytes(12000..<12010), Bytes(patternOf: 16384)[12000..<12010], "memory")
        try act.truncate("f", 4096).succeeds()
        try equal(map.bytes(0..<4096), Bytes(patternOf: 4096), "memory")
        let process = fork()
        if process == 0 {
            signal(SIGBUS, SIG_DFL)
            _ = map.bytes(8192..<8193)
            _exit(0)
        }
        var status: CInt = 0
        waitpid(process, &status, 0)
        try equal(status & 0x7F, SIGBUS, "signal")
    }
    laws.check("a shared mapping for writing of a file opened O_RDONLY is EACCES") { act, _ in
        try act.file("f", "abc")
        try Mapping.mapping(act.open("f", O_RDONLY), 3, PROT_READ | PROT_WRITE, MAP_SHARED).fails(EACCES)
    }
    laws.check("any mapping of a file opened O_WRONLY is EACCES") { act, _ in
        try act.file("f", "abc")
        try Mapping.mapping(act.open("f", O_WRONLY), 3, PROT_READ, MAP_SHARED).fails(EACCES)
        try Mapping.mapping(act.open("f", O_WRONLY), 3, PROT_READ, MAP_PRIVATE).fails(EACCES)
    }
    laws.check("a mapping of 0 bytes, or at an odd offset, is EINVAL") { act, _ in
        try act.file("f", Bytes(zeros: 10000))
        let file = try act.open("f")
        try Mapping.mapping(file, 0, PROT_READ, MAP_SHARED).fails(EINVAL)
        try Mapping.mapping(file, 10, PROT_READ, MAP_SHARED, at: 100).fails(EINVAL)
    }
    laws.check("a directory is ENODEV") { act, _ in
        try act.mkdir("d").succeeds()
        try Mapping.mapping(act.open("d", O_RDONLY), 4096, PROT_READ, MAP_SHARED).fails([ENODEV, EACCES])
    }
    laws.check("a mapping at an offset shows the bytes from there") { act, see in
        try act.file("f", Bytes(patternOf: 20_000))
        let map = try Mapping(see.open("f", O_RDONLY), 4096, PROT_READ, MAP_SHARED, at: 8192)
        try equal(map.bytes(0..<4096), Bytes(patternOf: 20_000)[8192..<12288], "memory")
    }
    laws.check("msync moves mtime and ctime of what was written through a mapping") { act, see in
        try act.file("f", Bytes(patternOf: 5000))
        let map = try Mapping(act.open("f"), 5000)
        let before = try see.stat("f")
        Time.advance()
        map.set("mapped", at: 0)
        try map.sync().succeeds()
        try holds(see.stat("f").modified > before.modified, "a later mtime")
        try holds(see.stat("f").changed > before.changed, "a later ctime")
    }
    laws.check("holes are mapped as zeros, and written through the mapping") { act, see in
        let file = try act.create("f")
        try file.truncate(1 << 20).succeeds()
        let map = try Mapping(file, 1 << 20)
        try equal(map.bytes(500_000..<500_100), Bytes(zeros: 100), "memory")
        map.set("in the hole", at: 600_000)
        try map.sync().succeeds()
        try equal(see.content("f")[600_000..<600_011], "in the hole", "bytes")
    }
    laws.check("a write from a mapping of the same file works") { act, see in
        try act.file("f", Bytes(patternOf: 65536))
        let file = try act.open("f")
        let map = try Mapping(file, 65536, PROT_READ)
        let written = systemCall(
            SYS_pwrite64, Int(file.descriptor), Int(bitPattern: map.memory.baseAddress!), 32768, 32768)
        try Outcome("pwrite from the mapping", written).returns(32768)
        try equal(see.content("f")[32768..<65536], Bytes(patternOf: 65536)[0..<32768], "bytes")
    }
    return laws.checks
}
