import CLinux
import Glibc

/// What two mounts of one filesystem owe each other beyond what every check asks of them: changes by both in turn.
func twoMountChecks() -> [Check] {
    var laws = CheckList("two mounts", needsTwoMounts: true)
    contents(&laws)
    names(&laws)
    attributes(&laws)
    openFiles(&laws)
    return laws.checks
}

private func contents(_ laws: inout CheckList) {
    laws.check("bytes written in turn by both are seen by both after every write") { act, see in
        let (a, b) = (try act.create("f"), try see.open("f"))
        var model = [UInt8](repeating: 0, count: 20_000)
        try a.truncate(model.count).succeeds()
        for step in 0..<40 {
            let piece = Bytes(patternOf: 1 + step * 97 % 3000, seed: step)
            let offset = step * 7919 % 17_000
            try (step % 2 == 0 ? a : b).pwrite(piece, at: offset).returns(piece.count)
            model.replaceSubrange(offset..<(offset + piece.count), with: piece.array)
            try equal((step % 2 == 0 ? b : a).pread(20_000, at: 0), Bytes(model), "content after step \(step)")
        }
    }
    laws.check("the end moves for both by the writes of either") { act, see in
        let (a, b) = (try act.create("f"), try see.open("f"))
        for step in 0..<30 {
            try (step % 2 == 0 ? a : b).pwrite("x", at: step * 100).returns(1)
            try equal((step % 2 == 0 ? b : a).stat().size, step * 100 + 1, "size by descriptor")
            try equal((step % 2 == 0 ? see : act).stat("f").size, step * 100 + 1, "size by name")
        }
    }
    laws.check("a truncation by one is at once the other's end, and what it writes past it makes a hole") { act, see in
        let (a, b) = (try act.create("f"), try see.open("f"))
        try a.write(Bytes(patternOf: 50_000)).returns(50_000)
        try b.truncate(1000).succeeds()
        try a.pwrite("end", at: 2000).returns(3)
        try see.contains("f", Bytes(patternOf: 1000) + Bytes(zeros: 1000) + "end")
        try act.contains("f", Bytes(patternOf: 1000) + Bytes(zeros: 1000) + "end")
    }
    laws.check("neighbouring bytes of one block written by both all stay") { act, see in
        let (a, b) = (try act.create("f"), try see.open("f"))
        for offset in 0..<128 { try (offset % 2 == 0 ? a : b).pwrite(Bytes([UInt8(offset)]), at: offset).returns(1) }
        let expected = Bytes((0..<128).map { UInt8($0) })
        try act.contains("f", expected)
        try see.contains("f", expected)
    }
    laws.check("two processes, one on each, write their own blocks at once: all arrive") { act, see in
        let file = try act.create("f")
        try file.truncate(64 * 4096).succeeds()
        let peer = try Peer.start { peer in
            let file = try see.open("f")
            try peer.tell("ready")
            try peer.hear()
            for block in stride(from: 1, to: 64, by: 2) {
                try file.pwrite(Bytes(patternOf: 4096, seed: block), at: block * 4096).returns(4096)
            }
        }
        try peer.hear("ready")
        try peer.tell()
        for block in stride(from: 0, to: 64, by: 2) {
            try file.pwrite(Bytes(patternOf: 4096, seed: block), at: block * 4096).returns(4096)
        }
        try peer.end()
        let expected = (0..<64).reduce(into: Bytes("")) { $0 = $0 + Bytes(patternOf: 4096, seed: $1) }
        try see.contains("f", expected)
        try act.contains("f", expected)
    }
    laws.check("what one reads while the other writes a block is the old block or the new one") { act, see in
        let file = try act.create("f")
        try file.write(Bytes(repeating: "0", count: 4096)).returns(4096)
        let peer = try Peer.start { peer in
            for number in 1...60 {
                try file.pwrite(Bytes(repeating: "\(number % 10)", count: 4096), at: 0).returns(4096)
            }
            try peer.tell("done")
        }
        let reader = try see.open("f", O_RDONLY)
        var count = 0
        while !peer.isHeard(within: 0) || count < 5 {
            let block = try reader.pread(4096, at: 0)
            try equal(block.count, 4096, "bytes")
            try equal(Set(block.array).count, 1, "different bytes in one block")
            count += 1
        }
        try peer.hear("done")
        try peer.end()
        try see.contains("f", Bytes(repeating: "0", count: 4096))
    }
    laws.check("a file written and closed on one is read whole on the other, 50 times") { act, see in
        for round in 0..<50 {
            let content = Bytes(patternOf: round * 1777 % 30_000, seed: round)
            let (from, to) = round % 2 == 0 ? (act, see) : (see, act)
            try from.file("f\(round)", content)
            try to.contains("f\(round)", content)
        }
    }
    laws.check("messages to and fro through one file arrive in order") { act, see in
        try act.file("f", "0")
        let peer = try Peer.start { _ in
            let file = try see.open("f")
            for number in stride(from: 1, to: 60, by: 2) {
                while try file.pread(10, at: 0) != Bytes("\(number - 1)") { sched_yield() }
                try file.truncate(0).succeeds()
                try file.pwrite(Bytes("\(number)"), at: 0).succeeds()
            }
        }
        let file = try act.open("f")
        for number in stride(from: 2, to: 60, by: 2) {
            while try file.pread(10, at: 0) != Bytes("\(number - 1)") { sched_yield() }
            try file.truncate(0).succeeds()
            try file.pwrite(Bytes("\(number)"), at: 0).succeeds()
        }
        try peer.end()
        try see.contains("f", "59")
    }
}

private func names(_ laws: inout CheckList) {
    laws.check("a name that the one found missing is there as soon as the other has made it") { act, see in
        for round in 0..<30 {
            let (maker, looker) = round % 2 == 0 ? (act, see) : (see, act)
            try looker.isAbsent("f\(round)")
            try maker.file("f\(round)")
            _ = try looker.stat("f\(round)")
            try looker.mkdir("f\(round)").fails(EEXIST)
        }
    }
    laws.check("a name that the one found is gone as soon as the other has removed it") { act, see in
        for round in 0..<30 {
            let (maker, looker) = round % 2 == 0 ? (act, see) : (see, act)
            try looker.file("f\(round)")
            _ = try maker.stat("f\(round)")
            try looker.unlink("f\(round)").succeeds()
            try maker.isAbsent("f\(round)")
            try maker.opening("f\(round)", O_RDONLY).fails(ENOENT)
        }
    }
    laws.check("renames by both in turn are seen by both") { act, see in
        try act.file("f0", "x")
        for round in 0..<30 {
            let (mover, looker) = round % 2 == 0 ? (act, see) : (see, act)
            try mover.rename("f\(round)", "f\(round + 1)").succeeds()
            try looker.isAbsent("f\(round)")
            try looker.contains("f\(round + 1)", "x")
            try equal(looker.names(), ["f\(round + 1)"], "names")
        }
    }
    laws.check("a directory moved by one is found below its new parent by the other, with everything") { act, see in
        for name in ["a", "b", "a/d", "a/d/e"] as [Bytes] { try act.mkdir(name).succeeds() }
        try see.file("a/d/e/f", "x")
        try act.rename("a/d", "b/d").succeeds()
        try see.contains("b/d/e/f", "x")
        try see.isAbsent("a/d")
        try see.rename("b/d", "a/d").succeeds()
        try act.contains("a/d/e/f", "x")
        try act.isAbsent("b/d")
    }
    laws.check(
        "a directory that one has moved into its sibling is moved back by the other, which remembers the old place"
    ) {
        act, see in
        for name in ["a", "b"] as [Bytes] { try act.mkdir(name).succeeds() }
        for name in ["a", "b"] as [Bytes] { _ = try see.stat(name) }
        for (first, second) in [(act, see), (see, act)] {
            try first.rename("b", "a/b").succeeds()
            try second.rename("a/b", "b").succeeds()
            try equal(first.names(), ["a", "b"], "names")
        }
    }
    laws.check("a directory removed by one takes no new name from the other") { act, see in
        try act.mkdir("d").succeeds()
        let directory = try see.open("d", O_RDONLY | O_DIRECTORY)
        try act.rmdir("d").succeeds()
        try see.opening("d/f", O_WRONLY | O_CREAT).fails(ENOENT)
        try directory.listsNothing()
    }
    laws.check("of both that make the same name at once one succeeds") { act, see in
        let peer = try Peer.start { peer in
            for round in 0..<40 {
                try peer.hear()
                try peer.tell(see.opening("f\(round)", O_WRONLY | O_CREAT | O_EXCL).raw >= 0 ? "made" : "EEXIST")
            }
        }
        for round in 0..<40 {
            try peer.tell()
            let outcome = act.opening("f\(round)", O_WRONLY | O_CREAT | O_EXCL)
            if outcome.raw < 0 { try outcome.fails(EEXIST) }
            try peer.hear(outcome.raw >= 0 ? "EEXIST" : "made")
        }
        try peer.end()
    }
    laws.check("of both that remove the same name at once one succeeds") { act, see in
        for round in 0..<40 { try act.file("f\(round)") }
        let peer = try Peer.start { peer in
            for round in 0..<40 {
                try peer.hear()
                try peer.tell(see.unlink("f\(round)").raw == 0 ? "removed" : "ENOENT")
            }
        }
        for round in 0..<40 {
            try peer.tell()
            let outcome = act.unlink("f\(round)")
            if outcome.raw < 0 { try outcome.fails(ENOENT) }
            try peer.hear(outcome.raw == 0 ? "ENOENT" : "removed")
        }
        try peer.end()
        try equal(see.names(), [], "names")
    }
    laws.check("of both that rename the same name at once one succeeds") { act, see in
        for round in 0..<40 { try act.file("f\(round)") }
        let peer = try Peer.start { peer in
            for round in 0..<40 {
                try peer.hear()
                try peer.tell(see.rename("f\(round)", "b\(round)").raw == 0 ? "moved" : "ENOENT")
            }
        }
        for round in 0..<40 {
            try peer.tell()
            let outcome = act.rename("f\(round)", "a\(round)")
            if outcome.raw < 0 { try outcome.fails(ENOENT) }
            try peer.hear(outcome.raw == 0 ? "ENOENT" : "moved")
        }
        try peer.end()
        try equal(see.names().count, 40, "names")
    }
    laws.check("both fill one directory at once, and both list it all") { act, see in
        let peer = try Peer.start { _ in
            for number in 0..<100 { try see.mknod("b\(number)", Status.regular | 0o644).succeeds() }
        }
        for number in 0..<100 { try act.mknod("a\(number)", Status.regular | 0o644).succeeds() }
        try peer.end()
        try equal(act.names().count, 200, "names on the one")
        try equal(see.names(), act.names(), "names on the other")
    }
    laws.check("a symlink replaced by one leads the other to the new target") { act, see in
        try act.file("a", "a")
        try act.file("b", "b")
        try act.symlink("a", "s").succeeds()
        try see.contains("s", "a")
        try act.symlink("b", "t").succeeds()
        try act.rename("t", "s").succeeds()
        try see.contains("s", "b")
        try equal(see.readlink("s"), "b", "target")
    }
    laws.check("renames in opposite directions by both never hang") { act, see in
        for name in ["a", "b", "a/x", "b/y"] as [Bytes] { try act.mkdir(name).succeeds() }
        let peer = try Peer.start { _ in
            for _ in 0..<40 {
                try see.rename("b/y", "a/y").succeeds()
                try see.rename("a/y", "b/y").succeeds()
            }
        }
        for _ in 0..<40 {
            try act.rename("a/x", "b/x").succeeds()
            try act.rename("b/x", "a/x").succeeds()
        }
        try peer.end()
        try equal(see.names("a"), ["x"], "names in a")
        try equal(act.names("b"), ["y"], "names in b")
    }
}

private func attributes(_ laws: inout CheckList) {
    laws.check("mode and owner changed by one are in force for the other at once") { act, see in
        try act.file("f", "x", 0o600)
        for round in 0..<10 {
            let (changer, user) = round % 2 == 0 ? (act, see) : (see, act)
            try User.alice.does { try user.opening("f", O_RDONLY).fails(EACCES) }
            try changer.chmod("f", 0o644).succeeds()
            try User.alice.does { _ = try user.open("f", O_RDONLY) }
            try changer.chmod("f", 0o600).succeeds()
        }
    }
    laws.check("link counts changed by both agree") { act, see in
        try act.file("f")
        for round in 1...20 {
            try (round % 2 == 0 ? act : see).link("f", "l\(round)").succeeds()
            try equal((round % 2 == 0 ? see : act).stat("f").links, UInt32(round + 1), "links")
        }
    }
    laws.check("times set by one are the other's, and a later write of the other moves them") { act, see in
        try act.file("f", "x")
        for round in 1...10 {
            let (setter, other) = round % 2 == 0 ? (act, see) : (see, act)
            try setter.setTimes("f", (Time(round * 1000), Time(round * 2000))).succeeds()
            try equal(other.stat("f").modified, Time(round * 2000), "mtime")
            try other.open("f").write("y").returns(1)
            try holds(setter.stat("f").modified > Time(1_000_000_000), "mtime of the write")
        }
    }
    laws.check("mtime never goes back when both write in turn") { act, see in
        let (a, b) = (try act.create("f"), try see.open("f"))
        var last = try act.stat("f").modified
        for round in 0..<20 {
            try (round % 2 == 0 ? a : b).write("x").returns(1)
            let now = try (round % 2 == 0 ? see : act).stat("f").modified
            try holds(now >= last, "mtime of at least \(last)", came: "\(now)")
            last = now
        }
    }
    laws.check("a stat while the other writes takes nothing away: sizes only grow") { act, see in
        let file = try act.create("f")
        let peer = try Peer.start { peer in
            for _ in 0..<100 { try file.write(Bytes(patternOf: 1000)).returns(1000) }
            try peer.tell("done")
        }
        var last = 0
        while !peer.isHeard(within: 0) {
            let size = try see.stat("f").size
            try holds(size >= last, "a size of at least \(last)", came: "\(size)")
            last = size
        }
        try peer.hear("done")
        try peer.end()
        try equal(see.stat("f").size, 100_000, "size")
    }
    laws.check("both see the same statvfs totals") { act, see in
        try equal(see.statfs().f_blocks, act.statfs().f_blocks, "f_blocks")
        try equal(see.statfs().f_files > 0, act.statfs().f_files > 0, "f_files")
    }
}

private func openFiles(_ laws: inout CheckList) {
    laws.check("a file that both have open outlives its name, and both still share its bytes") { act, see in
        try act.file("f", "content")
        let (a, b) = (try act.open("f"), try see.open("f"))
        try see.unlink("f").succeeds()
        try a.pwrite("CON", at: 0).returns(3)
        try equal(b.pread(20, at: 0), "CONtent", "content")
        try b.pwrite("TENT", at: 3).returns(4)
        try equal(a.pread(20, at: 0), "CONTENT", "content")
        try a.close().succeeds()
        try equal(b.pread(20, at: 0), "CONTENT", "content")
    }
    laws.check("a file that one has open and the other replaces keeps its bytes for the one") { act, see in
        try act.file("f", "old")
        let file = try act.open("f")
        for round in 0..<10 {
            try see.file("g", "new \(round)")
            try see.rename("g", "f").succeeds()
            try equal(file.pread(20, at: 0), "old", "content of the open file")
            try act.contains("f", "new \(round)")
        }
    }
    laws.check("O_TRUNC by one empties the file that the other is writing") { act, see in
        let file = try act.create("f")
        try file.write(Bytes(patternOf: 10_000)).returns(10_000)
        _ = try see.open("f", O_WRONLY | O_TRUNC)
        try equal(file.stat().size, 0, "size")
        try file.pwrite("x", at: 5).returns(1)
        try see.contains("f", Bytes(zeros: 5) + "x")
    }
    laws.check("a lock taken on one mount keeps the other's bytes in order") { act, see in
        try act.file("f", "0")
        let peer = try Peer.start { _ in
            let file = try see.open("f")
            for _ in 0..<30 { try raise(file) }
        }
        let file = try act.open("f")
        for _ in 0..<30 { try raise(file) }
        try peer.end()
        try see.contains("f", "60")
    }
    laws.check("a mapping made after the other's write shows it") { act, see in
        try act.file("f", Bytes(patternOf: 10_000))
        for round in 0..<5 {
            try act.open("f").pwrite("round \(round)", at: 5000).returns(7)
            let map = try Mapping(see.open("f", O_RDONLY), 10_000, PROT_READ)
            try equal(map.bytes(5000..<5007), "round \(round)", "memory")
            map.remove()
        }
    }
    laws.check("bytes written through a mapping and synced are the other's") { act, see in
        try act.file("f", Bytes(zeros: 8192))
        let map = try Mapping(act.open("f"), 8192)
        for round in 0..<5 {
            map.set("round \(round)", at: 4000)
            try map.sync().succeeds()
            try equal(see.open("f", O_RDONLY).pread(7, at: 4000), "round \(round)", "bytes")
        }
    }
}

/// Adds one to the number that the file holds, under a record lock.
private func raise(_ file: File) throws(Verdict) {
    try file.lock(F_WRLCK, 0, 0, F_SETLKW).succeeds()
    let value = Int(try file.pread(20, at: 0).text) ?? -1_000_000
    let text = Bytes("\(value + 1)")
    try file.pwrite(text, at: 0).returns(text.count)
    try file.lock(F_UNLCK).succeeds()
}
