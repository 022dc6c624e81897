import CLinux
import Glibc

/// write(2), pwrite(2), writev(2).
func writeChecks() -> [Check] {
    var laws = CheckList("write")
    basics(&laws)
    placement(&laws)
    limits(&laws)
    direct(&laws)
    return laws.checks
}

private func basics(_ laws: inout CheckList) {
    laws.check("write answers the count, moves the position and extends the file") { act, see in
        let file = try act.create("f")
        try file.write("hello").returns(5)
        try file.seek(0, SEEK_CUR).returns(5)
        try equal(see.stat("f").size, 5, "size")
        try see.contains("f", "hello")
    }
    laws.check("write in the middle replaces bytes and keeps the size") { act, see in
        try act.file("f", "abcdef")
        let file = try act.open("f")
        try file.seek(2, SEEK_SET).returns(2)
        try file.write("XY").returns(2)
        try see.contains("f", "abXYef")
    }
    laws.check("write of 0 bytes answers 0 and changes nothing") { act, see in
        try act.file("f", "abc")
        let before = try see.stat("f")
        Time.advance()
        try act.open("f").write("").returns(0)
        try see.contains("f", "abc")
        try equal(see.stat("f").modified, before.modified, "mtime")
    }
    laws.check("pwrite of 0 bytes past the end does not extend the file") { act, see in
        try act.file("f", "abc")
        try act.open("f").pwrite("", at: 100).returns(0)
        try equal(see.stat("f").size, 3, "size")
    }
    laws.check("pwrite leaves the position alone") { act, see in
        let file = try act.create("f")
        try file.pwrite("def", at: 3).returns(3)
        try file.write("abc").returns(3)
        try see.contains("f", "abcdef")
    }
    laws.check("pwrite at a negative offset is EINVAL") { act, _ in
        try act.create("f").pwrite("x", at: -1).fails(EINVAL)
    }
    laws.check("writev writes its parts in order") { act, see in
        try act.create("f").writev(["ab", "", "cde", "f"]).returns(6)
        try see.contains("f", "abcdef")
    }
    laws.check("pwritev writes at its offset and leaves the position alone") { act, see in
        try act.file("f", "abcdefgh")
        let file = try act.open("f")
        try file.writev(["X", "YZ"], at: 4).returns(3)
        try file.seek(0, SEEK_CUR).returns(0)
        try see.contains("f", "abcdXYZh")
    }
    laws.check("write of a closed descriptor is EBADF") { act, _ in
        let file = try act.create("f")
        try file.close().succeeds()
        try file.write("x").fails(EBADF)
    }
    laws.check("write from a bad address is EFAULT and changes nothing") { act, see in
        let file = try act.create("f")
        try Outcome("write", systemCall(SYS_write, Int(file.descriptor), 1, 10)).fails(EFAULT)
        try equal(see.stat("f").size, 0, "size")
    }
    laws.check("writing to a directory is EBADF, as it cannot be opened for writing") { act, _ in
        try act.mkdir("d").succeeds()
        try act.open("d", O_RDONLY).write("x").fails(EBADF)
    }
    laws.check("what was written is read before any sync, by any descriptor") { act, see in
        let (writer, reader) = (try act.create("f"), try see.open("f", O_RDONLY))
        for number in 0..<20 {
            try writer.write("\(number % 10)").returns(1)
            try equal(reader.read(5), "\(number % 10)", "what is new")
        }
    }
    laws.check("a byte is overwritten again and again, and the last one counts") { act, see in
        let file = try act.create("f")
        for number in 0..<50 {
            try file.pwrite("\(number % 10)", at: 0).returns(1)
            try see.contains("f", "\(number % 10)")
        }
    }
}

private func placement(_ laws: inout CheckList) {
    for offset in [1, 4095, 4096, 65535, 131_072, (4 << 20) - 2] {
        laws.check("write at \(offset) of an empty file leaves a hole of zeros before it") { act, see in
            try act.create("f").pwrite("1234", at: offset).returns(4)
            try equal(see.stat("f").size, offset + 4, "size")
            try equal(see.content("f"), Bytes(zeros: offset) + "1234", "content")
        }
    }
    for offset in [(1 << 31) - 2, (1 << 32) - 2, 1 << 33, 1 << 40] {
        laws.check("write at \(offset) is found there") { act, see in
            try act.create("f").pwrite("1234", at: offset).returns(4)
            try equal(see.stat("f").size, offset + 4, "size")
            let file = try see.open("f", O_RDONLY)
            try equal(file.pread(8, at: offset - 2), Bytes([0, 0]) + "1234", "bytes around the offset")
            try equal(file.pread(4, at: 0), Bytes(zeros: 4), "first bytes")
        }
    }
    laws.check("a sparse file takes no blocks for its holes") { act, see in
        let file = try act.create("f")
        try file.pwrite("1234", at: 1 << 30).returns(4)
        try file.sync().succeeds()
        try holds(see.stat("f").blocks < 1 << 14, "fewer than \(1 << 14) blocks")
    }
    laws.check("st_blocks of a full file covers its bytes after fsync") { act, see in
        let file = try act.create("f")
        try file.write(Bytes(patternOf: 1 << 20)).returns(1 << 20)
        try file.sync().succeeds()
        let blocks = try see.stat("f").blocks
        try holds((2048...4096).contains(blocks), "2048 blocks and a few", came: "\(blocks)")
    }
    laws.check("bytes between the old end and a write past it are zeros, whatever was there before") { act, see in
        let file = try act.create("f")
        try file.write(Bytes(patternOf: 10000)).returns(10000)
        try file.truncate(100).succeeds()
        try file.pwrite("x", at: 9000).returns(1)
        try equal(see.content("f"), Bytes(patternOf: 100) + Bytes(zeros: 8900) + "x", "content")
    }
    laws.check("interleaved small writes from two descriptors all arrive") { act, see in
        let (a, b) = (try act.create("f"), try see.open("f"))
        for number in 0..<64 {
            try (number % 2 == 0 ? a : b).pwrite("\(number % 10)", at: number).returns(1)
        }
        let expected = (0..<64).map { "\($0 % 10)" }.joined()
        try see.contains("f", Bytes(expected))
    }
    laws.check("writes of many sizes in any order make the file that they should") { act, see in
        var model = [UInt8](repeating: 0, count: 300_000)
        let file = try act.create("f")
        try file.truncate(model.count).succeeds()
        for step in 0..<40 {
            let offset = (step &* 104_729) % 250_000
            let count = 1 + (step &* step &* 997) % 49_999
            let piece = Bytes(patternOf: count, seed: step)
            try file.pwrite(piece, at: offset).returns(count)
            model.replaceSubrange(offset..<(offset + count), with: piece.array)
        }
        try see.contains("f", Bytes(model))
    }
}

private func limits(_ laws: inout CheckList) {
    laws.check("write past RLIMIT_FSIZE is EFBIG and sends SIGXFSZ") { act, see in
        let file = try act.create("f")
        FileSizeLimit.set(1000)
        try file.pwrite("x", at: 1000).fails(EFBIG)
        try equal(see.stat("f").size, 0, "size")
    }
    laws.check("write across RLIMIT_FSIZE is cut there") { act, see in
        let file = try act.create("f")
        FileSizeLimit.set(1000)
        try file.pwrite(Bytes(patternOf: 100), at: 950).returns(50)
        try equal(see.stat("f").size, 1000, "size")
    }
    laws.check("RLIMIT_FSIZE kills a process that ignores nothing") { act, _ in
        let file = try act.create("f")
        let process = fork()
        if process == 0 {
            FileSizeLimit.set(10, ignoresSignal: false)
            _ = file.pwrite("x", at: 100)
            _exit(0)
        }
        var status: CInt = 0
        waitpid(process, &status, 0)
        try equal(status & 0x7F, SIGXFSZ, "signal")
    }
    laws.check("write at the greatest offset there can be is EFBIG or EINVAL, and harms nothing") { act, see in
        let file = try act.create("f")
        try file.pwrite("x", at: Int.max).fails([EFBIG, EINVAL])
        try file.pwrite("x", at: Int.max - 1).fails([EFBIG, EINVAL])
        try equal(see.stat("f").size, 0, "size")
    }
    laws.check("write past the greatest file size is EFBIG") { act, see in
        let file = try act.create("f")
        try file.pwrite("x", at: 1 << 61).fails(EFBIG)
        try equal(see.stat("f").size, 0, "size")
    }
    laws.check("write to a full pipe that does not block is EAGAIN") { act, _ in
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        let pipe = try act.open("p", O_RDWR | O_NONBLOCK)
        while pipe.write(Bytes(zeros: 4096)).raw > 0 {}
        try pipe.write(Bytes(zeros: 4096)).fails(EAGAIN)
    }
}

private func direct(_ laws: inout CheckList) {
    laws.check("aligned writes to a file opened O_DIRECT are read by others") { act, see in
        let file = try act.open("f", O_RDWR | O_CREAT | Linux.direct)
        for block in 0..<4 { try alignedWrite(file, Bytes(patternOf: 4096, seed: block), at: block * 8192) }
        let content = try see.content("f")
        for block in 0..<4 {
            try equal(content[(block * 8192)..<(block * 8192 + 4096)], Bytes(patternOf: 4096, seed: block), "block")
        }
        try equal(content.count, 3 * 8192 + 4096, "size")
    }
    laws.check("O_DIRECT and buffered writes of one file are one content") { act, see in
        try act.file("f", Bytes(patternOf: 16384))
        let (buffered, direct) = (try act.open("f"), try see.open("f", O_RDWR | Linux.direct))
        try buffered.pwrite("buffered", at: 4100).returns(8)
        try equal(aligned(direct, 4096, at: 4096)[4..<12], "buffered", "through O_DIRECT")
        try alignedWrite(direct, Bytes(repeating: "d", count: 4096), at: 8192)
        try equal(buffered.pread(3, at: 8192), "ddd", "through the buffer")
    }
    laws.check("O_DIRECT with odd sizes and offsets works or is EINVAL, and is never wrong") { act, see in
        try act.file("f", Bytes(patternOf: 8192))
        let file = try act.open("f", O_RDWR | Linux.direct)
        let outcome = file.pwrite("odd", at: 5)
        if outcome.raw < 0 {
            try outcome.fails(EINVAL)
            try see.contains("f", Bytes(patternOf: 8192))
        } else {
            try outcome.returns(3)
            try see.contains("f", Bytes(patternOf: 5) + "odd" + Bytes(patternOf: 8192)[8..<8192])
        }
    }
    laws.check("an O_DIRECT write past the end extends the file by whole blocks of what was written") { act, see in
        let file = try act.open("f", O_RDWR | O_CREAT | Linux.direct)
        try alignedWrite(file, Bytes(patternOf: 4096), at: 1 << 20)
        try equal(see.stat("f").size, (1 << 20) + 4096, "size")
        try equal(see.open("f", O_RDONLY).pread(4096, at: 1 << 20), Bytes(patternOf: 4096), "block")
    }
}

/// pwrite(2) from memory aligned to a page.
private func alignedWrite(_ file: File, _ content: Bytes, at offset: Int) throws(Verdict) {
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: content.count, alignment: 4096)
    defer { buffer.deallocate() }
    buffer.copyMemory(from: content.array, byteCount: content.count)
    try Outcome(
        "pwrite of \(content.count) at \(offset)",
        systemCall(SYS_pwrite64, Int(file.descriptor), Int(bitPattern: buffer), content.count, offset)
    ).returns(content.count)
}
