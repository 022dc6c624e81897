import CLinux
import Glibc

/// flock(2).
func wholeFileLockChecks() -> [Check] {
    var laws = CheckList("flock")
    let (shared, exclusive, release) = (LOCK_SH, LOCK_EX, LOCK_UN)
    let atOnce = LOCK_NB
    for (held, asked, isGiven) in [
        (shared, shared, true), (shared, exclusive, false), (exclusive, shared, false), (exclusive, exclusive, false),
    ] as [(CInt, CInt, Bool)] {
        let names = [shared: "shared", exclusive: "exclusive"]
        laws.check("a lock that is \(names[held]!) \(isGiven ? "admits" : "refuses") one that is \(names[asked]!)") {
            act, see in
            try act.file("f")
            let holder = try act.open("f")
            try holder.flock(held | atOnce).succeeds()
            let outcome = try see.open("f").flock(asked | atOnce)
            if isGiven { try outcome.succeeds() } else { try outcome.fails(EAGAIN) }
        }
    }
    laws.check("a description is never in its own way, and converts its lock") { act, see in
        let file = try act.create("f")
        for operation in [exclusive, shared, exclusive] { try file.flock(operation | atOnce).succeeds() }
        try see.open("f").flock(shared | atOnce).fails(EAGAIN)
        try file.flock(shared | atOnce).succeeds()
        try see.open("f").flock(shared | atOnce).succeeds()
    }
    laws.check("a duplicated descriptor has the same lock, and releases it") { act, see in
        let file = try act.create("f")
        try file.flock(exclusive | atOnce).succeeds()
        let copy = File(descriptor: dup(file.descriptor))
        try copy.flock(exclusive | atOnce).succeeds()
        try copy.flock(release).succeeds()
        try see.open("f").flock(exclusive | atOnce).succeeds()
    }
    laws.check("the last close releases, an earlier one does not") { act, see in
        let file = try act.create("f")
        try file.flock(exclusive | atOnce).succeeds()
        let copy = File(descriptor: dup(file.descriptor))
        try file.close().succeeds()
        try see.open("f").flock(exclusive | atOnce).fails(EAGAIN)
        try copy.close().succeeds()
        try see.open("f").flock(exclusive | atOnce).succeeds()
    }
    laws.check("a forked process shares the lock, and its end releases nothing") { act, see in
        let file = try act.create("f")
        try file.flock(exclusive | atOnce).succeeds()
        try Peer.start { _ in try file.flock(exclusive | atOnce).succeeds() }.end()
        try see.open("f").flock(exclusive | atOnce).fails(EAGAIN)
    }
    laws.check("a lock needs no permission to write, and no file that is open for it") { act, see in
        try act.file("f")
        try act.open("f", O_RDONLY).flock(exclusive | atOnce).succeeds()
        try see.open("f", O_WRONLY).flock(shared | atOnce).fails(EAGAIN)
    }
    laws.check("the end of the process releases") { act, see in
        try act.file("f")
        try Peer.start { _ in try act.open("f").flock(exclusive | atOnce).succeeds() }.end()
        try see.open("f").flock(exclusive | atOnce).succeeds()
    }
    laws.check("kill -9 of the process releases") { act, see in
        try act.file("f")
        let peer = try Peer.start { peer in
            try act.open("f").flock(exclusive | atOnce).succeeds()
            try peer.tell("locked")
            try peer.hear("never")
        }
        try peer.hear("locked")
        try see.open("f").flock(exclusive | atOnce).fails(EAGAIN)
        try peer.kill()
        try see.open("f").flock(exclusive).succeeds()
    }
    laws.check("a directory can be locked") { act, see in
        if act.root != see.root, see.isFUSE() {
            // fuse_dir_operations in the kernel has no flock: no request reaches the filesystem.
            throw Verdict.skipped("FUSE keeps a directory's flock to one mount")
        }
        try act.mkdir("d").succeeds()
        try act.open("d", O_RDONLY | O_DIRECTORY).flock(exclusive | atOnce).succeeds()
        try see.open("d", O_RDONLY | O_DIRECTORY).flock(exclusive | atOnce).fails(EAGAIN)
    }
    laws.check("flock and record locks do not meet") { act, see in
        try act.file("f")
        try act.open("f").flock(exclusive | atOnce).succeeds()
        try see.open("f").lock(F_WRLCK).succeeds()
    }
    laws.check("an unknown operation is EINVAL, a closed descriptor EBADF") { act, _ in
        let file = try act.create("f")
        try file.flock(0x40).fails(EINVAL)
        try file.close().succeeds()
        try file.flock(exclusive).fails(EBADF)
    }
    laws.check("flock waits, and gets the lock when it is released") { act, see in
        let file = try act.create("f")
        try file.flock(exclusive).succeeds()
        let peer = try Peer.start { peer in
            try see.open("f").flock(exclusive).succeeds()
            try peer.tell("locked")
        }
        try peer.waitUntilBlocked(in: SYS_flock)
        try holds(!peer.isHeard(within: 20), "a process that waits")
        try file.flock(release).succeeds()
        try peer.hear("locked")
        try peer.end()
    }
    laws.check("a signal ends a waiting flock with EINTR, and no lock") { act, see in
        let file = try act.create("f")
        try file.flock(exclusive).succeeds()
        try Peer.start { _ in
            let other = try see.open("f")
            Alarms.interrupt()
            try other.flock(exclusive).fails(EINTR)
            Alarms.stop()
        }.end()
        try file.flock(release).succeeds()
        try see.open("f").flock(exclusive | atOnce).succeeds()
    }
    laws.check("a waiter for a shared lock gets it when the exclusive one is downgraded") { act, see in
        let file = try act.create("f")
        try file.flock(exclusive).succeeds()
        let peer = try Peer.start { peer in
            try see.open("f").flock(shared).succeeds()
            try peer.tell("locked")
        }
        try peer.waitUntilBlocked(in: SYS_flock)
        try file.flock(shared).succeeds()
        try peer.hear("locked")
        try peer.end()
    }
    laws.check("a counter that four processes raise under flock loses nothing") { act, see in
        try act.file("f", "000000")
        var peers: [Peer] = []
        for number in 0..<4 {
            peers.append(
                try Peer.start { _ in
                    let file = try (number % 2 == 0 ? act : see).open("f")
                    for _ in 0..<25 {
                        try file.flock(exclusive).succeeds()
                        let value = Int(try file.pread(6, at: 0).text) ?? -1
                        try file.pwrite(Bytes(String(String(value + 1_000_001).dropFirst())), at: 0).returns(6)
                        try file.flock(release).succeeds()
                    }
                })
        }
        for peer in peers { try peer.end() }
        try see.contains("f", "000100")
    }
    return laws.checks
}
