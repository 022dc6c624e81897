import CLinux
import Glibc

/// mkdir(2) and rmdir(2).
func directoryChecks() -> [Check] {
    var laws = CheckList("directories")
    making(&laws)
    removing(&laws)
    return laws.checks
}

private func making(_ laws: inout CheckList) {
    laws.check("mkdir makes an empty directory of the user and group that made it") { act, see in
        try User.alice.does { try act.mkdir("d").succeeds() }
        let status = try see.stat("d")
        try equal(status.type, Status.directory, "type")
        try equal(status.owner, 2001, "owner")
        try equal(status.group, 2001, "group")
        try equal(see.names("d"), [], "names")
    }
    for (mask, mode, expected) in [
        (0o022, 0o777, 0o755), (0o077, 0o777, 0o700), (0, 0o1777, 0o1777), (0, 0o123, 0o123), (0o777, 0o777, 0),
    ] as [(UInt32, UInt32, UInt32)] {
        let text = [mode, mask, expected].map { "0" + String($0, radix: 8) }
        laws.check("mkdir with \(text[0]) and umask \(text[1]) gives \(text[2])") { act, see in
            umask(mask)
            try act.mkdir("d", mode).succeeds()
            try equalMode(see.stat("d").permissions, expected)
        }
    }
    laws.check("mkdir takes no setuid or setgid bit from its mode") { act, see in
        try act.mkdir("d", 0o6755).succeeds()
        try equalMode(see.stat("d").permissions, 0o755)
    }
    laws.check("a new directory has 2 links, and adds one to its parent") { act, see in
        let before = try see.stat("").links
        try act.mkdir("d").succeeds()
        try equal(see.stat("d").links, 2, "links of the directory")
        try equal(see.stat("").links, before + 1, "links of the parent")
    }
    laws.check("mkdir of a name that exists is EEXIST, whatever it is") { act, _ in
        try act.file("f")
        try act.mkdir("d").succeeds()
        try act.symlink("missing", "s").succeeds()
        try act.symlink("d", "t").succeeds()
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        for name in ["f", "d", "s", "t", "p", ".", ".."] as [Bytes] { try act.mkdir(name).fails(EEXIST) }
    }
    laws.check("mkdir without write permission on the parent is EACCES") { act, see in
        try act.directory("d", 0o755)
        try User.alice.does { try act.mkdir("d/e").fails(EACCES) }
        try see.isAbsent("d/e")
    }
    laws.check("mkdir with write but no search permission on the parent is EACCES") { act, _ in
        try act.directory("d", 0o666)
        try User.alice.does { try act.mkdir("d/e").fails(EACCES) }
    }
    laws.check("a chain of 50 directories is made and removed") { act, see in
        var path: Bytes = "d"
        for _ in 0..<50 {
            try act.mkdir(path).succeeds()
            path = path + "/d"
        }
        for _ in 0..<50 {
            path = Bytes(path.array.dropLast(2))
            try act.rmdir(path).succeeds()
        }
        try equal(see.names(), [], "names")
    }
    laws.check("a directory with 100 subdirectories has 102 links") { act, see in
        try act.mkdir("d").succeeds()
        for number in 0..<100 { try act.mkdir("d/\(number)").succeeds() }
        try equal(see.stat("d").links, 102, "links")
        for number in 0..<100 { try act.rmdir("d/\(number)").succeeds() }
        try equal(see.stat("d").links, 2, "links")
    }
    laws.check("of two processes that mkdir the same name one succeeds") { act, _ in
        let peer = try Peer.start { peer in
            for number in 0..<50 { try peer.tell(act.mkdir("d\(number)").raw == 0 ? "made" : "exists") }
        }
        for number in 0..<50 {
            let outcome = act.mkdir("d\(number)")
            if outcome.raw < 0 { try outcome.fails(EEXIST) }
            try peer.hear(outcome.raw == 0 ? "exists" : "made")
        }
        try peer.end()
    }
}

private func removing(_ laws: inout CheckList) {
    laws.check("rmdir removes an empty directory, and a link of its parent") { act, see in
        let before = try see.stat("").links
        try act.mkdir("d").succeeds()
        try act.rmdir("d").succeeds()
        try see.isAbsent("d")
        try equal(see.stat("").links, before, "links of the parent")
    }
    for kind in ["file", "directory", "symlink", "fifo"] {
        laws.check("rmdir of a directory that holds a \(kind) is ENOTEMPTY") { act, see in
            try act.mkdir("d").succeeds()
            switch kind {
            case "file": try act.file("d/x")
            case "directory": try act.mkdir("d/x").succeeds()
            case "symlink": try act.symlink("missing", "d/x").succeeds()
            default: try act.mknod("d/x", Status.fifo | 0o644).succeeds()
            }
            try act.rmdir("d").fails([ENOTEMPTY, EEXIST])
            try equal(see.names("d"), ["x"], "names")
        }
    }
    laws.check("rmdir of a file, fifo or symlink to a directory is ENOTDIR") { act, _ in
        try act.file("f")
        try act.mkdir("d").succeeds()
        try act.symlink("d", "s").succeeds()
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        for name in ["f", "s", "p"] as [Bytes] { try act.rmdir(name).fails(ENOTDIR) }
    }
    laws.check("rmdir of . is EINVAL, and of .. is ENOTEMPTY") { act, _ in
        try act.mkdir("d").succeeds()
        try act.mkdir("d/e").succeeds()
        try act.rmdir("d/.").fails(EINVAL)
        try act.rmdir("d/e/..").fails([ENOTEMPTY, EEXIST])
    }
    laws.check("rmdir without write permission on the parent is EACCES") { act, _ in
        try act.directory("d", 0o755)
        try act.directory("d/e", 0o777)
        try User.alice.does { try act.rmdir("d/e").fails(EACCES) }
    }
    laws.check("rmdir needs no permission on the directory itself") { act, _ in
        try act.directory("d", 0o777)
        try act.directory("d/e", 0)
        try User.alice.does { try act.rmdir("d/e").succeeds() }
    }
    laws.check("a removed directory that is open lists nothing and takes nothing new") { act, see in
        try act.mkdir("d").succeeds()
        let directory = try act.open("d", O_RDONLY | O_DIRECTORY)
        try act.rmdir("d").succeeds()
        try see.isAbsent("d")
        try directory.listsNothing()
        try View(root: "/proc/self/fd/\(directory.descriptor)").opening("f", O_WRONLY | O_CREAT).fails(ENOENT)
    }
    laws.check("a removed directory has 0 links") { act, _ in
        try act.mkdir("d").succeeds()
        let directory = try act.open("d", O_RDONLY | O_DIRECTORY)
        try act.rmdir("d").succeeds()
        try equal(directory.stat().links, 0, "links")
    }
    laws.check("what was removed can be changed by whoever has it open still") { act, _ in
        try act.mkdir("d").succeeds()
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        let directory = try act.open("d", O_RDONLY | O_DIRECTORY)
        let fifo = try act.open("p", O_RDWR)
        try act.rmdir("d").succeeds()
        try act.unlink("p").succeeds()
        for file in [directory, fifo] {
            try file.chmod(0o700).succeeds()
            try equalMode(file.stat().permissions, 0o700)
            try equal(file.stat().links, 0, "links")
        }
    }
    laws.check("a name is free again after rmdir") { act, see in
        for _ in 0..<20 {
            try act.mkdir("x").succeeds()
            try equal(see.stat("x").type, Status.directory, "type")
            try act.rmdir("x").succeeds()
            try act.file("x")
            try equal(see.stat("x").type, Status.regular, "type")
            try act.unlink("x").succeeds()
        }
    }
    laws.check("a mount point is EBUSY") { act, _ in
        try Outcome("unshare", systemCall(SYS_unshare, 0x20000)).succeeds()
        try Outcome("mount", mount("none", "/", nil, 0x40000 | 0x4000, nil) == 0 ? 0 : -Int(errno)).succeeds()
        try act.mkdir("m").succeeds()
        let made = mount("none", act.path("m").text, "tmpfs", 0, nil) == 0 ? 0 : -Int(errno)
        try Outcome("mount tmpfs", made).succeeds()
        try act.rmdir("m").fails(EBUSY)
        try act.rename("m", "n").fails(EBUSY)
    }
}
