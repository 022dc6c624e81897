import CLinux
import Glibc

private let setLockWait = F_SETLKW
private let readLock = F_RDLCK
private let writeLock = F_WRLCK
private let unlock = F_UNLCK

/// F_SETLKW: who waits, who wakes, who is refused.
func waitingLockChecks(_ laws: inout CheckList) {
    laws.check("F_SETLKW waits, and gets the lock when it is released") { act, see in
        let file = try act.create("f")
        try file.lock(writeLock).succeeds()
        let peer = try Peer.start { peer in
            let file = try see.open("f")
            try file.lock(writeLock).fails([EAGAIN, EACCES])
            try file.lock(writeLock, 0, 0, setLockWait).succeeds()
            try equal(file.pread(7, at: 0), "written", "what was written under the lock")
            try peer.tell("locked")
        }
        try peer.waitUntilBlocked(in: SYS_fcntl)
        try holds(!peer.isHeard(within: 20), "a process that waits")
        try file.write("written").returns(7)
        try file.lock(unlock).succeeds()
        try peer.hear("locked")
        try peer.end()
    }
    laws.check("F_SETLKW gets the lock when the holder closes the file") { act, see in
        let file = try act.create("f")
        try file.lock(writeLock).succeeds()
        let peer = try Peer.start { peer in
            try see.open("f").lock(readLock, 0, 0, setLockWait).succeeds()
            try peer.tell("locked")
        }
        try peer.waitUntilBlocked(in: SYS_fcntl)
        try file.close().succeeds()
        try peer.hear("locked")
        try peer.end()
    }
    laws.check("F_SETLKW gets the lock when the holder is killed") { act, see in
        try act.file("f")
        let holder = try Peer.start { peer in
            try act.open("f").lock(writeLock).succeeds()
            try peer.tell("locked")
            try peer.hear("never")
        }
        try holder.hear("locked")
        let waiter = try Peer.start { peer in
            try see.open("f").lock(writeLock, 0, 0, setLockWait).succeeds()
            try peer.tell("locked")
        }
        try waiter.waitUntilBlocked(in: SYS_fcntl)
        try holder.kill()
        try waiter.hear("locked")
        try waiter.end()
    }
    laws.check("a signal ends F_SETLKW with EINTR, and no lock") { act, see in
        let file = try act.create("f")
        try file.lock(writeLock).succeeds()
        try elsewhere(see) { file in
            Alarms.interrupt()
            try file.lock(writeLock, 0, 0, setLockWait).fails(EINTR)
            Alarms.stop()
        }
        try file.lock(unlock).succeeds()
        try elsewhere(see) { try $0.lock(writeLock).succeeds() }
    }
    laws.check("a waiter that is killed leaves the queue") { act, see in
        let file = try act.create("f")
        try file.lock(writeLock).succeeds()
        let waiter = try Peer.start { _ in try see.open("f").lock(writeLock, 0, 0, setLockWait).succeeds() }
        try waiter.waitUntilBlocked(in: SYS_fcntl)
        try waiter.kill()
        try file.lock(unlock).succeeds()
        try elsewhere(see) { try $0.lock(writeLock, 0, 0, setLockWait).succeeds() }
    }
    laws.check("two processes that wait for each other: one gets EDEADLK") { act, see in
        let file = try act.create("f")
        try file.lock(writeLock, 0, 1).succeeds()
        let peer = try Peer.start { peer in
            let file = try see.open("f")
            try file.lock(writeLock, 1, 1).succeeds()
            try peer.tell("locked")
            let outcome = file.lock(writeLock, 0, 1, setLockWait)
            try outcome.answers([0, EDEADLK])
            try peer.tell(outcome.raw == 0 ? "locked" : "EDEADLK")
        }
        try peer.hear("locked")
        try peer.waitUntilBlocked(in: SYS_fcntl)
        let outcome = file.lock(writeLock, 1, 1, setLockWait)
        try outcome.answers([0, EDEADLK])
        if outcome.raw < 0 { try file.lock(unlock).succeeds() }
        try peer.hear(outcome.raw < 0 ? "locked" : "EDEADLK")
        try peer.end()
    }
    laws.check("ten waiters all get the lock, one at a time") { act, see in
        let file = try act.create("f")
        try file.lock(writeLock).succeeds()
        var peers: [Peer] = []
        for number in 0..<10 {
            peers.append(
                try Peer.start { _ in
                    let file = try (number % 2 == 0 ? act : see).open("f")
                    try file.lock(writeLock, 0, 0, setLockWait).succeeds()
                    let count = try file.stat().size
                    try file.pwrite("x", at: count).returns(1)
                    try file.lock(unlock).succeeds()
                })
        }
        for peer in peers { try peer.waitUntilBlocked(in: SYS_fcntl) }
        try file.lock(unlock).succeeds()
        for peer in peers { try peer.end() }
        try equal(see.stat("f").size, 10, "increments")
    }
    laws.check("a counter that four processes raise under a lock loses nothing") { act, see in
        try act.file("f", "000000")
        var peers: [Peer] = []
        for number in 0..<4 {
            peers.append(
                try Peer.start { _ in
                    let file = try (number % 2 == 0 ? act : see).open("f")
                    for _ in 0..<25 {
                        try file.lock(writeLock, 0, 0, setLockWait).succeeds()
                        let value = Int(try file.pread(6, at: 0).text) ?? -1
                        let text = String(String(value + 1_000_001).dropFirst())
                        try file.pwrite(Bytes(text), at: 0).returns(6)
                        try file.lock(unlock).succeeds()
                    }
                })
        }
        for peer in peers { try peer.end() }
        try see.contains("f", "000100")
    }
}
