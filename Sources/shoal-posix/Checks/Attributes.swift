import CLinux
import Glibc

/// setxattr(2), getxattr(2), listxattr(2), removexattr(2).
func attributeChecks() -> [Check] {
    var laws = CheckList("xattr")
    values(&laws)
    refusals(&laws)
    lists(&laws)
    spaces(&laws)
    return laws.checks
}

private func values(_ laws: inout CheckList) {
    for count in [0, 1, 255, 1000, 3000] {
        laws.check("a value of \(count) bytes reads back") { act, see in
            try act.file("f")
            let value = Bytes(patternOf: count)
            try act.setAttribute("f", "user.key", value).succeeds()
            try equal(see.attribute("f", "user.key"), value, "value")
        }
    }
    for count in [4096, 16384, 65536] {
        laws.check("a value of \(count) bytes reads back, or is ENOSPC") { act, see in
            try act.file("f")
            let value = Bytes(patternOf: count)
            let outcome = act.setAttribute("f", "user.key", value)
            try outcome.skips(on: ENOSPC, because: "the filesystem has no room for large attributes")
            try outcome.succeeds()
            try equal(see.attribute("f", "user.key"), value, "value")
        }
    }
    for (name, make) in [
        ("file", { try $0.file("x") }), ("directory", { try $0.mkdir("x").succeeds() }),
    ] as [(String, (View) throws -> Void)] {
        laws.check("a \(name) has attributes") { act, see in
            try make(act)
            try act.setAttribute("x", "user.key", "value").succeeds()
            try equal(see.attribute("x", "user.key"), "value", "value")
            try equal(see.attributes("x"), ["user.key"], "names")
        }
    }
    laws.check("a value is replaced by another of any size") { act, see in
        try act.file("f")
        for count in [10, 1000, 0, 500, 3] {
            let value = Bytes(patternOf: count, seed: count)
            try act.setAttribute("f", "user.key", value).succeeds()
            try equal(see.attribute("f", "user.key"), value, "value")
        }
    }
    laws.check("an attribute's name may have 255 bytes with its prefix, and any bytes") { act, see in
        try act.file("f")
        let long = "user." + Bytes(repeating: "n", count: 250)
        let odd = "user." + Bytes([1, 0xFF, UInt8(ascii: "/"), UInt8(ascii: " ")])
        for key in [long, odd] {
            try act.setAttribute("f", key, "value").succeeds()
            try equal(see.attribute("f", key), "value", "value")
        }
    }
    laws.check("attributes are set and read by descriptor") { act, see in
        let file = try act.create("f")
        try file.setAttribute("user.key", "value").succeeds()
        try equal(file.attribute("user.key"), "value", "value by descriptor")
        try equal(see.attribute("f", "user.key"), "value", "value by name")
    }
    laws.check("attributes follow the inode: rename and links keep them") { act, see in
        try act.file("f")
        try act.setAttribute("f", "user.key", "value").succeeds()
        try act.link("f", "g").succeeds()
        try act.rename("f", "h").succeeds()
        try equal(see.attribute("g", "user.key"), "value", "value")
        try equal(see.attribute("h", "user.key"), "value", "value")
    }
    laws.check("attributes survive writing, truncation and chmod") { act, see in
        try act.file("f", "content")
        try act.setAttribute("f", "user.key", "value").succeeds()
        try act.open("f").write("more").returns(4)
        try act.truncate("f", 0).succeeds()
        try act.chmod("f", 0o600).succeeds()
        try equal(see.attribute("f", "user.key"), "value", "value")
    }
    laws.check("a new file of an old name has no attributes") { act, see in
        try act.file("f")
        try act.setAttribute("f", "user.key", "value").succeeds()
        try act.unlink("f").succeeds()
        try act.file("f")
        try see.gettingAttribute("f", "user.key").fails(ENODATA)
    }
    laws.check("path calls follow symlinks") { act, see in
        try act.file("f")
        try act.symlink("f", "s").succeeds()
        try act.setAttribute("s", "user.key", "value").succeeds()
        try equal(see.attribute("f", "user.key"), "value", "value")
        try act.removeAttribute("s", "user.key").succeeds()
        try see.gettingAttribute("f", "user.key").fails(ENODATA)
    }
    laws.check("an unlinked open file keeps its attributes") { act, _ in
        let file = try act.create("f")
        try file.setAttribute("user.key", "value").succeeds()
        try act.unlink("f").succeeds()
        try equal(file.attribute("user.key"), "value", "value")
        try file.setAttribute("user.more", "x").succeeds()
    }
}

private func refusals(_ laws: inout CheckList) {
    laws.check("a missing attribute is ENODATA") { act, _ in
        try act.file("f")
        try act.gettingAttribute("f", "user.missing").fails(ENODATA)
        try act.removeAttribute("f", "user.missing").fails(ENODATA)
    }
    laws.check("XATTR_CREATE of an attribute that exists is EEXIST") { act, see in
        try act.file("f")
        try act.setAttribute("f", "user.key", "old", CInt(XATTR_CREATE)).succeeds()
        try act.setAttribute("f", "user.key", "new", CInt(XATTR_CREATE)).fails(EEXIST)
        try equal(see.attribute("f", "user.key"), "old", "value")
    }
    laws.check("XATTR_REPLACE of a missing attribute is ENODATA") { act, see in
        try act.file("f")
        try act.setAttribute("f", "user.key", "new", CInt(XATTR_REPLACE)).fails(ENODATA)
        try see.gettingAttribute("f", "user.key").fails(ENODATA)
        try act.setAttribute("f", "user.key", "old").succeeds()
        try act.setAttribute("f", "user.key", "new", CInt(XATTR_REPLACE)).succeeds()
        try equal(see.attribute("f", "user.key"), "new", "value")
    }
    laws.check("unknown flags are EINVAL") { act, _ in
        try act.file("f")
        try act.setAttribute("f", "user.key", "value", 8).fails(EINVAL)
    }
    laws.check("a value of more than 65536 bytes is E2BIG") { act, _ in
        try act.file("f")
        try act.setAttribute("f", "user.key", Bytes(zeros: 65537)).fails(E2BIG)
    }
    laws.check("a buffer too small for the value is ERANGE, and size 0 asks for it") { act, see in
        try act.file("f")
        try act.setAttribute("f", "user.key", "0123456789").succeeds()
        try see.gettingAttribute("f", "user.key", size: 9).fails(ERANGE)
        try see.gettingAttribute("f", "user.key", size: 0).returns(10)
        try see.gettingAttribute("f", "user.key", size: 10).returns(10)
    }
    laws.check("a name of more than 255 bytes, or none, is ERANGE") { act, _ in
        try act.file("f")
        let long = "user." + Bytes(repeating: "n", count: 251)
        try act.setAttribute("f", long, "value").fails(ERANGE)
        try act.gettingAttribute("f", long).fails(ERANGE)
        try act.removeAttribute("f", long).fails(ERANGE)
        try act.setAttribute("f", "", "value").fails(ERANGE)
    }
    for key in ["nonsense", "nonsense.key", "User.key"] as [Bytes] {
        laws.check("a name outside every namespace, \(key.text), is EOPNOTSUPP") { act, _ in
            try act.file("f")
            try act.setAttribute("f", key, "value").fails(EOPNOTSUPP)
            try act.gettingAttribute("f", key).fails(EOPNOTSUPP)
            try act.removeAttribute("f", key).fails(EOPNOTSUPP)
        }
    }
    laws.check("a prefix without a name, user., is EINVAL") { act, _ in
        try act.file("f")
        try act.setAttribute("f", "user.", "value").fails(EINVAL)
    }
    for (name, kind) in [
        ("fifo", Status.fifo), ("socket", Status.socket), ("device", Status.characterDevice),
    ] {
        laws.check("user attributes of a \(name) are EPERM to set and ENODATA to get") { act, _ in
            try act.mknod("x", kind | 0o666, 0x0103).succeeds()
            try act.setAttribute("x", "user.key", "value").fails(EPERM)
            try act.gettingAttribute("x", "user.key").fails([ENODATA, EPERM])
        }
    }
    laws.check("user attributes of a symlink are EPERM to set and ENODATA to get") { act, _ in
        try act.symlink("missing", "s").succeeds()
        try act.setAttribute("s", "user.key", "value", isLink: true).fails(EPERM)
        try act.gettingAttribute("s", "user.key", isLink: true).fails([ENODATA, EPERM])
    }
}

private func lists(_ laws: inout CheckList) {
    laws.check("the list names every attribute once") { act, see in
        try act.file("f")
        let names = (0..<20).map { Bytes("user.key-\($0)") }
        for name in names { try act.setAttribute("f", name, "v").succeeds() }
        try equal(Set(see.attributes("f")), Set(names), "names")
        try equal(see.attributes("f").count, 20, "names")
    }
    laws.check("the list of a file without attributes is empty") { act, see in
        try act.file("f")
        try equal(see.attributes("f"), [], "names")
    }
    laws.check("a list buffer too small is ERANGE, and size 0 asks for the size") { act, see in
        try act.file("f")
        try act.setAttribute("f", "user.abc", "v").succeeds()
        var list: Bytes = ""
        let size = try see.listingAttributes("f", size: 0, into: &list).succeeds()
        try holds(size >= 9, "at least 9 bytes", came: "\(size)")
        try see.listingAttributes("f", size: size - 1, into: &list).fails(ERANGE)
        try see.listingAttributes("f", size: size, into: &list).returns(size)
        try holds(list.text.contains("user.abc\0"), "the name with its NUL", came: "\(list)")
    }
    laws.check("a removed attribute is gone from list and get, the others stay") { act, see in
        try act.file("f")
        for name in ["user.a", "user.b", "user.c"] as [Bytes] { try act.setAttribute("f", name, name).succeeds() }
        try act.removeAttribute("f", "user.b").succeeds()
        try equal(see.attributes("f"), ["user.a", "user.c"], "names")
        try see.gettingAttribute("f", "user.b").fails(ENODATA)
        try equal(see.attribute("f", "user.c"), "user.c", "value")
    }
    laws.check("a symlink's list is its own, not its target's") { act, see in
        try act.file("f")
        try act.setAttribute("f", "user.key", "v").succeeds()
        try act.symlink("f", "s").succeeds()
        try equal(see.attributes("s", isLink: true), [], "names of the symlink")
        try equal(see.attributes("s"), ["user.key"], "names of its target")
    }
}

private func spaces(_ laws: inout CheckList) {
    laws.check("user attributes need permission to read and to write the file: EACCES") { act, _ in
        try act.file("f", "", 0o644)
        try act.setAttribute("f", "user.key", "value").succeeds()
        try User.alice.does {
            try equal(act.attribute("f", "user.key"), "value", "value")
            try act.setAttribute("f", "user.key", "x").fails(EACCES)
            try act.removeAttribute("f", "user.key").fails(EACCES)
        }
        try act.chmod("f", 0o600).succeeds()
        try User.alice.does { try act.gettingAttribute("f", "user.key").fails(EACCES) }
    }
    laws.check("in a sticky directory's own user attributes only its owner writes: EPERM") { act, _ in
        try act.directory("d", 0o1777)
        try User.alice.does { try act.setAttribute("d", "user.key", "x").fails(EPERM) }
    }
    laws.check("trusted attributes are root's alone: EPERM to set, ENODATA to get, not listed") { act, see in
        try act.file("f", "", 0o666)
        try act.setAttribute("f", "trusted.key", "value").succeeds()
        try equal(see.attribute("f", "trusted.key"), "value", "value")
        try User.alice.does {
            try act.setAttribute("f", "trusted.key", "x").fails(EPERM)
            try act.gettingAttribute("f", "trusted.key").fails([ENODATA, EPERM])
            try act.removeAttribute("f", "trusted.key").fails(EPERM)
        }
    }
    laws.check("trusted attributes are not listed for others") { act, see in
        try act.file("f", "", 0o666)
        try act.setAttribute("f", "trusted.key", "value").succeeds()
        try equal(see.attributes("f"), ["trusted.key"], "names for root")
        try User.alice.does { try equal(see.attributes("f"), [], "names for others") }
    }
    laws.check("trusted attributes may be on symlinks and special files") { act, see in
        try act.symlink("missing", "s").succeeds()
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        try act.setAttribute("s", "trusted.key", "value", isLink: true).succeeds()
        try act.setAttribute("p", "trusted.key", "value").succeeds()
        try equal(see.attribute("s", "trusted.key", isLink: true), "value", "value")
        try equal(see.attribute("p", "trusted.key"), "value", "value")
    }
    laws.check("security attributes are read by anybody and set by root: EPERM") { act, see in
        try act.file("f", "", 0o666)
        try act.setAttribute("f", "security.shoal-test", "value").succeeds()
        try User.alice.does {
            try equal(see.attribute("f", "security.shoal-test"), "value", "value")
            try act.setAttribute("f", "security.shoal-test", "x").fails(EPERM)
        }
    }
    laws.check("security.capability is kept as it was set and goes with a write") { act, see in
        try act.file("f", "program", 0o755)
        // struct vfs_cap_data, revision 2: CAP_NET_RAW permitted.
        let capability = Bytes([1, 0, 0, 2, 0, 0x20, 0, 0] + [UInt8](repeating: 0, count: 12))
        try act.setAttribute("f", "security.capability", capability).succeeds()
        try equal(see.attribute("f", "security.capability"), capability, "value")
        try act.open("f").write("x").returns(1)
        try see.gettingAttribute("f", "security.capability").fails(ENODATA)
    }
    laws.check("system attributes of an unknown name are EOPNOTSUPP") { act, _ in
        try act.file("f")
        try act.setAttribute("f", "system.nonsense", "value").fails(EOPNOTSUPP)
    }
}
