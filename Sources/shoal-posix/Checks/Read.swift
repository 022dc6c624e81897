import CLinux
import Glibc

/// read(2), pread(2), readv(2).
func readChecks() -> [Check] {
    var laws = CheckList("read")
    laws.check("read answers the bytes from the position on and moves it") { act, see in
        try act.file("f", "abcdef")
        let file = try see.open("f", O_RDONLY)
        try equal(file.read(2), "ab", "first two")
        try equal(file.read(2), "cd", "next two")
        try file.seek(0, SEEK_CUR).returns(4)
    }
    laws.check("read at the end of the file answers 0") { act, see in
        try act.file("f", "abc")
        let file = try see.open("f", O_RDONLY)
        try equal(file.read(10), "abc", "content")
        try file.reading(10).returns(0)
    }
    laws.check("read past the end of the file answers 0") { act, see in
        try act.file("f", "abc")
        let file = try see.open("f", O_RDONLY)
        try file.seek(100, SEEK_SET).returns(100)
        try file.reading(10).returns(0)
        try file.preading(10, at: 1 << 40).returns(0)
    }
    laws.check("read across the end of the file answers what there is") { act, see in
        try act.file("f", Bytes(patternOf: 5000))
        try see.open("f", O_RDONLY).preading(4096, at: 4096).returns(904)
    }
    laws.check("read of 0 bytes answers 0 and moves nothing") { act, see in
        try act.file("f", "abc")
        let file = try see.open("f", O_RDONLY)
        try file.reading(0).returns(0)
        try equal(file.read(1), "a", "first byte")
    }
    laws.check("read of a directory is EISDIR") { act, _ in
        try act.mkdir("d").succeeds()
        let directory = try act.open("d", O_RDONLY)
        try directory.reading(10).fails(EISDIR)
        try directory.preading(10, at: 0).fails(EISDIR)
    }
    laws.check("read of a closed descriptor is EBADF") { act, _ in
        let file = try act.create("f")
        try file.close().succeeds()
        try file.reading(1).fails(EBADF)
    }
    laws.check("read into a bad address is EFAULT") { act, see in
        try act.file("f", "abc")
        let file = try see.open("f", O_RDONLY)
        try Outcome("read", systemCall(SYS_read, Int(file.descriptor), 1, 3)).fails(EFAULT)
    }
    laws.check("pread leaves the position alone") { act, see in
        try act.file("f", "abcdef")
        let file = try see.open("f", O_RDONLY)
        try equal(file.pread(2, at: 3), "de", "middle")
        try equal(file.read(1), "a", "first byte")
    }
    laws.check("pread at a negative offset is EINVAL") { act, see in
        try act.file("f", "abc")
        try see.open("f", O_RDONLY).preading(1, at: -1).fails(EINVAL)
    }
    laws.check("pread of a pipe through the filesystem is ESPIPE") { act, _ in
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        try act.open("p", O_RDWR).preading(1, at: 0).fails(ESPIPE)
    }
    laws.check("readv fills its parts in order") { act, see in
        try act.file("f", "abcdefgh")
        let parts = try see.open("f", O_RDONLY).readv([1, 3, 0, 10])
        try equal(parts, ["a", "bcd", "", "efgh"], "parts")
    }
    laws.check("preadv reads at its offset and leaves the position alone") { act, see in
        try act.file("f", "abcdefgh")
        let file = try see.open("f", O_RDONLY)
        try equal(file.readv([2, 2], at: 3), ["de", "fg"], "parts")
        try equal(file.read(1), "a", "first byte")
    }
    laws.check("readv of more parts than IOV_MAX is EINVAL") { act, see in
        try act.file("f", "abc")
        let file = try see.open("f", O_RDONLY)
        var vectors = [iovec](repeating: iovec(iov_base: nil, iov_len: 0), count: 1025)
        try Outcome("readv", systemCall(SYS_readv, Int(file.descriptor), address(&vectors), 1025)).fails(EINVAL)
    }
    laws.check("two descriptors of one file have positions of their own") { act, see in
        try act.file("f", "abcdef")
        let (a, b) = (try act.open("f", O_RDONLY), try see.open("f", O_RDONLY))
        try equal(a.read(3), "abc", "first three")
        try equal(b.read(2), "ab", "first two")
    }
    laws.check("a duplicated descriptor shares the position") { act, see in
        try act.file("f", "abcdef")
        let a = try see.open("f", O_RDONLY)
        let b = File(descriptor: dup(a.descriptor))
        try equal(a.read(3), "abc", "first three")
        try equal(b.read(2), "de", "next two")
    }
    laws.check("a forked process shares the position") { act, see in
        try act.file("f", "abcdef")
        let file = try see.open("f", O_RDONLY)
        try Peer.start { _ in try equal(file.read(3), "abc", "first three") }.end()
        try equal(file.read(2), "de", "next two")
    }
    laws.check("holes read as zeros") { act, see in
        let file = try act.create("f")
        try file.pwrite("end", at: 100_000).returns(3)
        try equal(see.content("f"), Bytes(zeros: 100_000) + "end", "content")
    }
    for count in [1, 511, 4095, 4096, 4097, 131_071, 131_073, 1_048_577] {
        laws.check("a file of \(count) bytes reads back whole and by odd pieces") { act, see in
            let content = Bytes(patternOf: count)
            try act.file("f", content)
            try see.contains("f", content)
            let file = try see.open("f", O_RDONLY)
            var all: [UInt8] = []
            let step = max(count / 7, 1) | 1
            while true {
                let piece = try file.read(step)
                if piece.count == 0 { break }
                all += piece.array
            }
            try equal(Bytes(all), content, "content by pieces of \(step)")
        }
    }
    laws.check("a file opened O_DIRECT is read at every aligned offset") { act, see in
        let content = Bytes(patternOf: 65536)
        try act.file("f", content)
        let file = try see.open("f", O_RDONLY | Linux.direct)
        try equal(aligned(file, 4096, at: 8192), content[8192..<12288], "block")
        try equal(aligned(file, 65536, at: 0), content, "content")
    }
    laws.check("a file opened O_DIRECT with an odd size ends where it ends") { act, see in
        let content = Bytes(patternOf: 5001)
        try act.file("f", content)
        let file = try see.open("f", O_RDONLY | Linux.direct)
        try equal(aligned(file, 8192, at: 0), content, "content")
        try equal(aligned(file, 4096, at: 4096), content[4096..<5001], "tail")
        try equal(aligned(file, 4096, at: 8192), "", "past the end")
    }
    return laws.checks
}

/// pread(2) into memory aligned to a page.
func aligned(_ file: File, _ count: Int, at offset: Int) throws(Verdict) -> Bytes {
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 4096)
    defer { buffer.deallocate() }
    let got = try Outcome(
        "pread of \(count) at \(offset)",
        systemCall(SYS_pread64, Int(file.descriptor), Int(bitPattern: buffer), count, offset)
    ).succeeds()
    return Bytes(Array(UnsafeRawBufferPointer(start: buffer, count: got)))
}
