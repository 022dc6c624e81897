import CLinux
import Glibc

private let keepSize = FALLOC_FL_KEEP_SIZE
private let punchHole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
private let zeroRange = FALLOC_FL_ZERO_RANGE

/// fallocate(2).
func allocateChecks() -> [Check] {
    var laws = CheckList("fallocate")
    allocation(&laws)
    holes(&laws)
    refusals(&laws)
    return laws.checks
}

private func allocation(_ laws: inout CheckList) {
    laws.check("the default mode extends the file with zeros") { act, see in
        try act.file("f", "abc")
        try act.open("f").allocate(0, 0, 10000).succeeds()
        try see.contains("f", "abc" + Bytes(zeros: 9997))
    }
    laws.check("the default mode inside the file changes neither size nor content") { act, see in
        try act.file("f", Bytes(patternOf: 20000))
        try act.open("f").allocate(0, 100, 10000).succeeds()
        try see.contains("f", Bytes(patternOf: 20000))
    }
    laws.check("the default mode past the end leaves zeros between") { act, see in
        try act.file("f", "abc")
        try act.open("f").allocate(0, 8192, 100).succeeds()
        try see.contains("f", "abc" + Bytes(zeros: 8289))
    }
    laws.check("KEEP_SIZE past the end keeps the size") { act, see in
        try act.file("f", "abc")
        try act.open("f").allocate(keepSize, 0, 1 << 20).succeeds()
        try equal(see.stat("f").size, 3, "size")
        try see.contains("f", "abc")
    }
    laws.check("bytes kept past the end by KEEP_SIZE read as zeros when the file grows") { act, see in
        let file = try act.create("f")
        try file.write("abc").returns(3)
        try file.allocate(keepSize, 0, 65536).succeeds()
        try file.truncate(65536).succeeds()
        try see.contains("f", "abc" + Bytes(zeros: 65533))
    }
    laws.check("space allocated can be written and read") { act, see in
        let file = try act.create("f")
        try file.allocate(0, 0, 100_000).succeeds()
        try file.pwrite("middle", at: 50_000).returns(6)
        try equal(see.content("f"), Bytes(zeros: 50_000) + "middle" + Bytes(zeros: 49_994), "content")
    }
    laws.check("the default mode changes ctime, and mtime with the size") { act, see in
        let file = try act.create("f")
        let before = try see.stat("f")
        Time.advance()
        try file.allocate(0, 0, 1000).succeeds()
        let after = try see.stat("f")
        try holds(after.changed > before.changed, "a later ctime")
        try holds(after.modified > before.modified, "a later mtime")
    }
    laws.check("the position stays") { act, _ in
        let file = try act.create("f")
        try file.write("abc").returns(3)
        try file.allocate(0, 0, 1000).succeeds()
        try file.seek(0, SEEK_CUR).returns(3)
    }
}

private func holes(_ laws: inout CheckList) {
    for (offset, count) in [
        (4096, 8192), (100, 200), (5000, 20000), (0, 4096), (65535, 65538), (99_000, 1000), (0, 100_000),
    ] {
        laws.check("PUNCH_HOLE of [\(offset), +\(count)) leaves zeros there and nothing else changed") { act, see in
            let content = Bytes(patternOf: 100_000)
            let end = min(offset + count, 100_000)
            try act.file("f", content)
            try act.open("f").allocate(punchHole, offset, count).succeeds()
            try see.contains("f", content[0..<offset] + Bytes(zeros: end - offset) + content[end..<100_000])
        }
        laws.check("ZERO_RANGE of [\(offset), +\(count)) leaves zeros there and nothing else changed") { act, see in
            let content = Bytes(patternOf: 100_000)
            let end = min(offset + count, 100_000)
            try act.file("f", content)
            try act.open("f").allocate(zeroRange | keepSize, offset, count).succeeds()
            try see.contains("f", content[0..<offset] + Bytes(zeros: end - offset) + content[end..<100_000])
        }
    }
    laws.check("PUNCH_HOLE past the end changes nothing") { act, see in
        try act.file("f", "abc")
        try act.open("f").allocate(punchHole, 4096, 8192).succeeds()
        try see.contains("f", "abc")
    }
    laws.check("PUNCH_HOLE gives blocks back") { act, see in
        let file = try act.create("f")
        try file.write(Bytes(patternOf: 4 << 20)).returns(4 << 20)
        try file.sync().succeeds()
        try file.allocate(punchHole, 0, 4 << 20).succeeds()
        try file.sync().succeeds()
        try holds(see.stat("f").blocks <= 64, "at most 64 blocks", came: "\(see.stat("f").blocks)")
    }
    laws.check("a punched hole is found by SEEK_HOLE and SEEK_DATA") { act, see in
        let file = try act.create("f")
        try file.write(Bytes(patternOf: 12 << 20)).returns(12 << 20)
        try file.allocate(punchHole, 4 << 20, 4 << 20).succeeds()
        let reader = try see.open("f", O_RDONLY)
        try reader.seek(0, Linux.seekHole).returns(4 << 20)
        try reader.seek(4 << 20, Linux.seekData).returns(8 << 20)
    }
    laws.check("ZERO_RANGE without KEEP_SIZE extends the file") { act, see in
        try act.file("f", "abc")
        try act.open("f").allocate(zeroRange, 1, 9999).succeeds()
        try see.contains("f", "a" + Bytes(zeros: 9999))
    }
    laws.check("ZERO_RANGE with KEEP_SIZE across the end keeps the size") { act, see in
        try act.file("f", "abcdef")
        try act.open("f").allocate(zeroRange | keepSize, 3, 10000).succeeds()
        try see.contains("f", "abc" + Bytes(zeros: 3))
    }
    laws.check("a punched hole can be written again") { act, see in
        let file = try act.create("f")
        try file.write(Bytes(patternOf: 20000)).returns(20000)
        try file.allocate(punchHole, 0, 20000).succeeds()
        try file.pwrite("back", at: 10000).returns(4)
        try see.contains("f", Bytes(zeros: 10000) + "back" + Bytes(zeros: 9996))
    }
    laws.check("PUNCH_HOLE changes mtime and ctime") { act, see in
        try act.file("f", Bytes(patternOf: 9000))
        let before = try see.stat("f")
        Time.advance()
        try act.open("f").allocate(punchHole, 0, 4096).succeeds()
        let after = try see.stat("f")
        try holds(after.changed > before.changed, "a later ctime")
        try holds(after.modified > before.modified, "a later mtime")
    }
}

private func refusals(_ laws: inout CheckList) {
    laws.check("a length of 0, or a negative offset or length, is EINVAL") { act, _ in
        let file = try act.create("f")
        try file.allocate(0, 0, 0).fails(EINVAL)
        try file.allocate(0, -1, 10).fails(EINVAL)
        try file.allocate(0, 0, -1).fails(EINVAL)
    }
    laws.check("PUNCH_HOLE without KEEP_SIZE is EOPNOTSUPP") { act, _ in
        try act.create("f").allocate(FALLOC_FL_PUNCH_HOLE, 0, 10).fails(EOPNOTSUPP)
    }
    laws.check("an unknown mode is EOPNOTSUPP") { act, _ in
        try act.create("f").allocate(0x4000, 0, 10).fails([EOPNOTSUPP, EINVAL])
    }
    laws.check("a file opened O_RDONLY is EBADF") { act, _ in
        try act.file("f")
        try act.open("f", O_RDONLY).allocate(0, 0, 10).fails(EBADF)
    }
    laws.check("a fifo is ESPIPE") { act, _ in
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        try act.open("p", O_RDWR).allocate(0, 0, 10).fails(ESPIPE)
    }
    laws.check("past the greatest file size is EFBIG") { act, _ in
        try act.create("f").allocate(0, 1 << 61, 4096).fails(EFBIG)
    }
    laws.check("past RLIMIT_FSIZE is EFBIG") { act, see in
        let file = try act.create("f")
        FileSizeLimit.set(1000)
        try file.allocate(0, 0, 1001).fails(EFBIG)
        try equal(see.stat("f").size, 0, "size")
    }
}
