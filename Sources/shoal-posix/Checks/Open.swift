import CLinux
import Glibc

/// open(2): creation flags and what may be opened how.
func openChecks() -> [Check] {
    var laws = CheckList("open")
    creation(&laws)
    kinds(&laws)
    temporaryFiles(&laws)
    return laws.checks
}

private func creation(_ laws: inout CheckList) {
    laws.check("O_CREAT makes an empty file") { act, see in
        try act.open("f", O_WRONLY | O_CREAT, 0o644).close().succeeds()
        let status = try see.stat("f")
        try equal(status.type, Status.regular, "type")
        try equal(status.size, 0, "size")
        try equal(status.blocks, 0, "blocks")
        try equal(status.links, 1, "links")
    }
    laws.check("O_CREAT opens a file that exists, with its content") { act, see in
        try act.file("f", "content")
        try equal(act.open("f", O_RDONLY | O_CREAT).read(20), "content", "content")
        try see.contains("f", "content")
    }
    laws.check("O_CREAT leaves the mode of a file that exists alone") { act, see in
        try act.file("f", "", 0o640)
        _ = try act.open("f", O_RDONLY | O_CREAT, 0o777)
        try equalMode(see.stat("f").permissions, 0o640)
    }
    for (mask, expected) in [(0o022, 0o755), (0o077, 0o700), (0o777, 0), (0, 0o777)] as [(UInt32, UInt32)] {
        laws.check("O_CREAT with 0777 and umask 0\(String(mask, radix: 8)) gives 0\(String(expected, radix: 8))") {
            act, see in
            umask(mask)
            _ = try act.open("f", O_WRONLY | O_CREAT, 0o777)
            try equalMode(see.stat("f").permissions, expected)
        }
    }
    laws.check("a file may be written by its creator though its mode forbids it") { act, see in
        try User.alice.does {
            let file = try act.open("f", O_RDWR | O_CREAT, 0)
            try file.write("x").returns(1)
            try equal(file.pread(9, at: 0), "x", "content")
            try act.opening("f", O_RDONLY).fails(EACCES)
        }
        try equal(see.stat("f").size, 1, "size")
    }
    laws.check("a new file belongs to the user and group that made it") { act, see in
        try User.alice.does { _ = try act.open("f", O_WRONLY | O_CREAT) }
        let status = try see.stat("f")
        try equal(status.owner, 2001, "owner")
        try equal(status.group, 2001, "group")
    }
    laws.check("O_EXCL of a file that exists is EEXIST") { act, _ in
        try act.file("f")
        try act.opening("f", O_WRONLY | O_CREAT | O_EXCL).fails(EEXIST)
    }
    laws.check("O_EXCL of a directory, fifo or symlink is EEXIST") { act, _ in
        try act.mkdir("d").succeeds()
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        try act.symlink("missing", "s").succeeds()
        for name in ["d", "p", "s"] as [Bytes] { try act.opening(name, O_WRONLY | O_CREAT | O_EXCL).fails(EEXIST) }
        try act.isAbsent("missing")
    }
    laws.check("of two processes that O_EXCL the same name one succeeds") { act, _ in
        let peer = try Peer.start { peer in
            for number in 0..<50 {
                let outcome = act.opening("f\(number)", O_WRONLY | O_CREAT | O_EXCL)
                try peer.tell(outcome.raw >= 0 ? "made" : ErrorNumber.name(outcome.error))
            }
        }
        for number in 0..<50 {
            let outcome = act.opening("f\(number)", O_WRONLY | O_CREAT | O_EXCL)
            if outcome.raw < 0 { try outcome.fails(EEXIST) }
            try peer.hear(outcome.raw >= 0 ? "EEXIST" : "made")
        }
        try peer.end()
    }
    laws.check("O_CREAT through a dangling symlink makes its target") { act, see in
        try act.symlink("target", "s").succeeds()
        try act.open("s", O_WRONLY | O_CREAT).write("x").returns(1)
        try see.contains("target", "x")
    }
    laws.check("O_CREAT in a directory without write permission is EACCES") { act, see in
        try act.directory("d", 0o755)
        try User.alice.does { try act.opening("d/f", O_WRONLY | O_CREAT).fails(EACCES) }
        try see.isAbsent("d/f")
    }
    laws.check("O_CREAT of a file that exists needs no write permission on its directory") { act, _ in
        try act.directory("d", 0o755)
        try act.file("d/f", "x", 0o666)
        try User.alice.does { _ = try act.open("d/f", O_RDWR | O_CREAT) }
    }
    laws.check("O_TRUNC empties a file") { act, see in
        try act.file("f", "content")
        _ = try act.open("f", O_WRONLY | O_TRUNC)
        try equal(see.stat("f").size, 0, "size")
    }
    laws.check("O_TRUNC keeps inode, mode and links") { act, see in
        try act.file("f", "content", 0o640)
        try act.link("f", "g").succeeds()
        let before = try see.stat("f")
        _ = try act.open("f", O_WRONLY | O_TRUNC)
        let after = try see.stat("f")
        try equal(after.inode, before.inode, "inode")
        try equalMode(after.mode, before.mode)
        try equal(after.links, 2, "links")
        try equal(see.stat("g").size, 0, "size of the other name")
    }
    laws.check("O_TRUNC without write permission is EACCES and keeps the content") { act, see in
        try act.file("f", "content", 0o444)
        try User.alice.does { try act.opening("f", O_WRONLY | O_TRUNC).fails(EACCES) }
        try see.contains("f", "content")
    }
    laws.check("O_TRUNC is seen by a file that is open already") { act, see in
        try act.file("f", "content")
        let reader = try see.open("f", O_RDONLY)
        try equal(reader.read(3), "con", "first bytes")
        _ = try act.open("f", O_WRONLY | O_TRUNC)
        try equal(reader.read(3), "", "rest")
    }
}

private func kinds(_ laws: inout CheckList) {
    laws.check("writing to a file opened O_RDONLY is EBADF") { act, _ in
        try act.file("f")
        let file = try act.open("f", O_RDONLY)
        try file.write("x").fails(EBADF)
        try file.pwrite("x", at: 0).fails(EBADF)
    }
    laws.check("reading from a file opened O_WRONLY is EBADF") { act, _ in
        try act.file("f", "x")
        let file = try act.open("f", O_WRONLY)
        try file.reading(1).fails(EBADF)
        try file.preading(1, at: 0).fails(EBADF)
    }
    laws.check("O_RDWR reads and writes") { act, see in
        try act.file("f", "abc")
        let file = try act.open("f", O_RDWR)
        try equal(file.read(1), "a", "first byte")
        try file.write("X").returns(1)
        try equal(file.read(1), "c", "third byte")
        try see.contains("f", "aXc")
    }
    for (name, flags) in [
        ("O_WRONLY", O_WRONLY), ("O_RDWR", O_RDWR), ("O_TRUNC", O_RDONLY | O_TRUNC), ("O_CREAT", O_RDONLY | O_CREAT),
    ] {
        laws.check("\(name) of a directory is EISDIR") { act, _ in
            try act.mkdir("d").succeeds()
            try act.opening("d", flags).fails(EISDIR)
        }
    }
    laws.check("O_DIRECTORY of a file is ENOTDIR") { act, _ in
        try act.file("f")
        try act.opening("f", O_RDONLY | O_DIRECTORY).fails(ENOTDIR)
    }
    laws.check("O_DIRECTORY of a symlink to a directory opens the directory") { act, see in
        try act.mkdir("d").succeeds()
        try act.symlink("d", "s").succeeds()
        try equal(act.open("s", O_RDONLY | O_DIRECTORY).stat().inode, see.stat("d").inode, "inode")
    }
    laws.check("O_DIRECTORY with O_NOFOLLOW of a symlink is ENOTDIR") { act, _ in
        try act.mkdir("d").succeeds()
        try act.symlink("d", "s").succeeds()
        try act.opening("s", O_RDONLY | O_DIRECTORY | O_NOFOLLOW).fails([ENOTDIR, ELOOP])
    }
    laws.check("O_NOFOLLOW of a symlink is ELOOP") { act, _ in
        try act.file("f")
        try act.symlink("f", "s").succeeds()
        try act.opening("s", O_RDONLY | O_NOFOLLOW).fails(ELOOP)
        try act.opening("s", O_WRONLY | O_CREAT | O_NOFOLLOW).fails(ELOOP)
    }
    laws.check("O_NOFOLLOW follows symlinks before the last name") { act, _ in
        try act.mkdir("d").succeeds()
        try act.file("d/f", "x")
        try act.symlink("d", "s").succeeds()
        try equal(act.open("s/f", O_RDONLY | O_NOFOLLOW).read(2), "x", "content")
    }
    laws.check("O_PATH opens without permission to read, and cannot be read") { act, _ in
        try act.file("f", "x", 0)
        try User.alice.does {
            let file = try act.open("f", Linux.path)
            try file.reading(1).fails(EBADF)
            try equal(file.stat().size, 1, "size")
        }
    }
    laws.check("O_PATH with O_NOFOLLOW opens a symlink itself") { act, _ in
        try act.symlink("missing", "s").succeeds()
        try equal(act.open("s", Linux.path | O_NOFOLLOW).stat().type, Status.symlink, "type")
    }
    laws.check("opening a socket is ENXIO") { act, _ in
        try act.mknod("s", Status.socket | 0o644).succeeds()
        try act.opening("s", O_RDONLY).fails(ENXIO)
        try act.opening("s", O_RDWR).fails(ENXIO)
    }
    laws.check("opening a device that no driver serves is ENXIO") { act, _ in
        if try act.statfs().f_flag & Linux.noDevices != 0 { throw Verdict.skipped("mounted with nodev") }
        // Major 42 is for examples (devices.txt).
        try act.mknod("c", Status.characterDevice | 0o644, 42 << 8).succeeds()
        try act.opening("c", O_RDONLY).fails(ENXIO)
    }
    laws.check("O_NOATIME by somebody else is EPERM") { act, _ in
        try act.file("f", "x", 0o666)
        _ = try act.open("f", O_RDONLY | Linux.noAccessTime)
        try User.alice.does { try act.opening("f", O_RDONLY | Linux.noAccessTime).fails(EPERM) }
    }
    laws.check("F_GETFL answers how the file was opened") { act, _ in
        let file = try act.open("f", O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK)
        let flags = CInt(try file.control(F_GETFL).succeeds())
        try equal(flags & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR | O_APPEND | O_NONBLOCK, "flags")
    }
    laws.check("O_SYNC and O_DSYNC files are written like others") { act, see in
        for (name, flag) in [("s", O_SYNC), ("d", O_DSYNC)] as [(Bytes, CInt)] {
            let file = try act.open(name, O_RDWR | O_CREAT | flag)
            for number in 0..<4 { try file.write("line \(number)\n").returns(7) }
            try see.contains(name, "line 0\nline 1\nline 2\nline 3\n")
        }
    }
    for (name, mode, user) in [
        ("owner", 0o077, User.alice), ("group", 0o707, User.bobInAlicesGroup), ("others", 0o770, User.bob),
    ] as [(String, UInt32, User)] {
        laws.check("the \(name)'s bits alone decide for the \(name), whatever the other bits allow") { act, _ in
            try act.file("f", "x", mode)
            try act.chown("f", 2001, 2001).succeeds()
            try user.does {
                try act.opening("f", O_RDONLY).fails(EACCES)
                try act.opening("f", O_WRONLY).fails(EACCES)
                try act.opening("f", O_RDWR).fails(EACCES)
            }
        }
    }
    for (bits, flags, wrong) in [(0o4, O_RDONLY, O_WRONLY), (0o2, O_WRONLY, O_RDONLY)] as [(UInt32, CInt, CInt)] {
        laws.check("mode 000\(bits) lets others open for that alone") { act, _ in
            try act.file("f", "x", bits)
            try User.bob.does {
                _ = try act.open("f", flags)
                try act.opening("f", wrong).fails(EACCES)
                try act.opening("f", O_RDWR).fails(EACCES)
            }
        }
    }
    laws.check("root opens what its mode forbids everybody") { act, _ in
        try act.file("f", "x", 0)
        try equal(act.open("f", O_RDWR).read(2), "x", "content")
    }
}

private func temporaryFiles(_ laws: inout CheckList) {
    let missing = "the filesystem has no O_TMPFILE"
    laws.check("O_TMPFILE makes a file without a name and without links") { act, see in
        let outcome = act.opening("", Linux.temporaryFile | O_RDWR, 0o600)
        try outcome.skips(on: EOPNOTSUPP, because: missing)
        let file = File(descriptor: CInt(try outcome.succeeds()))
        try file.write("x").returns(1)
        try equal(file.stat().links, 0, "links")
        try equal(file.stat().size, 1, "size")
        try equal(see.names(), [], "names")
    }
    laws.check("an O_TMPFILE file is given a name by linkat") { act, see in
        let outcome = act.opening("", Linux.temporaryFile | O_RDWR, 0o600)
        try outcome.skips(on: EOPNOTSUPP, because: missing)
        let file = File(descriptor: CInt(try outcome.succeeds()))
        try file.write("content").returns(7)
        let source = View.bare.path("/proc/self/fd/\(file.descriptor)")
        let target = act.path("f").array + [0]
        try (source.array + [0]).withUnsafeBufferPointer { from in
            target.withUnsafeBufferPointer { to in
                Outcome(
                    "linkat",
                    systemCall(
                        SYS_linkat, Linux.currentDirectory, address(from.baseAddress!), Linux.currentDirectory,
                        address(to.baseAddress!), Int(AT_SYMLINK_FOLLOW)))
            }
        }.succeeds()
        try see.contains("f", "content")
        try equal(see.stat("f").links, 1, "links")
    }
    laws.check("O_TMPFILE opened O_RDONLY is EINVAL") { act, _ in
        try act.opening("", Linux.temporaryFile | O_RDONLY).fails(EINVAL)
    }
    laws.check("O_TMPFILE of a file is ENOTDIR") { act, _ in
        try act.file("f")
        try act.opening("f", Linux.temporaryFile | O_RDWR).fails(ENOTDIR)
    }
}
