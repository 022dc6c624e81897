import CLinux
import Glibc

/// lseek(2), holes included.
func seekChecks() -> [Check] {
    var laws = CheckList("lseek")
    laws.check("SEEK_SET, SEEK_CUR and SEEK_END answer the new position") { act, _ in
        try act.file("f", "abcdef")
        let file = try act.open("f")
        try file.seek(3, SEEK_SET).returns(3)
        try file.seek(2, SEEK_CUR).returns(5)
        try file.seek(-1, SEEK_CUR).returns(4)
        try file.seek(-2, SEEK_END).returns(4)
        try file.seek(10, SEEK_END).returns(16)
    }
    laws.check("SEEK_END knows what the other has written") { act, see in
        let (writer, reader) = (try act.create("f"), try see.open("f", O_RDONLY))
        try reader.seek(0, SEEK_END).returns(0)
        try writer.write("abc").returns(3)
        try reader.seek(0, SEEK_END).returns(3)
        try writer.truncate(1).succeeds()
        try reader.seek(0, SEEK_END).returns(1)
    }
    laws.check("seeking past the end extends nothing") { act, see in
        let file = try act.create("f")
        try file.seek(1 << 40, SEEK_SET).returns(1 << 40)
        try equal(see.stat("f").size, 0, "size")
    }
    laws.check("a position before the start is EINVAL, and the position stays") { act, _ in
        try act.file("f", "abc")
        let file = try act.open("f")
        try file.seek(2, SEEK_SET).returns(2)
        try file.seek(-1, SEEK_SET).fails(EINVAL)
        try file.seek(-3, SEEK_CUR).fails(EINVAL)
        try file.seek(-4, SEEK_END).fails(EINVAL)
        try file.seek(0, SEEK_CUR).returns(2)
    }
    laws.check("an unknown whence is EINVAL") { act, _ in try act.create("f").seek(0, 99).fails(EINVAL) }
    laws.check("a fifo is ESPIPE") { act, _ in
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        try act.open("p", O_RDWR).seek(0, SEEK_CUR).fails(ESPIPE)
    }
    laws.check("a closed descriptor is EBADF") { act, _ in
        let file = try act.create("f")
        try file.close().succeeds()
        try file.seek(0, SEEK_SET).fails(EBADF)
    }
    laws.check("SEEK_DATA in data answers the offset itself") { act, see in
        try act.file("f", Bytes(patternOf: 10000))
        let file = try see.open("f", O_RDONLY)
        for offset in [0, 1, 5000, 9999] { try file.seek(offset, Linux.seekData).returns(offset) }
    }
    laws.check("SEEK_HOLE of a file without holes answers its end") { act, see in
        try act.file("f", Bytes(patternOf: 10000))
        let file = try see.open("f", O_RDONLY)
        for offset in [0, 1, 9999] { try file.seek(offset, Linux.seekHole).returns(10000) }
    }
    for (name, whence) in [("SEEK_DATA", Linux.seekData), ("SEEK_HOLE", Linux.seekHole)] {
        laws.check("\(name) at or past the end is ENXIO") { act, see in
            try act.file("f", "abc")
            let file = try see.open("f", O_RDONLY)
            try file.seek(3, whence).fails(ENXIO)
            try file.seek(1 << 40, whence).fails(ENXIO)
        }
        laws.check("\(name) of an empty file is ENXIO") { act, see in
            try act.file("f")
            try see.open("f", O_RDONLY).seek(0, whence).fails(ENXIO)
        }
        laws.check("\(name) before the start is ENXIO or EINVAL") { act, see in
            try act.file("f", "abc")
            try see.open("f", O_RDONLY).seek(-1, whence).fails([ENXIO, EINVAL])
        }
    }
    laws.check("SEEK_DATA skips a hole of 8 MiB") { act, see in
        let file = try act.create("f")
        try file.pwrite(Bytes(patternOf: 4096), at: 8 << 20).returns(4096)
        try see.open("f", O_RDONLY).seek(0, Linux.seekData).returns(8 << 20)
    }
    laws.check("SEEK_HOLE finds a hole of 8 MiB between data") { act, see in
        let file = try act.create("f")
        try file.pwrite(Bytes(patternOf: 65536), at: 0).returns(65536)
        try file.pwrite(Bytes(patternOf: 4096), at: 8 << 20).returns(4096)
        let reader = try see.open("f", O_RDONLY)
        try reader.seek(0, Linux.seekHole).returns(65536)
        try reader.seek(65536, Linux.seekData).returns(8 << 20)
        try reader.seek(100_000, Linux.seekHole).returns(100_000)
    }
    laws.check("SEEK_DATA in a hole at the end is ENXIO, and SEEK_HOLE answers the offset") { act, see in
        let file = try act.create("f")
        try file.write(Bytes(patternOf: 4096)).returns(4096)
        try file.truncate(16 << 20).succeeds()
        let reader = try see.open("f", O_RDONLY)
        try reader.seek(8 << 20, Linux.seekData).fails(ENXIO)
        try reader.seek(8 << 20, Linux.seekHole).returns(8 << 20)
    }
    laws.check("walking a sparse file by SEEK_DATA and SEEK_HOLE finds all its data") { act, see in
        let file = try act.create("f")
        let places = [0, 3 << 20, 9 << 20, 40 << 20]
        for place in places { try file.pwrite(Bytes(patternOf: 5000), at: place).returns(5000) }
        let reader = try see.open("f", O_RDONLY)
        var (offset, found) = (0, [Range<Int>]())
        while true {
            let data = reader.seek(offset, Linux.seekData)
            if data.error == ENXIO { break }
            let start = try data.succeeds()
            offset = try reader.seek(start, Linux.seekHole).succeeds()
            try holds(offset > start, "a hole after its data")
            found.append(start..<offset)
        }
        for place in places {
            try holds(
                found.contains { $0.lowerBound <= place && $0.upperBound >= place + 5000 }, "data at \(place)",
                came: "\(found)")
        }
    }
    return laws.checks
}
