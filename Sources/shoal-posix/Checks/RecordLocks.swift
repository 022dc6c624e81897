import CLinux
import Glibc

private let setLockWait = F_SETLKW
private let readLock = F_RDLCK
private let writeLock = F_WRLCK
private let unlock = F_UNLCK

/// fcntl(2) record locks of processes.
func recordLockChecks() -> [Check] {
    var laws = CheckList("record locks")
    conflicts(&laws)
    ranges(&laws)
    releases(&laws)
    waitingLockChecks(&laws)
    return laws.checks
}

/// Runs `body` in another process that has the file open through the other side.
func elsewhere(_ see: View, _ body: (File) throws -> Void) throws {
    try Peer.start { _ in try body(try see.open("f")) }.end()
}

private func conflicts(_ laws: inout CheckList) {
    for (held, asked, isGiven) in [
        (readLock, readLock, true), (readLock, writeLock, false), (writeLock, readLock, false),
        (writeLock, writeLock, false),
    ] as [(CInt, CInt, Bool)] {
        let names = [readLock: "read", writeLock: "write"]
        laws.check("a \(names[held]!) lock \(isGiven ? "admits" : "refuses") another process's \(names[asked]!) lock") {
            act, see in
            try act.create("f").lock(held).succeeds()
            try elsewhere(see) { file in
                let outcome = file.lock(asked)
                if isGiven { try outcome.succeeds() } else { try outcome.fails([EAGAIN, EACCES]) }
            }
        }
    }
    laws.check("a process is never in its own way, by any descriptor") { act, see in
        try act.file("f")
        try act.open("f").lock(writeLock).succeeds()
        try act.open("f").lock(writeLock, 0, 10).succeeds()
        try act.open("f").lock(readLock, 5, 10).succeeds()
    }
    laws.check("locks of ranges that do not overlap do not meet") { act, see in
        try act.create("f").lock(writeLock, 0, 10).succeeds()
        try elsewhere(see) { file in
            try file.lock(writeLock, 10, 10).succeeds()
            try file.lock(writeLock, 9, 1).fails([EAGAIN, EACCES])
        }
    }
    laws.check("a read lock needs a file open for reading: EBADF") { act, _ in
        try act.file("f")
        try act.open("f", O_WRONLY).lock(readLock).fails(EBADF)
    }
    laws.check("a write lock needs a file open for writing: EBADF") { act, _ in
        try act.file("f")
        try act.open("f", O_RDONLY).lock(writeLock).fails(EBADF)
    }
    laws.check("F_GETLK answers the lock in the way: type, range and process") { act, see in
        try act.create("f").lock(writeLock, 100, 50).succeeds()
        let holder = getpid()
        let isOneMount = act.root == see.root
        try elsewhere(see) { file in
            let found = try file.lockInTheWay(of: readLock, 0, 0)
            try equal(found?.l_type, Int16(writeLock), "type")
            try equal(found?.l_start, 100, "start")
            try equal(found?.l_len, 50, "length")
            if isOneMount { try equal(found?.l_pid, holder, "process") }
        }
    }
    laws.check("F_GETLK answers F_UNLCK where nothing is in the way") { act, see in
        try act.create("f").lock(readLock, 100, 50).succeeds()
        try elsewhere(see) { file in
            try equal(file.lockInTheWay(of: writeLock, 0, 100) == nil, true, "no lock")
            try equal(file.lockInTheWay(of: readLock, 100, 50) == nil, true, "no lock")
            try equal(file.lockInTheWay(of: writeLock, 150, 0) == nil, true, "no lock")
        }
    }
    laws.check("a lock's type that is none, or a range before the start, is EINVAL") { act, _ in
        let file = try act.create("f")
        try file.lock(99).fails(EINVAL)
        try file.lock(writeLock, -1, 1).fails(EINVAL)
    }
    laws.check("a lock past the greatest offset is EOVERFLOW or EINVAL") { act, _ in
        try act.create("f").lock(writeLock, Int.max, 2).fails([EOVERFLOW, EINVAL])
    }
}

private func ranges(_ laws: inout CheckList) {
    /// Which of the first 60 bytes another process cannot lock for writing.
    func held(_ see: View, _ expected: [Range<Int>], against type: CInt = writeLock) throws {
        try elsewhere(see) { file in
            for offset in stride(from: 0, to: 60, by: 5) {
                let isHeld = try file.lockInTheWay(of: type, offset, 5) != nil
                try equal(isHeld, expected.contains { $0.contains(offset) }, "lock at \(offset)")
            }
        }
    }
    laws.check("unlocking the middle splits a lock") { act, see in
        let file = try act.create("f")
        try file.lock(writeLock, 0, 60).succeeds()
        try file.lock(unlock, 20, 20).succeeds()
        try held(see, [0..<20, 40..<60])
    }
    laws.check("unlocking the start or the end shortens a lock") { act, see in
        let file = try act.create("f")
        try file.lock(writeLock, 10, 40).succeeds()
        try file.lock(unlock, 0, 20).succeeds()
        try file.lock(unlock, 40, 20).succeeds()
        try held(see, [20..<40])
    }
    laws.check("locks side by side are one") { act, see in
        let file = try act.create("f")
        try file.lock(writeLock, 0, 20).succeeds()
        try file.lock(writeLock, 20, 20).succeeds()
        try elsewhere(see) { file in
            let found = try file.lockInTheWay(of: writeLock, 0, 0)
            try equal(found?.l_start, 0, "start")
            try equal(found?.l_len, 40, "length")
        }
    }
    laws.check("a downgrade of the middle makes three locks") { act, see in
        let file = try act.create("f")
        try file.lock(writeLock, 0, 60).succeeds()
        try file.lock(readLock, 20, 20).succeeds()
        try held(see, [0..<20, 40..<60], against: readLock)
        try held(see, [0..<60], against: writeLock)
    }
    laws.check("an upgrade that another's read lock forbids is refused, and the old lock stays") { act, see in
        let file = try act.create("f")
        try file.lock(readLock).succeeds()
        let peer = try Peer.start { peer in
            let file = try see.open("f")
            try file.lock(readLock).succeeds()
            try peer.tell("locked")
            try peer.hear()
            try file.lock(writeLock).fails([EAGAIN, EACCES])
        }
        try peer.hear("locked")
        try file.lock(writeLock).fails([EAGAIN, EACCES])
        try peer.tell()
        try peer.end()
        try file.lock(writeLock).succeeds()
    }
    laws.check("a length of 0 reaches past every later end") { act, see in
        let file = try act.create("f")
        try file.lock(writeLock, 100, 0).succeeds()
        try file.pwrite("x", at: 1 << 20).returns(1)
        try elsewhere(see) { file in
            try file.lock(writeLock, 1 << 40, 1).fails([EAGAIN, EACCES])
            try file.lock(writeLock, 0, 100).succeeds()
        }
    }
    laws.check("a negative length covers the bytes before its start") { act, see in
        try act.create("f").lock(writeLock, 30, -10).succeeds()
        try held(see, [20..<30])
    }
    laws.check("SEEK_CUR and SEEK_END count from the position and the end") { act, see in
        try act.file("f", Bytes(zeros: 50))
        let file = try act.open("f")
        try file.seek(10, SEEK_SET).returns(10)
        try file.lock(writeLock, 0, 10, whence: SEEK_CUR).succeeds()
        try file.lock(writeLock, -10, 10, whence: SEEK_END).succeeds()
        try held(see, [10..<20, 40..<50])
    }
    laws.check("unlocking what is not locked succeeds") { act, _ in
        try act.create("f").lock(unlock, 100, 100).succeeds()
    }
    laws.check("200 locks of every other byte are all kept") { act, see in
        let file = try act.create("f")
        for number in 0..<200 { try file.lock(writeLock, number * 2, 1).succeeds() }
        try elsewhere(see) { file in
            for number in [0, 1, 77, 199] {
                try file.lock(writeLock, number * 2, 1).fails([EAGAIN, EACCES])
                try file.lock(writeLock, number * 2 + 1, 1).succeeds()
            }
        }
    }
}

private func releases(_ laws: inout CheckList) {
    laws.check("closing any descriptor of the file releases the process's locks") { act, see in
        let file = try act.create("f")
        try file.lock(writeLock).succeeds()
        try act.open("f", O_RDONLY).close().succeeds()
        try elsewhere(see) { try $0.lock(writeLock).succeeds() }
    }
    laws.check("closing another file releases nothing") { act, see in
        try act.create("f").lock(writeLock).succeeds()
        try act.create("g").close().succeeds()
        try elsewhere(see) { try $0.lock(writeLock).fails([EAGAIN, EACCES]) }
    }
    laws.check("the end of the process releases its locks") { act, see in
        try act.file("f")
        try Peer.start { _ in try act.open("f").lock(writeLock).succeeds() }.end()
        try see.open("f").lock(writeLock).succeeds()
    }
    laws.check("kill -9 of the process releases its locks") { act, see in
        try act.file("f")
        let peer = try Peer.start { peer in
            try act.open("f").lock(writeLock).succeeds()
            try peer.tell("locked")
            try peer.hear("never")
        }
        try peer.hear("locked")
        try see.open("f").lock(writeLock).fails([EAGAIN, EACCES])
        try peer.kill()
        try see.open("f").lock(writeLock, 0, 0, setLockWait).succeeds()
    }
    laws.check("a forked process does not inherit locks") { act, _ in
        let file = try act.create("f")
        try file.lock(writeLock).succeeds()
        try Peer.start { _ in try file.lock(writeLock).fails([EAGAIN, EACCES]) }.end()
    }
    laws.check("unlock releases at once") { act, see in
        let file = try act.create("f")
        for _ in 0..<10 {
            try file.lock(writeLock).succeeds()
            try file.lock(unlock).succeeds()
            try elsewhere(see) { try $0.lock(writeLock).succeeds() }
        }
    }
    laws.check("a lock of an unlinked open file still holds") { act, _ in
        let file = try act.create("f")
        let other = try act.open("f")
        try file.lock(writeLock).succeeds()
        try act.unlink("f").succeeds()
        try Peer.start { _ in try other.lock(writeLock).fails([EAGAIN, EACCES]) }.end()
    }
}
