import CLinux
import Glibc

/// Names of every kind (path_resolution(7), pathname(7)).
func nameChecks() -> [Check] {
    var laws = CheckList("names")
    laws.check("a name of 255 bytes is made, found, listed and removed") { act, see in
        let name = Bytes(repeating: "n", count: 255)
        try act.file(name, "x")
        try see.contains(name, "x")
        try equal(see.names(), [name], "names")
        try act.unlink(name).succeeds()
        try see.isAbsent(name)
    }
    laws.check("a directory's name may have 255 bytes") { act, see in
        let name = Bytes(repeating: "d", count: 255)
        try act.mkdir(name).succeeds()
        try act.file(name + "/f", "x")
        try see.contains(name + "/f", "x")
    }
    laws.check("a name of 255 bytes may be renamed to and from, linked and be a symlink's") { act, see in
        let long = Bytes(repeating: "n", count: 255)
        try act.file("f", "x")
        try act.rename("f", long).succeeds()
        try act.link(long, Bytes(repeating: "l", count: 255)).succeeds()
        try act.symlink(long, Bytes(repeating: "s", count: 255)).succeeds()
        try see.contains(Bytes(repeating: "s", count: 255), "x")
        try act.rename(long, "g").succeeds()
        try see.contains("g", "x")
    }
    laws.check("every byte but / and NUL may be in a name") { act, see in
        for byte in UInt8(1)...255 where byte != UInt8(ascii: "/") {
            try act.file(Bytes([UInt8(ascii: "n"), byte]), Bytes([byte]))
        }
        try equal(see.names().count, 254, "number of names")
        for byte in UInt8(1)...255 where byte != UInt8(ascii: "/") {
            try see.contains(Bytes([UInt8(ascii: "n"), byte]), Bytes([byte]))
        }
    }
    laws.check("a name may be bytes that are no UTF-8") { act, see in
        let name = Bytes([0xFF, 0xC0, 0x80, 0xFE])
        try act.file(name, "x")
        try equal(see.names(), [name], "names")
    }
    laws.check("names that differ by case, by normal form or by blanks are different files") { act, see in
        let names: [Bytes] = ["a", "A", "\u{e9}", "e\u{301}", " ", "  ", "a ", " a", "...", ".a", "-", "*", "\n", "\\"]
        for name in names { try act.file(name, name) }
        for name in names { try see.contains(name, name) }
        try equal(Set(see.names()), Set(names), "names")
    }
    laws.check("names of every length from 1 to 255 live in one directory") { act, see in
        for count in 1...255 { try act.file(Bytes(repeating: "x", count: count)) }
        try equal(Set(see.names().map(\.count)), Set(1...255), "lengths")
    }
    laws.check("a path of PATH_MAX - 1 bytes is found") { act, see in
        try act.file("f", "x")
        for view in [act, see] {
            let room = Linux.pathMax - 1 - view.path("").count - 1 - 1
            let dots = Bytes(repeating: "./", count: room / 2) + (room % 2 == 1 ? "/" : "")
            try view.contains(dots + "f", "x")
            try view.stating(dots + "/f").fails(ENAMETOOLONG)
        }
    }
    laws.check("a tree deeper than PATH_MAX is made and walked step by step") { act, _ in
        try act.chdir("").succeeds()
        let name = Bytes(repeating: "d", count: 250)
        for _ in 0..<20 {
            try View.bare.mkdir(name).succeeds()
            try View.bare.chdir(name).succeeds()
        }
        try View.bare.file("f", "deep")
        try View.bare.contains("f", "deep")
        try View.bare.unlink("f").succeeds()
        for _ in 0..<20 {
            try View.bare.chdir("..").succeeds()
            try View.bare.rmdir(name).succeeds()
        }
    }
    laws.check("40 symlinks are followed in one path, and 41 are ELOOP") { act, see in
        try act.file("l0", "x")
        for number in 1...41 { try act.symlink("l\(number - 1)", "l\(number)").succeeds() }
        try see.contains("l40", "x")
        try see.stating("l41").fails(ELOOP)
    }
    laws.check("a trailing slash is allowed for a directory") { act, see in
        try act.mkdir("d/").succeeds()
        try equal(see.stat("d/").type, Status.directory, "type")
        try act.rmdir("d/").succeeds()
    }
    laws.check("a trailing slash is ENOTDIR for a file") { act, _ in
        try act.file("f")
        try act.stating("f/").fails(ENOTDIR)
        try act.opening("f/", O_RDONLY).fails(ENOTDIR)
        try act.unlink("f/").fails(ENOTDIR)
        try act.truncate("f/", 0).fails(ENOTDIR)
        try act.link("f/", "g").fails(ENOTDIR)
    }
    laws.check("open with O_CREAT of a new name with a trailing slash is EISDIR") { act, see in
        try act.opening("new/", O_WRONLY | O_CREAT).fails(EISDIR)
        try see.isAbsent("new")
    }
    laws.check("a trailing slash follows a symlink to a directory") { act, see in
        try act.mkdir("d").succeeds()
        try act.symlink("d", "s").succeeds()
        try equal(see.lstat("s/").type, Status.directory, "type")
        try equal(see.lstat("s").type, Status.symlink, "type")
    }
    laws.check("repeated slashes, . and .. in a path mean nothing more than in POSIX") { act, see in
        try act.mkdir("d").succeeds()
        try act.file("d/f", "x")
        try see.contains("d//f", "x")
        try see.contains("./d/./f", "x")
        try see.contains("d/../d/f", "x")
        try equal(see.stat("d/..").inode, see.stat("").inode, "inode")
    }
    laws.check("a name of 255 bytes below a missing one is still ENOENT") { act, _ in
        try act.stating("missing/" + Bytes(repeating: "n", count: 255)).fails(ENOENT)
    }
    return laws.checks
}
