import CLinux
import Glibc

private let noReplace = UInt32(RENAME_NOREPLACE)
private let exchange = UInt32(RENAME_EXCHANGE)

/// rename(2) and renameat2(2).
func renameChecks() -> [Check] {
    var laws = CheckList("rename")
    files(&laws)
    directories(&laws)
    combinations(&laws)
    flags(&laws)
    permissions(&laws)
    observers(&laws)
    return laws.checks
}

private func files(_ laws: inout CheckList) {
    laws.check("the new name is the same inode, and the old one is gone") { act, see in
        try act.file("f", "content")
        let before = try see.stat("f")
        try act.rename("f", "g").succeeds()
        try see.isAbsent("f")
        let after = try see.stat("g")
        try equal(after.inode, before.inode, "inode")
        try equal(after.links, 1, "links")
        try see.contains("g", "content")
    }
    laws.check("a file that exists is replaced") { act, see in
        try act.file("f", "new")
        try act.file("g", "old")
        try act.rename("f", "g").succeeds()
        try see.contains("g", "new")
        try equal(see.names(), ["g"], "names")
    }
    laws.check("a replaced file loses a link and keeps its others") { act, see in
        try act.file("f", "new")
        try act.file("g", "old")
        try act.link("g", "h").succeeds()
        try act.rename("f", "g").succeeds()
        try see.contains("h", "old")
        try equal(see.stat("h").links, 1, "links")
    }
    laws.check("onto itself it does nothing") { act, see in
        try act.file("f", "content")
        try act.rename("f", "f").succeeds()
        try see.contains("f", "content")
    }
    laws.check("onto another link of the same inode it does nothing, and both names stay") { act, see in
        try act.file("f", "content")
        try act.link("f", "g").succeeds()
        try act.rename("f", "g").succeeds()
        try equal(see.names(), ["f", "g"], "names")
        try equal(see.stat("f").links, 2, "links")
    }
    laws.check("to another directory moves the file there") { act, see in
        for name in ["d", "e"] as [Bytes] { try act.mkdir(name).succeeds() }
        try act.file("d/f", "content")
        try act.rename("d/f", "e/g").succeeds()
        try see.contains("e/g", "content")
        try equal(see.names("d"), [], "names")
    }
    laws.check("a symlink is renamed itself, and replaced itself") { act, see in
        try act.file("f", "target")
        try act.symlink("f", "s").succeeds()
        try act.rename("s", "t").succeeds()
        try equal(see.readlink("t"), "f", "target")
        try act.file("g", "new")
        try act.rename("g", "t").succeeds()
        try see.contains("t", "new")
        try see.contains("f", "target")
    }
    laws.check("an open file stays open under its new name") { act, see in
        let file = try act.create("f")
        try act.rename("f", "g").succeeds()
        try file.write("content").returns(7)
        try see.contains("g", "content")
    }
    laws.check("a chain of 60 renames ends where it should") { act, see in
        try act.file("f0", "content")
        for number in 0..<60 { try act.rename("f\(number)", "f\(number + 1)").succeeds() }
        try see.contains("f60", "content")
        try equal(see.names(), ["f60"], "names")
    }
    laws.check("what was just written is what the new name holds") { act, see in
        for number in 0..<10 {
            try act.file("f.new", "generation \(number)")
            try act.rename("f.new", "f").succeeds()
            try see.contains("f", "generation \(number)")
        }
    }
    laws.check("another filesystem is EXDEV") { act, see in
        try act.file("f", "x")
        let target = Array("/proc/self/x".utf8) + [0]
        try target.withUnsafeBufferPointer { target in
            act.call("rename to /proc/self/x", "f") {
                systemCall(
                    SYS_renameat2, Linux.currentDirectory, $0, Linux.currentDirectory, address(target.baseAddress!), 0)
            }
        }.fails(EXDEV)
        try see.contains("f", "x")
    }
}

private func directories(_ laws: inout CheckList) {
    laws.check("a directory moves with everything in it") { act, see in
        try act.mkdir("d").succeeds()
        try act.mkdir("d/e").succeeds()
        try act.file("d/e/f", "content")
        try act.rename("d", "x").succeeds()
        try see.contains("x/e/f", "content")
        try see.isAbsent("d")
    }
    laws.check("a directory in another parent has that as its .., and links move along") { act, see in
        for name in ["a", "b", "a/d"] as [Bytes] { try act.mkdir(name).succeeds() }
        try act.rename("a/d", "b/d").succeeds()
        try equal(see.stat("b/d/..").inode, see.stat("b").inode, "inode of ..")
        try equal(see.stat("a").links, 2, "links of the old parent")
        try equal(see.stat("b").links, 3, "links of the new parent")
    }
    laws.check("an empty directory is replaced by a directory") { act, see in
        for name in ["d", "e", "d/x"] as [Bytes] { try act.mkdir(name).succeeds() }
        try act.rename("d", "e").succeeds()
        try equal(see.names("e"), ["x"], "names")
        try equal(see.names(), ["e"], "names")
    }
    laws.check("replacing a directory takes one link of the parent") { act, see in
        for name in ["d", "e"] as [Bytes] { try act.mkdir(name).succeeds() }
        let before = try see.stat("").links
        try act.rename("d", "e").succeeds()
        try equal(see.stat("").links, before - 1, "links")
    }
    laws.check("a directory that is not empty is not replaced: ENOTEMPTY") { act, see in
        for name in ["d", "e"] as [Bytes] { try act.mkdir(name).succeeds() }
        try act.file("e/f", "keep")
        try act.rename("d", "e").fails([ENOTEMPTY, EEXIST])
        try see.contains("e/f", "keep")
        try equal(see.names(), ["d", "e"], "names")
    }
    for target in ["d/e", "d/e/f", "d/d"] as [Bytes] {
        laws.check("a directory into itself, to \(target.text), is EINVAL") { act, see in
            try act.mkdir("d").succeeds()
            try act.mkdir("d/e").succeeds()
            try act.rename("d", target).fails(EINVAL)
            try equal(see.names("d"), ["e"], "names")
        }
    }
    laws.check("a directory over one of its ancestors is ENOTEMPTY") { act, see in
        for name in ["d", "d/e", "d/e/f"] as [Bytes] { try act.mkdir(name).succeeds() }
        try act.rename("d/e/f", "d").fails([ENOTEMPTY, EEXIST])
        try act.rename("d/e", "d").fails([ENOTEMPTY, EEXIST])
        try equal(see.names("d/e"), ["f"], "names")
    }
    laws.check("a directory open as the working directory moves along") { act, see in
        for name in ["a", "b", "a/d"] as [Bytes] { try act.mkdir(name).succeeds() }
        try act.chdir("a/d").succeeds()
        try act.rename("a/d", "b/e").succeeds()
        try View.bare.file("f", "x")
        try see.contains("b/e/f", "x")
    }
    for name in [".", ".."] as [Bytes] {
        laws.check("\(name.text) is EBUSY or EINVAL") { act, _ in
            try act.mkdir("d").succeeds()
            try act.mkdir("e").succeeds()
            try act.rename("d/" + name, "x").fails([EBUSY, EINVAL])
            try act.rename("e", "d/" + name).fails([EBUSY, EINVAL, ENOTEMPTY, EEXIST])
        }
    }
    laws.check("two processes that move directories into each other never make a loop") { act, see in
        for name in ["a", "b"] as [Bytes] { try act.mkdir(name).succeeds() }
        for _ in 0..<20 {
            let peer = try Peer.start { peer in
                try peer.hear()
                try act.rename("a", "b/a").answers([0, EINVAL, ENOENT])
            }
            try peer.tell()
            try see.rename("b", "a/b").answers([0, EINVAL, ENOENT])
            try peer.end()
            let top = try see.names()
            try equal(top.count, 1, "directories at the top")
            try act.rename(top[0] == "a" ? "a/b" : "b/a", top[0] == "a" ? "b" : "a").succeeds()
        }
    }
}

private func combinations(_ laws: inout CheckList) {
    func make(_ kind: String, _ name: Bytes, _ view: View) throws(Verdict) {
        switch kind {
        case "file": try view.file(name, Bytes(kind))
        case "directory": try view.mkdir(name).succeeds()
        case "symlink": try view.symlink("missing", name).succeeds()
        case "fifo": try view.mknod(name, Status.fifo | 0o644).succeeds()
        case "socket": try view.mknod(name, Status.socket | 0o644).succeeds()
        default: try view.mknod(name, Status.characterDevice | 0o644, 0x0103).succeeds()
        }
    }
    let kinds = ["file", "directory", "symlink", "fifo", "socket", "device"]
    for from in kinds {
        for to in kinds {
            let error =
                from == "directory" && to != "directory"
                ? ENOTDIR : from != "directory" && to == "directory" ? EISDIR : 0
            let says = error == 0 ? "replaces it" : "is \(ErrorNumber.name(error))"
            laws.check("a \(from) over a \(to) \(says)") { act, see in
                try make(from, "from", act)
                try make(to, "to", act)
                let (old, new) = (try see.lstat("from").inode, try see.lstat("to").inode)
                try act.rename("from", "to").answers([error])
                if error == 0 {
                    try see.isAbsent("from")
                    try equal(see.lstat("to").inode, old, "inode")
                } else {
                    try equal(see.lstat("from").inode, old, "inode")
                    try equal(see.lstat("to").inode, new, "inode")
                }
            }
            laws.check("a \(from) is exchanged with a \(to)") { act, see in
                try make(from, "from", act)
                try make(to, "to", act)
                let (old, new) = (try see.lstat("from").inode, try see.lstat("to").inode)
                try act.rename("from", "to", exchange).succeeds()
                try equal(see.lstat("to").inode, old, "inode")
                try equal(see.lstat("from").inode, new, "inode")
            }
        }
    }
}

private func flags(_ laws: inout CheckList) {
    laws.check("RENAME_NOREPLACE to a new name renames") { act, see in
        try act.file("f", "x")
        try act.rename("f", "g", noReplace).succeeds()
        try see.contains("g", "x")
        try see.isAbsent("f")
    }
    laws.check("RENAME_NOREPLACE over a name that exists is EEXIST, whatever it is") { act, see in
        try act.file("f", "x")
        try act.file("g", "keep")
        try act.mkdir("d").succeeds()
        try act.symlink("missing", "s").succeeds()
        for name in ["g", "d", "s", "f"] as [Bytes] { try act.rename("f", name, noReplace).fails(EEXIST) }
        try see.contains("g", "keep")
        try see.contains("f", "x")
    }
    laws.check("RENAME_NOREPLACE over another link of the same inode is EEXIST") { act, _ in
        try act.file("f")
        try act.link("f", "g").succeeds()
        try act.rename("f", "g", noReplace).fails(EEXIST)
    }
    laws.check("of two processes that RENAME_NOREPLACE to the same name one succeeds") { act, see in
        let peer = try Peer.start { peer in
            for number in 0..<30 {
                try act.file("a\(number)")
                try peer.tell(act.rename("a\(number)", "x\(number)", noReplace).raw == 0 ? "won" : "lost")
            }
        }
        for number in 0..<30 {
            try see.file("b\(number)")
            let outcome = see.rename("b\(number)", "x\(number)", noReplace)
            if outcome.raw < 0 { try outcome.fails(EEXIST) }
            try peer.hear(outcome.raw == 0 ? "lost" : "won")
        }
        try peer.end()
    }
    laws.check("RENAME_EXCHANGE with a missing name is ENOENT") { act, see in
        try act.file("f", "x")
        try act.rename("f", "missing", exchange).fails(ENOENT)
        try act.rename("missing", "f", exchange).fails(ENOENT)
        try see.contains("f", "x")
    }
    laws.check("RENAME_EXCHANGE keeps contents, links and open files with their inodes") { act, see in
        try act.file("f", "first")
        try act.file("g", "second")
        let file = try act.open("f")
        try act.rename("f", "g", exchange).succeeds()
        try see.contains("f", "second")
        try see.contains("g", "first")
        try file.write("FIRST").returns(5)
        try see.contains("g", "FIRST")
        try equal(see.stat("f").links, 1, "links")
    }
    laws.check("RENAME_EXCHANGE across directories moves the links of subdirectories") { act, see in
        for name in ["a", "b", "a/d"] as [Bytes] { try act.mkdir(name).succeeds() }
        try act.file("b/f", "x")
        try act.rename("a/d", "b/f", exchange).succeeds()
        try equal(see.stat("a").links, 2, "links of a")
        try equal(see.stat("b").links, 3, "links of b")
        try equal(see.stat("b/f/..").inode, see.stat("b").inode, "inode of ..")
        try see.contains("a/d", "x")
    }
    laws.check("RENAME_EXCHANGE of directories that are not empty swaps them") { act, see in
        for name in ["a", "b"] as [Bytes] {
            try act.mkdir(name).succeeds()
            try act.file(name + "/in-" + name)
        }
        try act.rename("a", "b", exchange).succeeds()
        try equal(see.names("a"), ["in-b"], "names")
        try equal(see.names("b"), ["in-a"], "names")
    }
    laws.check("RENAME_EXCHANGE of a directory with what is below it is EINVAL") { act, see in
        for name in ["a", "a/b"] as [Bytes] { try act.mkdir(name).succeeds() }
        try act.rename("a", "a/b", exchange).fails(EINVAL)
        try act.rename("a/b", "a", exchange).fails(EINVAL)
        try equal(see.names("a"), ["b"], "names")
    }
    laws.check("RENAME_NOREPLACE with RENAME_EXCHANGE is EINVAL, and so are unknown flags") { act, see in
        try act.file("f")
        try act.file("g")
        try act.rename("f", "g", noReplace | exchange).fails(EINVAL)
        try act.rename("f", "g", 0x80).fails(EINVAL)
        try equal(see.names(), ["f", "g"], "names")
    }
}

private func permissions(_ laws: inout CheckList) {
    laws.check("without write permission on the old directory is EACCES") { act, see in
        try act.directory("d", 0o755)
        try act.file("d/f", "", 0o666)
        try User.alice.does { try act.rename("d/f", "f").fails(EACCES) }
        try equal(see.names("d"), ["f"], "names")
    }
    laws.check("without write permission on the new directory is EACCES") { act, see in
        try act.directory("d", 0o755)
        try User.alice.does {
            try act.file("f")
            try act.rename("f", "d/f").fails(EACCES)
        }
        try equal(see.names("d"), [], "names")
    }
    laws.check("needs no permission on the file itself") { act, see in
        try act.file("f", "x", 0)
        try User.alice.does { try act.rename("f", "g").succeeds() }
        try see.contains("g", "x")
    }
    laws.check("a directory to another parent needs write permission on it, for its ..: EACCES") { act, _ in
        try act.directory("d", 0o777)
        try act.directory("e", 0o755)
        try User.alice.does {
            try act.rename("e", "d/e").fails(EACCES)
            try act.rename("e", "f").succeeds()
        }
    }
}

private func observers(_ laws: inout CheckList) {
    laws.check("an observer always finds the name that is replaced again and again") { act, see in
        try act.file("f", "0000")
        let peer = try Peer.start { peer in
            for number in 0..<150 {
                try act.file("f.new", number % 2 == 0 ? "even" : "odd!")
                try act.rename("f.new", "f").succeeds()
            }
            try peer.tell("done")
        }
        var count = 0
        while !peer.isHeard(within: 0) || count < 10 {
            let content = try see.content("f")
            try holds(["0000", "even", "odd!"].contains(content), "one whole content", came: "\(content)")
            count += 1
        }
        try peer.hear("done")
        try peer.end()
    }
    laws.check("an observer never finds both names or none while a file moves to and fro") { act, see in
        try act.mkdir("d").succeeds()
        try act.file("d/f")
        let directory = try see.open("d", O_RDONLY | O_DIRECTORY)
        let peer = try Peer.start { peer in
            for _ in 0..<100 {
                try act.rename("d/f", "d/g").succeeds()
                try act.rename("d/g", "d/f").succeeds()
            }
            try peer.tell("done")
        }
        var count = 0
        while !peer.isHeard(within: 0) || count < 10 {
            try directory.seek(0, SEEK_SET).returns(0)
            let names = try directory.someEntries().map(\.name).filter { $0 != "." && $0 != ".." }
            try equal(names.count, 1, "number of names")
            count += 1
        }
        try peer.hear("done")
        try peer.end()
    }
}
