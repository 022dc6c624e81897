import Glibc

/// truncate(2) and ftruncate(2).
func truncateChecks() -> [Check] {
    var laws = CheckList("truncate")
    for (name, change) in [
        ("truncate", { view, file, size in view.truncate(file, size) }),
        ("ftruncate", { view, file, size in try view.open(file).truncate(size) }),
    ] as [(String, (View, Bytes, Int) throws -> Outcome)] {
        for size in [0, 1, 4095, 4096, 4097, 10000, 131_072] {
            laws.check("\(name) to \(size) keeps what is before and drops the rest") { act, see in
                let content = Bytes(patternOf: 200_000)
                try act.file("f", content)
                try change(act, "f", size).succeeds()
                try equal(see.stat("f").size, size, "size")
                try see.contains("f", content[0..<size])
            }
        }
        for size in [4096, 100_000, 5 << 20] {
            laws.check("\(name) to \(size) extends with zeros") { act, see in
                try act.file("f", "abc")
                try change(act, "f", size).succeeds()
                try see.contains("f", "abc" + Bytes(zeros: size - 3))
            }
        }
        laws.check("\(name) shorter and longer again leaves zeros, not the old bytes") { act, see in
            try act.file("f", Bytes(patternOf: 9000))
            try change(act, "f", 1000).succeeds()
            try change(act, "f", 9000).succeeds()
            try see.contains("f", Bytes(patternOf: 1000) + Bytes(zeros: 8000))
        }
        laws.check("\(name) to 1 TiB makes a sparse file") { act, see in
            try act.file("f", "abc")
            try change(act, "f", 1 << 40).succeeds()
            try equal(see.stat("f").size, 1 << 40, "size")
            try equal(see.open("f", O_RDONLY).pread(4, at: (1 << 40) - 4), Bytes(zeros: 4), "last bytes")
        }
        laws.check("\(name) to a negative size is EINVAL") { act, see in
            try act.file("f", "abc")
            try change(act, "f", -1).fails(EINVAL)
            try equal(see.stat("f").size, 3, "size")
        }
        laws.check("\(name) past the greatest file size is EFBIG") { act, see in
            try act.file("f", "abc")
            try change(act, "f", 1 << 61).fails(EFBIG)
            try equal(see.stat("f").size, 3, "size")
        }
        laws.check("\(name) past RLIMIT_FSIZE is EFBIG") { act, see in
            try act.file("f", "abc")
            FileSizeLimit.set(1000)
            try change(act, "f", 1001).fails(EFBIG)
            try change(act, "f", 1000).succeeds()
            try equal(see.stat("f").size, 1000, "size")
        }
        laws.check("\(name) leaves the positions of open files alone") { act, see in
            try act.file("f", "abcdef")
            let file = try see.open("f")
            try file.seek(4, SEEK_SET).returns(4)
            try change(act, "f", 2).succeeds()
            try file.seek(0, SEEK_CUR).returns(4)
            try file.write("X").returns(1)
            try see.contains("f", "ab" + Bytes([0, 0]) + "X")
        }
    }
    laws.check("truncate of a directory is EISDIR") { act, _ in
        try act.mkdir("d").succeeds()
        try act.truncate("d", 0).fails(EISDIR)
    }
    laws.check("truncate of a fifo is EINVAL") { act, _ in
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        try act.truncate("p", 0).fails(EINVAL)
    }
    laws.check("truncate follows symlinks") { act, see in
        try act.file("f", "abcdef")
        try act.symlink("f", "s").succeeds()
        try act.truncate("s", 2).succeeds()
        try see.contains("f", "ab")
    }
    laws.check("truncate without write permission is EACCES") { act, see in
        try act.file("f", "abc", 0o444)
        try User.alice.does { try act.truncate("f", 0).fails(EACCES) }
        try see.contains("f", "abc")
    }
    laws.check("ftruncate of a file opened O_RDONLY is EINVAL") { act, _ in
        try act.file("f", "abc")
        try act.open("f", O_RDONLY).truncate(0).fails(EINVAL)
    }
    laws.check("ftruncate works by a descriptor whatever the mode is meanwhile") { act, see in
        try User.alice.does {
            let file = try act.create("f", 0o600)
            try file.write("abcdef").returns(6)
            try act.chmod("f", 0).succeeds()
            try file.truncate(3).succeeds()
        }
        try see.contains("f", "abc")
    }
    laws.check("a running program is ETXTBSY") { act, _ in
        let sleeper = try Sleeper.start(act, "p")
        try act.truncate("p", 0).fails(ETXTBSY)
        try sleeper.end()
    }
    laws.check("a reader sees the end move under it") { act, see in
        try act.file("f", Bytes(patternOf: 100_000))
        let reader = try see.open("f", O_RDONLY)
        try equal(reader.pread(10, at: 90_000), Bytes(patternOf: 100_000)[90_000..<90_010], "bytes before")
        try act.truncate("f", 90_005).succeeds()
        try equal(reader.pread(10, at: 90_000), Bytes(patternOf: 100_000)[90_000..<90_005], "bytes after")
        try act.truncate("f", 0).succeeds()
        try equal(reader.pread(10, at: 0), "", "bytes at the end")
    }
    laws.check("truncate gives blocks back") { act, see in
        let file = try act.create("f")
        try file.write(Bytes(patternOf: 1 << 20)).returns(1 << 20)
        try file.sync().succeeds()
        try file.truncate(4096).succeeds()
        try file.sync().succeeds()
        try holds(see.stat("f").blocks <= 64, "at most 64 blocks")
    }
    return laws.checks
}
