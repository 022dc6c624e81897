import Glibc

/// copy_file_range(2).
func copyChecks() -> [Check] {
    var laws = CheckList("copy_file_range")
    for (from, to, count) in [(0, 0, 100_000), (1, 0, 50_000), (4096, 8192, 4096), (10, 131_073, 70_000)] {
        laws.check("\(count) bytes from \(from) to \(to) arrive there") { act, see in
            let content = Bytes(patternOf: 100_000)
            try act.file("f", content)
            let target = try act.create("g")
            try copyAll(act.open("f"), from, target, to, count)
            try see.contains("g", Bytes(zeros: to) + content[from..<(from + count)])
            try see.contains("f", content)
        }
    }
    laws.check("across the end of the source it copies what there is") { act, see in
        try act.file("f", "abcdef")
        try act.open("f").copy(4, to: act.create("g"), 0, 100).returns(2)
        try see.contains("g", "ef")
    }
    laws.check("at and past the end of the source it answers 0") { act, see in
        try act.file("f", "abcdef")
        let (source, target) = (try act.open("f"), try act.create("g"))
        try source.copy(6, to: target, 0, 100).returns(0)
        try source.copy(1000, to: target, 0, 100).returns(0)
        try equal(see.stat("g").size, 0, "size")
    }
    laws.check("without offsets it moves both positions") { act, see in
        try act.file("f", "abcdef")
        let (source, target) = (try act.open("f"), try act.create("g"))
        try source.seek(2, SEEK_SET).returns(2)
        try target.write("-").returns(1)
        try source.copy(nil, to: target, nil, 3).returns(3)
        try source.seek(0, SEEK_CUR).returns(5)
        try target.seek(0, SEEK_CUR).returns(4)
        try see.contains("g", "-cde")
    }
    laws.check("with offsets it leaves both positions alone") { act, _ in
        try act.file("f", "abcdef")
        let (source, target) = (try act.open("f"), try act.create("g"))
        try source.copy(1, to: target, 1, 3).returns(3)
        try source.seek(0, SEEK_CUR).returns(0)
        try target.seek(0, SEEK_CUR).returns(0)
    }
    laws.check("within one file, ranges that do not overlap are copied") { act, see in
        try act.file("f", "abcdefgh")
        let file = try act.open("f")
        try file.copy(0, to: file, 4, 4).returns(4)
        try see.contains("f", "abcdabcd")
    }
    laws.check("within one file, ranges that overlap are EINVAL") { act, see in
        try act.file("f", "abcdefgh")
        let file = try act.open("f")
        try file.copy(0, to: file, 2, 4).fails(EINVAL)
        try see.contains("f", "abcdefgh")
    }
    laws.check("a source opened O_WRONLY, or a target opened O_RDONLY, is EBADF") { act, _ in
        try act.file("f", "abc")
        try act.file("g")
        try act.open("f", O_WRONLY).copy(0, to: act.open("g"), 0, 3).fails(EBADF)
        try act.open("f").copy(0, to: act.open("g", O_RDONLY), 0, 3).fails(EBADF)
    }
    laws.check("a target opened O_APPEND is EBADF") { act, _ in
        try act.file("f", "abc")
        try act.open("f").copy(0, to: act.open("g", O_RDWR | O_CREAT | O_APPEND), 0, 3).fails(EBADF)
    }
    laws.check("a directory is EISDIR") { act, _ in
        try act.mkdir("d").succeeds()
        try act.open("d", O_RDONLY).copy(0, to: act.create("g"), 0, 3).fails(EISDIR)
    }
    laws.check("a fifo is EINVAL") { act, _ in
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        try act.open("p", O_RDWR).copy(0, to: act.create("g"), 0, 3).fails([EINVAL, ESPIPE])
    }
    laws.check("the target's mtime moves, the source's does not") { act, see in
        try act.file("f", "abc")
        let target = try act.create("g")
        let before = (try see.stat("f"), try see.stat("g"))
        Time.advance()
        try act.open("f").copy(0, to: target, 0, 3).returns(3)
        try equal(see.stat("f").modified, before.0.modified, "mtime of the source")
        try holds(see.stat("g").modified > before.1.modified, "a later mtime of the target")
    }
    laws.check("10 MiB that were just written are copied as written") { act, see in
        let content = Bytes(patternOf: 10 << 20)
        let (source, target) = (try act.create("f"), try act.create("g"))
        try source.write(content).returns(content.count)
        try copyAll(source, 0, target, 0, content.count)
        try see.contains("g", content)
    }
    laws.check("a copied hole reads as zeros over what was there") { act, see in
        let source = try act.create("f")
        try source.truncate(200_000).succeeds()
        try act.file("g", Bytes(patternOf: 200_000))
        try copyAll(source, 0, act.open("g"), 0, 200_000)
        try see.contains("g", Bytes(zeros: 200_000))
    }
    laws.check("past RLIMIT_FSIZE is EFBIG") { act, _ in
        try act.file("f", "abc")
        let (source, target) = (try act.open("f"), try act.create("g"))
        FileSizeLimit.set(1000)
        try source.copy(0, to: target, 1000, 3).fails(EFBIG)
    }
    return laws.checks
}

/// Until everything is copied: one call may copy less.
private func copyAll(_ source: File, _ from: Int, _ target: File, _ to: Int, _ count: Int) throws(Verdict) {
    var done = 0
    while done < count {
        let copied = try source.copy(from + done, to: target, to + done, count - done).succeeds()
        try holds(copied > 0, "progress at \(done)")
        done += copied
    }
}
