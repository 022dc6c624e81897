import CLinux
import Glibc

/// stat(2), statx(2), inode numbers and statvfs(3).
func statChecks() -> [Check] {
    var laws = CheckList("stat")
    attributes(&laws)
    inodes(&laws)
    filesystem(&laws)
    return laws.checks
}

private func attributes(_ laws: inout CheckList) {
    laws.check("stat by name and by descriptor agree") { act, see in
        let file = try act.create("f", 0o640)
        try file.write(Bytes(patternOf: 5000)).returns(5000)
        try file.sync().succeeds()
        let (a, b) = (try file.stat(), try see.stat("f"))
        try equal(a.inode, b.inode, "inode")
        try equalMode(a.mode, b.mode)
        try equal(a.size, b.size, "size")
        try equal(a.blocks, b.blocks, "blocks")
        try equal(a.modified, b.modified, "mtime")
        try equal(a.changed, b.changed, "ctime")
    }
    laws.check("stat follows a symlink, lstat does not") { act, see in
        try act.file("f", "abc")
        try act.symlink("f", "s").succeeds()
        try equal(see.stat("s").size, 3, "size")
        try equal(see.stat("s").inode, see.stat("f").inode, "inode")
        try equal(see.lstat("s").type, Status.symlink, "type")
    }
    laws.check("stat needs no permission on the file") { act, see in
        try act.file("f", "abc", 0)
        try User.alice.does { try equal(see.stat("f").size, 3, "size") }
    }
    laws.check("everything in a directory is on its device") { act, see in
        try act.file("f")
        try act.mkdir("d").succeeds()
        let device = try see.stat("").device
        try equal(see.stat("f").device, device, "device of a file")
        try equal(see.stat("d").device, device, "device of a directory")
    }
    laws.check("the size after every write is what was written") { act, see in
        let file = try act.create("f")
        for count in 1...64 {
            try file.write("x").returns(1)
            try equal(see.stat("f").size, count, "size")
            try equal(file.stat().size, count, "size by descriptor")
        }
    }
    laws.check("st_blksize is a power of two of at least 512") { act, see in
        try act.file("f")
        let size = try see.stat("f").blockSize
        try holds(size >= 512 && size & (size - 1) == 0, "a power of two", came: "\(size)")
    }
    laws.check("statx with unknown flags, or with a reserved mask bit, is EINVAL") { act, _ in
        try act.file("f")
        var raw = statx()
        try act.call("statx", "f") {
            systemCall(SYS_statx, Linux.currentDirectory, $0, 0x10_0000, 0, address(&raw))
        }.fails(EINVAL)
        try act.call("statx", "f") {
            systemCall(SYS_statx, Linux.currentDirectory, $0, 0, Int(0x8000_0000), address(&raw))
        }.fails(EINVAL)
    }
    laws.check("statx answers at least the basic fields") { act, see in
        try act.file("f")
        var raw = statx()
        try see.call("statx", "f") { Status.get(Linux.currentDirectory, $0, 0, into: &raw) }.succeeds()
        try equal(raw.stx_mask & UInt32(STATX_BASIC_STATS), UInt32(STATX_BASIC_STATS), "mask")
    }
    laws.check("fstat of a closed descriptor is EBADF") { act, _ in
        let file = try act.create("f")
        try file.close().succeeds()
        var raw = statx()
        let empty: [UInt8] = [0]
        let result = empty.withUnsafeBufferPointer {
            Status.get(Int(file.descriptor), address($0.baseAddress!), Linux.emptyPath, into: &raw)
        }
        try Outcome("fstat", result).fails(EBADF)
    }
    laws.check("a directory's size is not negative, and it has blocks or a size") { act, see in
        try act.mkdir("d").succeeds()
        try holds(see.stat("d").size >= 0, "a size")
    }
}

private func inodes(_ laws: inout CheckList) {
    laws.check("an inode number survives rename, chmod, write, truncate and links") { act, see in
        try act.file("f", "x")
        let inode = try see.stat("f").inode
        try act.rename("f", "g").succeeds()
        try act.chmod("g", 0o600).succeeds()
        try act.open("g").write("more").returns(4)
        try act.truncate("g", 0).succeeds()
        try act.link("g", "h").succeeds()
        try act.unlink("g").succeeds()
        try equal(see.stat("h").inode, inode, "inode")
    }
    laws.check("400 files have 400 inode numbers") { act, see in
        for number in 0..<400 { try act.mknod("f\(number)", Status.regular | 0o644).succeeds() }
        let directory = try see.open("", O_RDONLY | O_DIRECTORY)
        try equal(Set(directory.entries().map(\.inode)).count, 402, "inode numbers")
    }
    laws.check("the inode number of stat, of an open file and of readdir are one") { act, see in
        let file = try act.create("f")
        let entries = try see.open("", O_RDONLY | O_DIRECTORY).entries()
        let entry = entries.first { $0.name == "f" }
        try equal(entry?.inode, see.stat("f").inode, "inode of the entry")
        try equal(file.stat().inode, see.stat("f").inode, "inode of the open file")
    }
    laws.check("both sides give an object the same inode number") { act, see in
        try act.file("f")
        try act.mkdir("d").succeeds()
        try act.symlink("x", "s").succeeds()
        for name in ["f", "d", "s"] as [Bytes] {
            try equal(see.lstat(name).inode, act.lstat(name).inode, "inode of \(name)")
        }
    }
    laws.check("a directory's . and .. are itself and its parent") { act, see in
        try act.mkdir("d").succeeds()
        let entries = try see.open("d", O_RDONLY | O_DIRECTORY).entries()
        try equal(entries.first { $0.name == "." }?.inode, see.stat("d").inode, "inode of .")
        try equal(entries.first { $0.name == ".." }?.inode, see.stat("").inode, "inode of ..")
    }
}

private func filesystem(_ laws: inout CheckList) {
    laws.check("statvfs: names of 255 bytes, a block size, and totals that add up") { _, see in
        let info = try see.statfs()
        try equal(info.f_namemax, 255, "f_namemax")
        try holds(info.f_frsize >= 512 && info.f_bsize >= 512, "a block size")
        try holds(info.f_blocks > 0, "blocks")
        try holds(info.f_bavail <= info.f_bfree && info.f_bfree <= info.f_blocks, "available <= free <= total")
        try holds(info.f_ffree <= info.f_files, "free inodes <= inodes")
    }
    laws.check("statvfs by name and by descriptor agree") { act, see in
        let file = try act.create("f")
        var byDescriptor = statvfs()
        try Outcome("fstatvfs", fstatvfs(file.descriptor, &byDescriptor) == 0 ? 0 : -Int(errno)).succeeds()
        try equal(see.statfs().f_blocks, byDescriptor.f_blocks, "f_blocks")
        try equal(see.statfs().f_frsize, byDescriptor.f_frsize, "f_frsize")
    }
    laws.check("statvfs of a missing name is ENOENT, and below a file is ENOTDIR") { act, _ in
        try act.file("f")
        var raw = [Int](repeating: 0, count: 32)
        try act.call("statfs", "missing") { systemCall(SYS_statfs, $0, address(&raw)) }.fails(ENOENT)
        try act.call("statfs", "f/x") { systemCall(SYS_statfs, $0, address(&raw)) }.fails(ENOTDIR)
    }
    laws.check("pathconf: NAME_MAX is 255 and LINK_MAX at least 8") { act, _ in
        let path = act.path("").text
        try equal(pathconf(path, CInt(_PC_NAME_MAX)), 255, "_PC_NAME_MAX")
        try holds(pathconf(path, CInt(_PC_LINK_MAX)) >= 8, "_PC_LINK_MAX")
    }
}
