import Glibc

/// symlink(2) and readlink(2).
func symlinkChecks() -> [Check] {
    var laws = CheckList("symlink")
    laws.check("a symlink reads back as it was made, with its target's length as size and mode 0777") { act, see in
        try act.symlink("some/target", "s").succeeds()
        try equal(see.readlink("s"), "some/target", "target")
        let status = try see.lstat("s")
        try equal(status.type, Status.symlink, "type")
        try equal(status.size, 11, "size")
        try equal(status.links, 1, "links")
        try equalMode(status.permissions, 0o777)
    }
    for count in [1, 59, 60, 61, 255, 256, 1023, 1024, 2048, 4094, 4095] {
        laws.check("a target of \(count) bytes reads back") { act, see in
            let target = Bytes(patternOf: count).array.map { $0 == 0 ? UInt8(1) : $0 }
            try act.symlink(Bytes(target), "s").succeeds()
            try equal(see.readlink("s"), Bytes(target), "target")
            try equal(see.lstat("s").size, count, "size")
        }
    }
    laws.check("a target of 4096 bytes is ENAMETOOLONG") { act, see in
        try act.symlink(Bytes(repeating: "x", count: 4096), "s").fails(ENAMETOOLONG)
        try see.isAbsent("s")
    }
    laws.check("an empty target is ENOENT") { act, see in
        try act.symlink("", "s").fails(ENOENT)
        try see.isAbsent("s")
    }
    laws.check("a target may be anything: missing, absolute, itself") { act, see in
        for (name, target) in [("a", "missing"), ("b", "/absolute/missing"), ("c", "c"), ("d", "///")]
            as [(Bytes, Bytes)]
        {
            try act.symlink(target, name).succeeds()
            try equal(see.readlink(name), target, "target")
        }
        try see.stating("a").fails(ENOENT)
        try see.stating("c").fails(ELOOP)
    }
    laws.check("a name that exists is EEXIST") { act, _ in
        try act.file("f")
        try act.mkdir("d").succeeds()
        try act.symlink("missing", "s").succeeds()
        for name in ["f", "d", "s"] as [Bytes] { try act.symlink("x", name).fails(EEXIST) }
    }
    laws.check("without write permission on the directory is EACCES") { act, _ in
        try act.directory("d", 0o755)
        try User.alice.does { try act.symlink("x", "d/s").fails(EACCES) }
    }
    laws.check("a symlink belongs to who made it") { act, see in
        try User.alice.does { try act.symlink("x", "s").succeeds() }
        try equal(see.lstat("s").owner, 2001, "owner")
        try equal(see.lstat("s").group, 2001, "group")
    }
    laws.check("readlink cuts the target at the buffer and adds no NUL") { act, see in
        try act.symlink("abcdef", "s").succeeds()
        var buffer: [UInt8] = [9, 9, 9, 9]
        try see.readlinking("s", &buffer).returns(4)
        try equal(buffer, Array("abcd".utf8), "buffer")
        var long = [UInt8](repeating: 9, count: 10)
        try see.readlinking("s", &long).returns(6)
        try equal(long[6], 9, "byte after the target")
    }
    laws.check("readlink with a buffer of 0 bytes is EINVAL") { act, _ in
        try act.symlink("abcdef", "s").succeeds()
        var buffer: [UInt8] = []
        try act.readlinking("s", &buffer).fails(EINVAL)
    }
    laws.check("readlink of what is no symlink is EINVAL") { act, _ in
        try act.file("f")
        try act.mkdir("d").succeeds()
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        var buffer = [UInt8](repeating: 0, count: 10)
        for name in ["f", "d", "p"] as [Bytes] { try act.readlinking(name, &buffer).fails(EINVAL) }
    }
    laws.check("a relative target starts at the symlink's own directory") { act, see in
        try act.mkdir("d").succeeds()
        try act.file("d/f", "in d")
        try act.file("f", "above")
        try act.symlink("f", "d/s").succeeds()
        try act.symlink("../f", "d/t").succeeds()
        try see.contains("d/s", "in d")
        try see.contains("d/t", "above")
    }
    laws.check("an absolute target is followed from the root") { act, see in
        try act.file("f", "x")
        try act.symlink(act.path("f"), "s").succeeds()
        try see.contains("s", "x")
    }
    laws.check("a symlink to a directory leads into it") { act, see in
        try act.mkdir("d").succeeds()
        try act.symlink("d", "s").succeeds()
        try act.file("s/f", "x")
        try see.contains("d/f", "x")
        try equal(see.names("s"), ["f"], "names")
    }
    laws.check("a symlink keeps leading to the name when its target is replaced") { act, see in
        try act.file("f", "old")
        try act.symlink("f", "s").succeeds()
        try act.file("g", "new")
        try act.rename("g", "f").succeeds()
        try see.contains("s", "new")
    }
    laws.check("a symlink's size and target stay when it is renamed") { act, see in
        try act.symlink("target", "s").succeeds()
        try act.rename("s", "t").succeeds()
        try equal(see.readlink("t"), "target", "target")
        try see.isAbsent("s")
    }
    return laws.checks
}
