import CLinux
import Glibc

private let writeLock = F_WRLCK
private let readLock = F_RDLCK
private let unlock = F_UNLCK

/// fcntl(2) record locks of open file descriptions.
func descriptionLockChecks() -> [Check] {
    var laws = CheckList("OFD locks")
    let set = Linux.descriptionSetLock
    laws.check("locks of two descriptions in one process meet (F_OFD_SETLK)") { act, see in
        try act.file("f")
        try act.open("f").lock(writeLock, 0, 10, set).succeeds()
        let other = try see.open("f")
        try other.lock(writeLock, 5, 10, set).fails([EAGAIN, EACCES])
        try other.lock(writeLock, 10, 10, set).succeeds()
    }
    laws.check("a duplicated descriptor has the same description's locks") { act, _ in
        let file = try act.create("f")
        try file.lock(writeLock, 0, 0, set).succeeds()
        try File(descriptor: dup(file.descriptor)).lock(readLock, 0, 0, set).succeeds()
    }
    laws.check("closing another description of the file releases nothing") { act, see in
        try act.file("f")
        let file = try act.open("f")
        try file.lock(writeLock, 0, 0, set).succeeds()
        try act.open("f").close().succeeds()
        try see.open("f").lock(writeLock, 0, 0, set).fails([EAGAIN, EACCES])
        _ = file
    }
    laws.check("the last close of the description releases its locks") { act, see in
        let file = try act.create("f")
        try file.lock(writeLock, 0, 0, set).succeeds()
        let copy = File(descriptor: dup(file.descriptor))
        try file.close().succeeds()
        try see.open("f").lock(writeLock, 0, 0, set).fails([EAGAIN, EACCES])
        try copy.close().succeeds()
        try see.open("f").lock(writeLock, 0, 0, set).succeeds()
    }
    laws.check("description locks and process locks meet") { act, see in
        try act.file("f")
        try act.open("f").lock(writeLock, 0, 0, set).succeeds()
        try see.open("f").lock(writeLock).fails([EAGAIN, EACCES])
    }
    laws.check("F_OFD_GETLK answers the lock in the way, of process -1") { act, see in
        try act.file("f")
        try act.open("f").lock(writeLock, 10, 5, set).succeeds()
        let found = try see.open("f").lockInTheWay(of: writeLock, 0, 0, Linux.descriptionGetLock)
        try equal(found?.l_start, 10, "start")
        try equal(found?.l_len, 5, "length")
        try equal(found?.l_pid, -1, "process")
    }
    laws.check("a forked process shares the description's locks") { act, _ in
        let file = try act.create("f")
        try file.lock(writeLock, 0, 0, set).succeeds()
        try Peer.start { _ in try file.lock(writeLock, 0, 0, set).succeeds() }.end()
    }
    laws.check("F_OFD_SETLKW waits until the lock is released") { act, see in
        let file = try act.create("f")
        try file.lock(writeLock, 0, 0, set).succeeds()
        let peer = try Peer.start { peer in
            try see.open("f").lock(writeLock, 0, 0, Linux.descriptionSetLockWait).succeeds()
            try peer.tell("locked")
        }
        try peer.waitUntilBlocked(in: SYS_fcntl)
        try file.lock(unlock, 0, 0, set).succeeds()
        try peer.hear("locked")
        try peer.end()
    }
    laws.check("a process id in a description lock is EINVAL") { act, _ in
        let file = try act.create("f")
        var request = flock(l_type: Int16(writeLock), l_whence: 0, l_start: 0, l_len: 0, l_pid: 1)
        try Outcome(
            "fcntl(F_OFD_SETLK)",
            systemCall(SYS_fcntl, Int(file.descriptor), Int(set), address(&request))
        ).fails(EINVAL)
    }
    return laws.checks
}
