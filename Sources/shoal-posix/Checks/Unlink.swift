import Glibc

/// unlink(2), unlinkat(2), and files that live on without a name.
func unlinkChecks() -> [Check] {
    var laws = CheckList("unlink")
    names(&laws)
    openFiles(&laws)
    return laws.checks
}

private func names(_ laws: inout CheckList) {
    for (name, kind) in [
        ("file", Status.regular), ("fifo", Status.fifo), ("socket", Status.socket),
        ("character device", Status.characterDevice), ("block device", Status.blockDevice),
    ] {
        laws.check("unlink removes a \(name)") { act, see in
            try act.mknod("x", kind | 0o644, 0x0101).succeeds()
            try act.unlink("x").succeeds()
            try see.isAbsent("x")
            try act.unlink("x").fails(ENOENT)
        }
    }
    laws.check("unlink removes a symlink and not its target") { act, see in
        try act.file("f", "x")
        try act.symlink("f", "s").succeeds()
        try act.unlink("s").succeeds()
        try see.isAbsent("s")
        try see.contains("f", "x")
    }
    laws.check("a directory is EISDIR") { act, see in
        try act.mkdir("d").succeeds()
        try act.unlink("d").fails(EISDIR)
        try equal(see.stat("d").type, Status.directory, "type")
    }
    laws.check("unlinkat with AT_REMOVEDIR removes a directory, and of a file is ENOTDIR") { act, see in
        try act.mkdir("d").succeeds()
        try act.file("f")
        try act.unlinkat("d", CInt(AT_REMOVEDIR)).succeeds()
        try see.isAbsent("d")
        try act.unlinkat("f", CInt(AT_REMOVEDIR)).fails(ENOTDIR)
    }
    laws.check("unlinkat with unknown flags is EINVAL") { act, see in
        try act.file("f")
        try act.unlinkat("f", 0x4000).fails(EINVAL)
        try equal(see.names(), ["f"], "names")
    }
    laws.check("without write permission on the directory is EACCES") { act, _ in
        try act.directory("d", 0o755)
        try act.file("d/f", "x", 0o666)
        try User.alice.does { try act.unlink("d/f").fails(EACCES) }
    }
    laws.check("needs no permission on the file itself") { act, see in
        try act.directory("d", 0o777)
        try act.file("d/f", "x", 0)
        try User.alice.does { try act.unlink("d/f").succeeds() }
        try see.isAbsent("d/f")
    }
    laws.check("a name is free again after unlink, for a new inode") { act, see in
        try act.file("f", "old")
        let file = try act.open("f")
        try act.unlink("f").succeeds()
        try act.file("f", "new")
        try different(see.stat("f").inode, from: file.stat().inode, "inode")
        try see.contains("f", "new")
        try equal(file.read(9), "old", "content of the open file")
    }
}

private func openFiles(_ laws: inout CheckList) {
    laws.check("an unlinked file that is open is read and written on") { act, see in
        let file = try act.create("f")
        try file.write("content").returns(7)
        try act.unlink("f").succeeds()
        try see.isAbsent("f")
        try equal(file.pread(20, at: 0), "content", "content")
        try file.pwrite("more", at: 7).returns(4)
        try equal(file.pread(20, at: 0), "contentmore", "content")
        try equal(file.stat().size, 11, "size")
        try equal(file.stat().links, 0, "links")
    }
    laws.check("an unlinked file that is open on the other side is read and written on") { act, see in
        try act.file("f", "content")
        let file = try see.open("f")
        try act.unlink("f").succeeds()
        try see.isAbsent("f")
        try equal(file.pread(20, at: 0), "content", "content")
        try file.pwrite("X", at: 0).returns(1)
        try equal(file.pread(20, at: 0), "Xontent", "content")
        try equal(file.stat().links, 0, "links")
    }
    laws.check("an unlinked file that is open takes chmod, chown, truncate, times and fsync") { act, _ in
        let file = try act.create("f")
        try file.write("content").returns(7)
        try act.unlink("f").succeeds()
        try file.chmod(0o600).succeeds()
        try file.chown(2001, 2002).succeeds()
        try file.truncate(3).succeeds()
        try file.setTimes(Time(1000), Time(2000)).succeeds()
        try file.sync().succeeds()
        let status = try file.stat()
        try equalMode(status.permissions, 0o600)
        try equal(status.owner, 2001, "owner")
        try equal(status.size, 3, "size")
        try equal(status.modified, Time(2000), "mtime")
    }
    laws.check("an unlinked file of 5 MiB keeps its content while it is open") { act, _ in
        let content = Bytes(patternOf: 5 << 20)
        let file = try act.create("f")
        try file.write(content).returns(content.count)
        try file.sync().succeeds()
        try act.unlink("f").succeeds()
        try equal(file.pread(content.count, at: 0), content, "content")
    }
    laws.check("a file open twice lives until the second close") { act, see in
        try act.file("f", "content")
        let (a, b) = (try act.open("f"), try see.open("f"))
        try act.unlink("f").succeeds()
        try a.close().succeeds()
        try equal(b.pread(20, at: 0), "content", "content")
    }
    laws.check("an unlinked file is opened again through /proc/self/fd") { act, _ in
        let file = try act.create("f")
        try file.write("content").returns(7)
        try act.unlink("f").succeeds()
        try View.bare.contains("/proc/self/fd/\(file.descriptor)", "content")
    }
    laws.check("a file replaced by rename lives on while it is open") { act, see in
        try act.file("f", "old")
        try act.file("g", "new")
        let file = try see.open("f")
        try act.rename("g", "f").succeeds()
        try equal(file.pread(9, at: 0), "old", "content of the open file")
        try equal(file.stat().links, 0, "links")
        try see.contains("f", "new")
    }
    laws.check("an open file with another name keeps that") { act, see in
        try act.file("f", "x")
        try act.link("f", "g").succeeds()
        let file = try act.open("f")
        try act.unlink("f").succeeds()
        try equal(file.stat().links, 1, "links")
        try file.write("Y").returns(1)
        try see.contains("g", "Y")
    }
    laws.check("the space of an unlinked file comes back after its last close") { act, see in
        let file = try act.create("f")
        try file.write(Bytes(patternOf: 1 << 20)).returns(1 << 20)
        try act.unlink("f").succeeds()
        try file.close().succeeds()
        try equal(see.names(), [], "names")
        try holds(see.statfs().f_bavail > 0, "free blocks")
    }
}
