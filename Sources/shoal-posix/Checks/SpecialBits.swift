import CLinux
import Glibc

/// The setuid, setgid and sticky bits: when they are cleared, inherited and heeded (inode(7)).
func specialBitChecks() -> [Check] {
    var laws = CheckList("special bits")
    clearing(&laws)
    inheritance(&laws)
    sticky(&laws)
    return laws.checks
}

private func clearing(_ laws: inout CheckList) {
    for (name, change) in [
        ("write", { try $0.open("f", O_WRONLY).write("x").returns(1) }),
        ("pwrite", { try $0.open("f", O_WRONLY).pwrite("x", at: 100).returns(1) }),
        ("writev", { try $0.open("f", O_WRONLY).writev(["x", "y"]).returns(2) }),
        ("truncate", { try $0.truncate("f", 1).succeeds() }),
        ("ftruncate", { try $0.open("f", O_WRONLY).truncate(100).succeeds() }),
        ("O_TRUNC", { _ = try $0.open("f", O_WRONLY | O_TRUNC) }),
        ("fallocate", { try $0.open("f", O_WRONLY).allocate(0, 0, 100).succeeds() }),
        (
            "copy_file_range",
            {
                try $0.file("source", "content")
                try $0.open("source").copy(0, to: $0.open("f"), 0, 7).returns(7)
            }
        ),
    ] as [(String, (View) throws -> Void)] {
        for (mode, left) in [(0o6777, 0o777), (0o4766, 0o766), (0o2777, 0o777), (0o2767, 0o767)] as [(UInt32, UInt32)] {
            laws.check("\(name) by another user turns 0\(String(mode, radix: 8)) into 0\(String(left, radix: 8))") {
                act, see in
                try act.file("f", "content", mode)
                try User.alice.does { try change(act) }
                try equalMode(see.stat("f").permissions, left)
            }
        }
        laws.check("\(name) by a member of its group leaves set-group-ID where the group may not execute") { act, see in
            try act.file("f", "content", 0o6767)
            try act.chown("f", -1, 2001).succeeds()
            try act.chmod("f", 0o6767).succeeds()
            try User.bobInAlicesGroup.does { try change(act) }
            try equalMode(see.stat("f").permissions, 0o2767)
        }
        laws.check("\(name) by root keeps 06777") { act, see in
            try act.file("f", "content", 0o6777)
            try change(act)
            try equalMode(see.stat("f").permissions, 0o6777)
        }
    }
    laws.check("a write by the owner clears setuid and setgid too") { act, see in
        try User.alice.does {
            try act.file("f", "content", 0o6755)
            try equalMode(see.stat("f").permissions, 0o6755)
            try act.open("f").write("x").returns(1)
        }
        try equalMode(see.stat("f").permissions, 0o755)
    }
    laws.check("a write of 0 bytes clears nothing") { act, see in
        try act.file("f", "content", 0o6777)
        try User.alice.does { try act.open("f").write("").returns(0) }
        try equalMode(see.stat("f").permissions, 0o6777)
    }
    laws.check("a refused write clears nothing") { act, see in
        try act.file("f", "content", 0o6755)
        try User.alice.does { try act.opening("f", O_WRONLY).fails(EACCES) }
        try equalMode(see.stat("f").permissions, 0o6755)
    }
    for (mode, left) in [
        (0o4755, 0o755), (0o2755, 0o755), (0o6755, 0o755), (0o6711, 0o711), (0o2644, 0o2644), (0o1777, 0o1777),
    ] as [(UInt32, UInt32)] {
        laws.check("chown by root turns 0\(String(mode, radix: 8)) into 0\(String(left, radix: 8))") { act, see in
            try act.file("f", "", mode)
            try act.chown("f", 2001, 2001).succeeds()
            try equalMode(see.stat("f").permissions, left)
        }
    }
    laws.check("chown of the group by the owner clears setuid and setgid") { act, see in
        try User.aliceInBobsGroup.does {
            try act.file("f", "", 0o6755)
            try act.chown("f", -1, 2002).succeeds()
        }
        try equalMode(see.stat("f").permissions, 0o755)
    }
    laws.check("chown by an owner who is not in the group clears set-group-ID, whoever may execute") { act, see in
        try act.file("f", "", 0o2600)
        try act.chown("f", 2001, 2002).succeeds()
        try act.chmod("f", 0o2600).succeeds()
        try User.alice.does { try act.chown("f", -1, 2001).succeeds() }
        try equalMode(see.stat("f").permissions, 0o600)
    }
    laws.check("chown of a directory keeps its capabilities") { act, see in
        let capability = Bytes([1, 0, 0, 2, 0, 0x20, 0, 0] + [UInt8](repeating: 0, count: 12))
        try act.directory("d", 0o755)
        try act.setAttribute("d", "security.capability", capability).succeeds()
        try act.chown("d", 2001, 2001).succeeds()
        try equal(see.attribute("d", "security.capability"), capability, "value")
    }
    laws.check("chown of a directory keeps its bits") { act, see in
        try act.directory("d", 0o6755)
        try act.chown("d", 2001, 2001).succeeds()
        try equalMode(see.stat("d").permissions, 0o6755)
    }
    laws.check("setting times, reading, renaming and linking clear nothing") { act, see in
        try act.file("f", "content", 0o6755)
        try act.setTimes("f", (Time(1), Time(2))).succeeds()
        try act.rename("f", "g").succeeds()
        try act.link("g", "h").succeeds()
        try act.contains("g", "content")
        try equalMode(see.stat("g").permissions, 0o6755)
    }
}

private func inheritance(_ laws: inout CheckList) {
    func shared(_ act: View) throws(Verdict) {
        try act.directory("d", 0o777)
        try act.chown("d", 0, 2002).succeeds()
        try act.chmod("d", 0o2777).succeeds()
    }
    for (name, make) in [
        ("file", { try $0.file("d/x") }), ("directory", { try $0.mkdir("d/x").succeeds() }),
        ("symlink", { try $0.symlink("y", "d/x").succeeds() }),
        ("fifo", { try $0.mknod("d/x", Status.fifo | 0o644).succeeds() }),
        ("socket", { try $0.mknod("d/x", Status.socket | 0o644).succeeds() }),
    ] as [(String, (View) throws -> Void)] {
        laws.check("in a setgid directory a new \(name) has the directory's group") { act, see in
            try shared(act)
            try User.alice.does { try make(act) }
            try equal(see.lstat("d/x").group, 2002, "group")
            try equal(see.lstat("d/x").owner, 2001, "owner")
        }
        laws.check("in a directory without setgid a new \(name) has its maker's group") { act, see in
            try act.directory("d", 0o777)
            try act.chown("d", 0, 2002).succeeds()
            try User.alice.does { try make(act) }
            try equal(see.lstat("d/x").group, 2001, "group")
        }
    }
    laws.check("a directory in a setgid directory is setgid itself, a file is not") { act, see in
        try shared(act)
        try User.alice.does {
            try act.mkdir("d/e", 0o755).succeeds()
            try act.file("d/f", "", 0o755)
        }
        try equalMode(see.stat("d/e").permissions, 0o2755)
        try equalMode(see.stat("d/f").permissions, 0o755)
    }
    laws.check("a file made with setgid and x in a foreign setgid directory loses setgid") { act, see in
        try shared(act)
        try User.alice.does { _ = try act.open("d/f", O_WRONLY | O_CREAT, 0o2775) }
        try equalMode(see.stat("d/f").permissions, 0o775)
        try User.aliceInBobsGroup.does { _ = try act.open("d/g", O_WRONLY | O_CREAT, 0o2775) }
        try equalMode(see.stat("d/g").permissions, 0o2775)
    }
    laws.check("what is renamed or linked into a setgid directory keeps its group") { act, see in
        try shared(act)
        try User.alice.does {
            try act.file("f")
            try act.rename("f", "d/f").succeeds()
        }
        try equal(see.stat("d/f").group, 2001, "group")
    }
}

private func sticky(_ laws: inout CheckList) {
    func scene(_ act: View) throws(Verdict) {
        try act.directory("d", 0o777)
        try act.chown("d", 2003, 2003).succeeds()
        try act.chmod("d", 0o1777).succeeds()
        try act.file("d/f", "alice's", 0o666)
        try act.mkdir("d/e", 0o777).succeeds()
        for name in ["d/f", "d/e"] as [Bytes] { try act.chown(name, 2001, 2001).succeeds() }
    }
    laws.check("in a sticky directory somebody else's file is not unlinked: EPERM") { act, see in
        try scene(act)
        try User.bob.does { try act.unlink("d/f").fails(EPERM) }
        try see.contains("d/f", "alice's")
    }
    laws.check("in a sticky directory somebody else's directory is not removed: EPERM") { act, _ in
        try scene(act)
        try User.bob.does { try act.rmdir("d/e").fails(EPERM) }
    }
    laws.check("in a sticky directory somebody else's file is not renamed: EPERM") { act, _ in
        try scene(act)
        try User.bob.does {
            try act.rename("d/f", "d/g").fails(EPERM)
            try act.rename("d/f", "g").fails(EPERM)
        }
    }
    laws.check("in a sticky directory somebody else's file is not replaced: EPERM") { act, see in
        try scene(act)
        try User.bob.does {
            try act.file("d/mine", "bob's")
            try act.rename("d/mine", "d/f").fails(EPERM)
            try act.file("outside", "bob's")
            try act.rename("outside", "d/f").fails(EPERM)
            try act.rename("d/mine", "d/f", UInt32(RENAME_EXCHANGE)).fails(EPERM)
        }
        try see.contains("d/f", "alice's")
    }
    laws.check("in a sticky directory the file's owner unlinks and renames it") { act, see in
        try scene(act)
        try User.alice.does {
            try act.rename("d/f", "d/g").succeeds()
            try act.unlink("d/g").succeeds()
            try act.rmdir("d/e").succeeds()
        }
        try equal(see.names("d"), [], "names")
    }
    laws.check("in a sticky directory the directory's owner removes anything") { act, see in
        try scene(act)
        try User(id: 2003, group: 2003).does {
            try act.unlink("d/f").succeeds()
            try act.rmdir("d/e").succeeds()
        }
        try equal(see.names("d"), [], "names")
    }
    laws.check("in a sticky directory root removes anything") { act, see in
        try scene(act)
        try act.unlink("d/f").succeeds()
        try act.rmdir("d/e").succeeds()
        try equal(see.names("d"), [], "names")
    }
    laws.check("in a sticky directory write permission on the file still allows writing, in one's own names linking") {
        act, see in
        try scene(act)
        try User.bob.does {
            try act.open("d/f").write("BOB").returns(3)
            try act.file("d/mine")
            try act.link("d/mine", "d/mine2").succeeds()
        }
        try see.contains("d/f", "BOBce's")
    }
    laws.check("without the sticky bit others remove the file") { act, see in
        try scene(act)
        try act.chmod("d", 0o777).succeeds()
        try User.bob.does { try act.unlink("d/f").succeeds() }
        try see.isAbsent("d/f")
    }
}
