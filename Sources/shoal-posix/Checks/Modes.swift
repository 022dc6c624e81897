import Glibc

/// chmod(2), chown(2) and access by mode.
func modeChecks() -> [Check] {
    var laws = CheckList("chmod and chown")
    chmod(&laws)
    chown(&laws)
    access(&laws)
    return laws.checks
}

private func chmod(_ laws: inout CheckList) {
    for mode in [0, 0o111, 0o222, 0o444, 0o644, 0o755, 0o777, 0o1777, 0o2755, 0o4755, 0o6755, 0o7777] as [UInt32] {
        laws.check("chmod to 0\(String(mode, radix: 8)) is what stat says, for files, directories and fifos") {
            act, see in
            try act.file("f")
            try act.mkdir("d").succeeds()
            try act.mknod("p", Status.fifo | 0o644).succeeds()
            for (name, type) in [("f", Status.regular), ("d", Status.directory), ("p", Status.fifo)]
                as [(Bytes, UInt32)]
            {
                try act.chmod(name, mode).succeeds()
                try equalMode(see.stat(name).mode, type | mode)
            }
        }
    }
    laws.check("fchmod changes the mode by descriptor") { act, see in
        let file = try act.create("f")
        try file.chmod(0o4710).succeeds()
        try equalMode(see.stat("f").permissions, 0o4710)
    }
    laws.check("chmod of a symlink changes its target") { act, see in
        try act.file("f")
        try act.symlink("f", "s").succeeds()
        try act.chmod("s", 0o600).succeeds()
        try equalMode(see.stat("f").permissions, 0o600)
        try equalMode(see.lstat("s").permissions, 0o777)
    }
    laws.check("chmod by who is not the owner is EPERM, group or not") { act, see in
        try act.file("f", "", 0o666)
        try act.chown("f", 2001, 2001).succeeds()
        try User.bob.does { try act.chmod("f", 0o600).fails(EPERM) }
        try User.bobInAlicesGroup.does { try act.chmod("f", 0o600).fails(EPERM) }
        try equalMode(see.stat("f").permissions, 0o666)
    }
    laws.check("chmod by an owner outside the file's group takes the setgid bit away") { act, see in
        try act.file("f")
        try act.chown("f", 2001, 2002).succeeds()
        try User.alice.does { try act.chmod("f", 0o2755).succeeds() }
        try equalMode(see.stat("f").permissions, 0o755)
        try User.aliceInBobsGroup.does { try act.chmod("f", 0o2755).succeeds() }
        try equalMode(see.stat("f").permissions, 0o2755)
    }
    laws.check("chmod takes effect for opens, not for files that are open") { act, _ in
        try User.alice.does {
            let file = try act.create("f")
            try act.chmod("f", 0).succeeds()
            try file.write("x").returns(1)
            try act.opening("f", O_RDONLY).fails(EACCES)
        }
    }
    laws.check("chmod of a directory is in force at once") { act, see in
        try act.directory("d", 0o777)
        try act.file("d/f")
        try User.alice.does { _ = try see.stat("d/f") }
        try act.chmod("d", 0o700).succeeds()
        try User.alice.does { try see.stating("d/f").fails(EACCES) }
        try act.chmod("d", 0o711).succeeds()
        try User.alice.does {
            _ = try see.stat("d/f")
            try see.opening("d", O_RDONLY | O_DIRECTORY).fails(EACCES)
        }
    }
}

private func chown(_ laws: inout CheckList) {
    laws.check("root changes owner and group, together or one") { act, see in
        try act.file("f")
        try act.chown("f", 2001, 2002).succeeds()
        try equal(see.stat("f").owner, 2001, "owner")
        try equal(see.stat("f").group, 2002, "group")
        try act.chown("f", 2003, -1).succeeds()
        try equal(see.stat("f").group, 2002, "group")
        try act.chown("f", -1, 2004).succeeds()
        try equal(see.stat("f").owner, 2003, "owner")
        try equal(see.stat("f").group, 2004, "group")
    }
    laws.check("owners and groups up to 2^32 - 2 are kept") { act, see in
        try act.file("f")
        try act.chown("f", 0xFFFF_FFFE, 0xFFFF_FFFD).succeeds()
        try equal(see.stat("f").owner, 0xFFFF_FFFE, "owner")
        try equal(see.stat("f").group, 0xFFFF_FFFD, "group")
    }
    laws.check("fchown changes by descriptor, lchown a symlink itself, chown its target") { act, see in
        let file = try act.create("f")
        try file.chown(2001, 2001).succeeds()
        try act.symlink("f", "s").succeeds()
        try act.lchown("s", 2002, 2002).succeeds()
        try equal(see.lstat("s").owner, 2002, "owner of the symlink")
        try equal(see.stat("f").owner, 2001, "owner of the target")
        try act.chown("s", 2003, 2003).succeeds()
        try equal(see.lstat("s").owner, 2002, "owner of the symlink")
        try equal(see.stat("f").owner, 2003, "owner of the target")
    }
    laws.check("an owner cannot give a file away: EPERM") { act, see in
        try act.file("f")
        try act.chown("f", 2001, 2001).succeeds()
        try User.alice.does { try act.chown("f", 2002, -1).fails(EPERM) }
        try equal(see.stat("f").owner, 2001, "owner")
    }
    laws.check("an owner changes the group to one of its own, and to no other: EPERM") { act, see in
        try act.file("f")
        try act.chown("f", 2001, 2001).succeeds()
        try User.aliceInBobsGroup.does {
            try act.chown("f", -1, 2002).succeeds()
            try act.chown("f", -1, 2003).fails(EPERM)
        }
        try equal(see.stat("f").group, 2002, "group")
    }
    laws.check("who does not own a file changes neither owner nor group: EPERM") { act, _ in
        try act.file("f", "", 0o666)
        try User.alice.does {
            try act.chown("f", 2001, -1).fails(EPERM)
            try act.chown("f", -1, 2001).fails(EPERM)
        }
    }
    laws.check("a chown that changes nothing is allowed to the owner") { act, _ in
        try act.file("f")
        try act.chown("f", 2001, 2001).succeeds()
        try User.alice.does {
            try act.chown("f", 2001, 2001).succeeds()
            try act.chown("f", -1, -1).succeeds()
        }
    }
    laws.check("the new owner may do what the old one might, at once") { act, see in
        try act.file("f", "x", 0o600)
        try User.alice.does { try see.opening("f", O_RDONLY).fails(EACCES) }
        try act.chown("f", 2001, 2001).succeeds()
        try User.alice.does { _ = try see.open("f", O_RDWR) }
        try act.chown("f", 2002, 2002).succeeds()
        try User.alice.does { try see.opening("f", O_RDONLY).fails(EACCES) }
    }
}

private func access(_ laws: inout CheckList) {
    for bits in 0...7 as ClosedRange<UInt32> {
        laws.check("access by the owner, group and others with bits \(bits) allows just these") { act, see in
            try act.file("f")
            try act.chown("f", 2001, 2001).succeeds()
            for (user, shift) in [(User.alice, 6), (User.bobInAlicesGroup, 3), (User.bob, 0)] as [(User, UInt32)] {
                try act.chmod("f", bits << shift).succeeds()
                try user.does {
                    for question in 1...7 as ClosedRange<UInt32> {
                        let outcome = see.access("f", CInt(question))
                        try outcome.answers([question & bits == question ? 0 : EACCES])
                    }
                }
            }
        }
    }
    laws.check("root is refused execution alone, and that only without any x bit") { act, see in
        try act.file("f", "", 0)
        try see.access("f", R_OK | W_OK).succeeds()
        try see.access("f", X_OK).fails(EACCES)
        try act.chmod("f", 0o001).succeeds()
        try see.access("f", X_OK).succeeds()
    }
    laws.check("access with unknown bits is EINVAL") { act, _ in
        try act.file("f")
        try act.access("f", 8).fails(EINVAL)
    }
    laws.check("searching a directory needs x, listing it r, making names w and x") { act, _ in
        try act.directory("d", 0o777)
        try act.file("d/f")
        for bits in 0...7 as ClosedRange<UInt32> {
            try act.chmod("d", bits).succeeds()
            try User.alice.does {
                try act.stating("d/f").answers([bits & 1 != 0 ? 0 : EACCES])
                let list = act.opening("d", O_RDONLY | O_DIRECTORY)
                if bits & 4 != 0 { try list.succeeds() } else { try list.fails(EACCES) }
                try act.mkdir("d/new").answers([bits & 3 == 3 ? 0 : EACCES])
                if bits & 3 == 3 { try act.rmdir("d/new").succeeds() }
            }
        }
    }
    laws.check("a supplementary group counts as much as the first") { act, see in
        try act.file("f", "x", 0o040)
        try act.chown("f", -1, 2001).succeeds()
        try User.bob.does { try see.opening("f", O_RDONLY).fails(EACCES) }
        try User.bobInAlicesGroup.does { _ = try see.open("f", O_RDONLY) }
    }
}
