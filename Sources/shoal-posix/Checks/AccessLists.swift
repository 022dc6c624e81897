import Glibc

/// A POSIX ACL as system.posix_acl_access holds it: version 2, then tag, permissions and id of each entry (acl(5)).
struct AccessList {
    enum Tag: UInt16 { case owner = 1, user = 2, owningGroup = 4, group = 8, mask = 16, others = 32 }
    var entries: [(tag: Tag, permissions: UInt16, id: UInt32)]

    init(_ entries: [(Tag, UInt16, UInt32)]) { self.entries = entries.map { ($0.0, $0.1, $0.2) } }

    /// Owner, group and others alone, as the mode says it.
    init(mode: UInt32) {
        self.init([
            (.owner, UInt16(mode >> 6 & 7), .max), (.owningGroup, UInt16(mode >> 3 & 7), .max),
            (.others, UInt16(mode & 7), .max),
        ])
    }

    var bytes: Bytes {
        func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
            withUnsafeBytes(of: number.littleEndian) { Array($0) }
        }
        return Bytes(
            little(UInt32(2)) + entries.flatMap { little($0.tag.rawValue) + little($0.permissions) + little($0.id) })
    }
}

private let accessKey: Bytes = "system.posix_acl_access"
private let defaultKey: Bytes = "system.posix_acl_default"
private let nobody = UInt32.max

/// rw for alice besides the owner's rw and nothing for the others, with that mask.
private func aliceReadsAndWrites(mask: UInt16 = 6) -> AccessList {
    AccessList([
        (.owner, 6, nobody), (.user, 6, 2001), (.owningGroup, 0, nobody), (.mask, mask, nobody), (.others, 0, nobody),
    ])
}

/// POSIX access control lists (acl(5)).
func accessListChecks() -> [Check] {
    var laws = CheckList("ACL")
    lists(&laws)
    decisions(&laws)
    defaults(&laws)
    return laws.checks
}

private func lists(_ laws: inout CheckList) {
    laws.check("an access list reads back as it was set") { act, see in
        try act.file("f", "", 0o600)
        try act.setAttribute("f", accessKey, aliceReadsAndWrites().bytes).succeeds()
        try equal(see.attribute("f", accessKey), aliceReadsAndWrites().bytes, "list")
        try equal(see.attributes("f"), [accessKey], "names")
    }
    laws.check("a list of owner, group and others alone is the mode, and is not kept") { act, see in
        try act.file("f", "", 0o600)
        try act.setAttribute("f", accessKey, AccessList(mode: 0o754).bytes).succeeds()
        try equalMode(see.stat("f").permissions, 0o754)
        try see.gettingAttribute("f", accessKey).fails(ENODATA)
    }
    laws.check("the mask is the mode's group bits, and chmod sets the mask") { act, see in
        try act.file("f", "", 0o600)
        try act.setAttribute("f", accessKey, aliceReadsAndWrites().bytes).succeeds()
        try equalMode(see.stat("f").permissions, 0o660)
        try act.chmod("f", 0o640).succeeds()
        try equal(see.attribute("f", accessKey), aliceReadsAndWrites(mask: 4).bytes, "list")
    }
    laws.check("chmod sets the owner's and the others' entries too") { act, see in
        try act.file("f", "", 0o600)
        try act.setAttribute("f", accessKey, aliceReadsAndWrites().bytes).succeeds()
        try act.chmod("f", 0o465).succeeds()
        let expected = AccessList([
            (.owner, 4, nobody), (.user, 6, 2001), (.owningGroup, 0, nobody), (.mask, 6, nobody), (.others, 5, nobody),
        ])
        try equal(see.attribute("f", accessKey), expected.bytes, "list")
    }
    laws.check("removing the list leaves the mode") { act, see in
        try act.file("f", "", 0o600)
        try act.setAttribute("f", accessKey, aliceReadsAndWrites().bytes).succeeds()
        try act.removeAttribute("f", accessKey).succeeds()
        try see.gettingAttribute("f", accessKey).fails(ENODATA)
        try equalMode(see.stat("f").permissions, 0o660)
        try User.alice.does { try see.opening("f", O_RDONLY).fails(EACCES) }
    }
    for (name, list) in [
        ("without the owner", AccessList([(.owningGroup, 0, nobody), (.others, 0, nobody)])),
        (
            "with users and no mask",
            AccessList([
                (.owner, 6, nobody), (.user, 6, 2001), (.owningGroup, 0, nobody), (.others, 0, nobody),
            ])
        ),
        ("out of order", AccessList([(.others, 0, nobody), (.owningGroup, 0, nobody), (.owner, 6, nobody)])),
        (
            "with permissions above 7",
            AccessList([(.owner, 8, nobody), (.owningGroup, 0, nobody), (.others, 0, nobody)])
        ),
    ] {
        laws.check("a list \(name) is EINVAL") { act, see in
            try act.file("f", "", 0o640)
            try act.setAttribute("f", accessKey, list.bytes).fails(EINVAL)
            try equalMode(see.stat("f").permissions, 0o640)
        }
    }
    laws.check("a cut list, or one of another version, is EINVAL or EOPNOTSUPP") { act, _ in
        try act.file("f")
        let bytes = AccessList(mode: 0o644).bytes
        try act.setAttribute("f", accessKey, bytes[0..<(bytes.count - 3)]).fails(EINVAL)
        try act.setAttribute("f", accessKey, Bytes([9, 0, 0, 0]) + bytes[4..<bytes.count]).fails([EOPNOTSUPP, EINVAL])
    }
    laws.check("who does not own a file cannot set its list: EPERM") { act, _ in
        try act.file("f", "", 0o666)
        try User.alice.does {
            try act.setAttribute("f", accessKey, AccessList(mode: 0o777).bytes).fails(EPERM)
            try act.removeAttribute("f", accessKey).fails(EPERM)
        }
    }
    laws.check("a symlink has no list: EOPNOTSUPP") { act, _ in
        try act.symlink("x", "s").succeeds()
        try act.setAttribute("s", accessKey, AccessList(mode: 0o644).bytes, isLink: true).fails(EOPNOTSUPP)
    }
    laws.check("a default list on what is no directory is EACCES") { act, _ in
        try act.file("f")
        try act.setAttribute("f", defaultKey, AccessList(mode: 0o644).bytes).fails([EACCES, EOPNOTSUPP])
    }
    laws.check("a list of 100 users reads back") { act, see in
        try act.file("f", "", 0o600)
        let users = (0..<100).map { (AccessList.Tag.user, UInt16(4), UInt32(3000 + $0)) }
        let list = AccessList(
            [(.owner, 6, nobody)] + users + [(.owningGroup, 0, nobody), (.mask, 4, nobody), (.others, 0, nobody)])
        try act.setAttribute("f", accessKey, list.bytes).succeeds()
        try equal(see.attribute("f", accessKey), list.bytes, "list")
        try User(id: 3099, group: 3099).does { _ = try see.open("f", O_RDONLY) }
    }
    laws.check("setting a list moves ctime, and not mtime") { act, see in
        try act.file("f", "", 0o600)
        let before = try see.stat("f")
        Time.advance()
        try act.setAttribute("f", accessKey, aliceReadsAndWrites().bytes).succeeds()
        try holds(see.stat("f").changed > before.changed, "a later ctime")
        try equal(see.stat("f").modified, before.modified, "mtime")
    }
}

private func decisions(_ laws: inout CheckList) {
    laws.check("a named user has what the list says, nobody else has") { act, see in
        try act.file("f", "x", 0o600)
        try act.setAttribute("f", accessKey, aliceReadsAndWrites().bytes).succeeds()
        try User.alice.does { _ = try see.open("f", O_RDWR) }
        try User.bob.does { try see.opening("f", O_RDONLY).fails(EACCES) }
    }
    laws.check("the mask cuts what a named user has") { act, see in
        try act.file("f", "x", 0o600)
        try act.setAttribute("f", accessKey, aliceReadsAndWrites(mask: 4).bytes).succeeds()
        try User.alice.does {
            _ = try see.open("f", O_RDONLY)
            try see.opening("f", O_RDWR).fails(EACCES)
        }
    }
    laws.check("a named group has what the list says, through supplementary groups too") { act, see in
        try act.file("f", "x", 0o600)
        let list = AccessList([
            (.owner, 6, nobody), (.owningGroup, 0, nobody), (.group, 4, 2001), (.mask, 7, nobody), (.others, 0, nobody),
        ])
        try act.setAttribute("f", accessKey, list.bytes).succeeds()
        try User.alice.does { _ = try see.open("f", O_RDONLY) }
        try User.bobInAlicesGroup.does {
            _ = try see.open("f", O_RDONLY)
            try see.opening("f", O_RDWR).fails(EACCES)
        }
        try User.bob.does { try see.opening("f", O_RDONLY).fails(EACCES) }
    }
    laws.check("a named user without permissions is refused what the others have") { act, see in
        try act.file("f", "x", 0o644)
        let list = AccessList([
            (.owner, 6, nobody), (.user, 0, 2001), (.owningGroup, 4, nobody), (.mask, 4, nobody), (.others, 4, nobody),
        ])
        try act.setAttribute("f", accessKey, list.bytes).succeeds()
        try User.alice.does { try see.opening("f", O_RDONLY).fails(EACCES) }
        try User.bob.does { _ = try see.open("f", O_RDONLY) }
    }
    laws.check("the owner's entry alone decides for the owner") { act, see in
        try act.file("f", "x", 0o600)
        try act.chown("f", 2001, 2001).succeeds()
        let list = AccessList([
            (.owner, 0, nobody), (.user, 6, 2001), (.owningGroup, 6, nobody), (.mask, 6, nobody), (.others, 6, nobody),
        ])
        try act.setAttribute("f", accessKey, list.bytes).succeeds()
        try User.alice.does { try see.opening("f", O_RDONLY).fails(EACCES) }
    }
    laws.check("a change of the list is in force at once") { act, see in
        try act.file("f", "x", 0o600)
        for _ in 0..<3 {
            try act.setAttribute("f", accessKey, aliceReadsAndWrites().bytes).succeeds()
            try User.alice.does { _ = try see.open("f", O_RDWR) }
            try act.setAttribute("f", accessKey, AccessList(mode: 0o600).bytes).succeeds()
            try User.alice.does { try see.opening("f", O_RDWR).fails(EACCES) }
        }
    }
    laws.check("a directory's list decides who searches and who makes names") { act, see in
        try act.directory("d", 0o700)
        try act.file("d/f", "x", 0o644)
        let list = AccessList([
            (.owner, 7, nobody), (.user, 7, 2001), (.owningGroup, 0, nobody), (.mask, 7, nobody), (.others, 0, nobody),
        ])
        try act.setAttribute("d", accessKey, list.bytes).succeeds()
        try User.alice.does {
            try see.contains("d/f", "x")
            try act.file("d/g")
        }
        try User.bob.does { try see.stating("d/f").fails(EACCES) }
    }
    laws.check("access(2) answers by the list") { act, see in
        try act.file("f", "x", 0o600)
        try act.setAttribute("f", accessKey, aliceReadsAndWrites(mask: 4).bytes).succeeds()
        try User.alice.does {
            try see.access("f", R_OK).succeeds()
            try see.access("f", W_OK).fails(EACCES)
        }
    }
}

private func defaults(_ laws: inout CheckList) {
    let list = AccessList([
        (.owner, 7, nobody), (.user, 6, 2001), (.owningGroup, 5, nobody), (.mask, 7, nobody), (.others, 0, nobody),
    ])
    laws.check("a directory's default list reads back, is removed, and changes no access") { act, see in
        try act.directory("d", 0o755)
        try act.setAttribute("d", defaultKey, list.bytes).succeeds()
        try equal(see.attribute("d", defaultKey), list.bytes, "list")
        try equalMode(see.stat("d").permissions, 0o755)
        try act.removeAttribute("d", defaultKey).succeeds()
        try see.gettingAttribute("d", defaultKey).fails(ENODATA)
    }
    laws.check("a new file takes the default list, less what its mode withholds") { act, see in
        try act.mkdir("d").succeeds()
        try act.setAttribute("d", defaultKey, list.bytes).succeeds()
        try act.file("d/f", "x", 0o640)
        let expected = AccessList([
            (.owner, 6, nobody), (.user, 6, 2001), (.owningGroup, 5, nobody), (.mask, 4, nobody), (.others, 0, nobody),
        ])
        try equal(see.attribute("d/f", accessKey), expected.bytes, "list")
        try equalMode(see.stat("d/f").permissions, 0o640)
        try see.gettingAttribute("d/f", defaultKey).fails([ENODATA, EOPNOTSUPP, EACCES])
    }
    laws.check("with a default list the umask plays no part") { act, see in
        umask(0o077)
        try act.mkdir("d").succeeds()
        try act.setAttribute("d", defaultKey, list.bytes).succeeds()
        try act.open("d/f", O_WRONLY | O_CREAT, 0o666).close().succeeds()
        try equalMode(see.stat("d/f").permissions, 0o660)
        try act.mkdir("d/e", 0o777).succeeds()
        try equalMode(see.stat("d/e").permissions, 0o770)
    }
    laws.check("a new directory takes the default list for itself and for what is made in it") { act, see in
        try act.mkdir("d").succeeds()
        try act.setAttribute("d", defaultKey, list.bytes).succeeds()
        try act.mkdir("d/e", 0o777).succeeds()
        try equal(see.attribute("d/e", defaultKey), list.bytes, "default list")
        try act.file("d/e/f", "x", 0o666)
        try User.alice.does { try see.stating("d/e/f").fails(EACCES) }
        try equalMode(see.stat("d/e/f").permissions, 0o660)
    }
    laws.check("a default list of owner, group and others alone sets the mode of what is made") { act, see in
        try act.mkdir("d").succeeds()
        try act.setAttribute("d", defaultKey, AccessList(mode: 0o640).bytes).succeeds()
        try act.open("d/f", O_WRONLY | O_CREAT, 0o666).close().succeeds()
        try equalMode(see.stat("d/f").permissions, 0o640)
        try see.gettingAttribute("d/f", accessKey).fails(ENODATA)
    }
    laws.check("a symlink takes nothing from a default list") { act, see in
        try act.mkdir("d").succeeds()
        try act.setAttribute("d", defaultKey, list.bytes).succeeds()
        try act.symlink("x", "d/s").succeeds()
        try equalMode(see.lstat("d/s").permissions, 0o777)
    }
    laws.check("a fifo takes the default list") { act, see in
        try act.mkdir("d").succeeds()
        try act.setAttribute("d", defaultKey, list.bytes).succeeds()
        try act.mknod("d/p", Status.fifo | 0o666).succeeds()
        try equalMode(see.stat("d/p").permissions, 0o660)
    }
    laws.check("what is renamed into a directory with a default list keeps its own access") { act, see in
        try act.mkdir("d").succeeds()
        try act.setAttribute("d", defaultKey, list.bytes).succeeds()
        try act.file("f", "x", 0o604)
        try act.rename("f", "d/f").succeeds()
        try equalMode(see.stat("d/f").permissions, 0o604)
        try see.gettingAttribute("d/f", accessKey).fails(ENODATA)
    }
}
