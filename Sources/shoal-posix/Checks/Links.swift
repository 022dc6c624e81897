import CLinux
import Glibc

/// link(2): hard links and their count.
func linkChecks() -> [Check] {
    var laws = CheckList("link")
    laws.check("a link is the same file: inode, content, attributes") { act, see in
        try act.file("f", "content", 0o640)
        try act.link("f", "g").succeeds()
        let (a, b) = (try see.stat("f"), try see.stat("g"))
        try equal(a.inode, b.inode, "inode")
        try equal(b.links, 2, "links")
        try see.contains("g", "content")
        try act.chmod("g", 0o600).succeeds()
        try equalMode(see.stat("f").permissions, 0o600)
        try act.open("g").write("CON").returns(3)
        try see.contains("f", "CONtent")
    }
    for kind in [Status.fifo, Status.socket, Status.characterDevice, Status.blockDevice] {
        laws.check("a special file of type 0\(String(kind, radix: 8)) may have links") { act, see in
            try act.mknod("s", kind | 0o644, 0x0101).succeeds()
            try act.link("s", "t").succeeds()
            try equal(see.stat("t").links, 2, "links")
            try equal(see.stat("t").type, kind, "type")
        }
    }
    laws.check("a link to a symlink is a link to the symlink itself") { act, see in
        try act.file("f")
        try act.symlink("f", "s").succeeds()
        try act.link("s", "t").succeeds()
        try equal(see.lstat("t").inode, see.lstat("s").inode, "inode")
        try equal(see.lstat("t").links, 2, "links")
        try equal(see.readlink("t"), "f", "target")
    }
    laws.check("AT_SYMLINK_FOLLOW links the symlink's target") { act, see in
        try act.file("f")
        try act.symlink("f", "s").succeeds()
        try act.link("s", "g", CInt(AT_SYMLINK_FOLLOW)).succeeds()
        try equal(see.lstat("g").inode, see.lstat("f").inode, "inode")
    }
    laws.check("each link adds one to the count and each unlink takes one") { act, see in
        try act.file("f")
        for number in 1...20 {
            try act.link("f", "l\(number)").succeeds()
            try equal(see.stat("f").links, UInt32(number + 1), "links")
        }
        for number in 1...20 {
            try act.unlink("l\(number)").succeeds()
            try equal(see.stat("f").links, UInt32(21 - number), "links")
        }
    }
    laws.check("a link outlives the first name") { act, see in
        try act.file("f", "content")
        try act.link("f", "g").succeeds()
        try act.unlink("f").succeeds()
        try see.contains("g", "content")
        try equal(see.stat("g").links, 1, "links")
    }
    laws.check("a link in another directory keeps the inode") { act, see in
        try act.mkdir("d").succeeds()
        try act.file("f", "x")
        try act.link("f", "d/g").succeeds()
        try equal(see.stat("d/g").inode, see.stat("f").inode, "inode")
    }
    laws.check("a directory is EPERM") { act, see in
        try act.mkdir("d").succeeds()
        try act.link("d", "e").fails(EPERM)
        try see.isAbsent("e")
    }
    laws.check("a name that exists is EEXIST, whatever it is") { act, see in
        try act.file("f")
        try act.file("g", "keep")
        try act.mkdir("d").succeeds()
        try act.symlink("missing", "s").succeeds()
        for name in ["g", "d", "s", "f"] as [Bytes] { try act.link("f", name).fails(EEXIST) }
        try equal(see.stat("f").links, 1, "links")
        try see.contains("g", "keep")
    }
    laws.check("another filesystem is EXDEV") { act, _ in
        try act.file("f")
        let bytes = Array("/proc/version".utf8) + [0]
        try bytes.withUnsafeBufferPointer { from in
            act.call("link /proc/version", "g") {
                systemCall(SYS_linkat, Linux.currentDirectory, address(from.baseAddress!), Linux.currentDirectory, $0)
            }
        }.fails(EXDEV)
    }
    laws.check("without write permission on the new name's directory is EACCES") { act, _ in
        try act.directory("d", 0o755)
        try User.alice.does {
            try act.file("f")
            try act.link("f", "d/g").fails(EACCES)
        }
    }
    laws.check("protected_hardlinks refuses links to what one may not write with EPERM") { act, _ in
        try act.file("f", "x", 0o600)
        let setting = try View.bare.content("/proc/sys/fs/protected_hardlinks")
        if setting == "0\n" { throw Verdict.skipped("protected_hardlinks is off") }
        try User.alice.does { try act.link("f", "g").fails(EPERM) }
    }
    laws.check("linkat by AT_EMPTY_PATH names an open file") { act, see in
        try act.file("f", "x")
        let file = try act.open("f")
        let empty: [UInt8] = [0]
        try empty.withUnsafeBufferPointer { empty in
            act.call("linkat", "g") {
                systemCall(
                    SYS_linkat, Int(file.descriptor), address(empty.baseAddress!), Linux.currentDirectory, $0,
                    Int(Linux.emptyPath))
            }
        }.succeeds()
        try equal(see.stat("g").inode, see.stat("f").inode, "inode")
    }
    laws.check("a file without names cannot be given one by its descriptor") { act, see in
        let file = try act.create("f")
        try act.unlink("f").succeeds()
        let empty: [UInt8] = [0]
        try empty.withUnsafeBufferPointer { empty in
            act.call("linkat", "g") {
                systemCall(
                    SYS_linkat, Int(file.descriptor), address(empty.baseAddress!), Linux.currentDirectory, $0,
                    Int(Linux.emptyPath))
            }
        }.fails(ENOENT)
        try see.isAbsent("g")
    }
    laws.check("unknown flags are EINVAL") { act, _ in
        try act.file("f")
        try act.link("f", "g", 0x8000).fails(EINVAL)
    }
    laws.check("300 links of one file are all there") { act, see in
        try act.file("f", "x")
        for number in 0..<299 { try act.link("f", "l\(number)").succeeds() }
        try equal(see.stat("l150").links, 300, "links")
        try equal(see.names().count, 300, "names")
    }
    return laws.checks
}
