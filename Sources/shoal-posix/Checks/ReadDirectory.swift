import CLinux
import Glibc

/// getdents64(2), and what readdir(3), telldir(3), seekdir(3) and rewinddir(3) make of it.
func readDirectoryChecks() -> [Check] {
    var laws = CheckList("readdir")
    listing(&laws)
    positions(&laws)
    changes(&laws)
    return laws.checks
}

private func listing(_ laws: inout CheckList) {
    laws.check("an empty directory lists . and .. alone") { act, see in
        try act.mkdir("d").succeeds()
        let names = try see.open("d", O_RDONLY | O_DIRECTORY).entries().map(\.name.text).sorted()
        try equal(names, [".", ".."], "names")
    }
    laws.check("every kind of entry has its type, or DT_UNKNOWN") { act, see in
        try act.file("f")
        try act.mkdir("d").succeeds()
        try act.symlink("x", "s").succeeds()
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        try act.mknod("u", Status.socket | 0o644).succeeds()
        try act.mknod("c", Status.characterDevice | 0o644, 0x0103).succeeds()
        try act.mknod("b", Status.blockDevice | 0o644, 0x0103).succeeds()
        let types = [
            ".": DT_DIR, "..": DT_DIR, "f": DT_REG, "d": DT_DIR, "s": DT_LNK, "p": DT_FIFO, "u": DT_SOCK, "c": DT_CHR,
            "b": DT_BLK,
        ]
        for entry in try see.open("", O_RDONLY | O_DIRECTORY).entries() {
            let expected = types[entry.name.text].map { UInt8($0) }
            try holds(
                entry.type == expected || entry.type == UInt8(DT_UNKNOWN), "the type of \(entry.name)",
                came: "\(entry.type)")
        }
    }
    laws.check("every entry's inode number is the one of stat") { act, see in
        for number in 0..<50 { try act.file("f\(number)") }
        for entry in try see.open("", O_RDONLY | O_DIRECTORY).entries() where entry.name != ".." {
            try equal(entry.inode, see.lstat(entry.name).inode, "inode of \(entry.name)")
        }
    }
    for count in [1, 2, 100, 2000] {
        laws.check("\(count) entries are all listed once, by large and by small buffers") { act, see in
            try act.mkdir("d").succeeds()
            for number in 0..<count { try act.mknod("d/entry-\(number)", Status.regular | 0o644).succeeds() }
            let expected = Set((0..<count).map { Bytes("entry-\($0)") } + [".", ".."])
            for size in [32768, max(300, count)] {
                let entries = try see.open("d", O_RDONLY | O_DIRECTORY).entries(bytesMax: size)
                try equal(entries.count, count + 2, "entries")
                try equal(Set(entries.map(\.name)), expected, "names")
            }
        }
    }
    laws.check("a buffer too small for one entry is EINVAL") { act, _ in
        try act.file(Bytes(repeating: "n", count: 200))
        let directory = try act.open("", O_RDONLY | O_DIRECTORY)
        var buffer = [UInt8](repeating: 0, count: 16)
        try Outcome("getdents64", systemCall(SYS_getdents64, Int(directory.descriptor), address(&buffer), 16))
            .fails(EINVAL)
    }
    laws.check("listing a file is ENOTDIR") { act, _ in
        let file = try act.create("f")
        var buffer = [UInt8](repeating: 0, count: 1000)
        try Outcome("getdents64", systemCall(SYS_getdents64, Int(file.descriptor), address(&buffer), 1000))
            .fails(ENOTDIR)
    }
    laws.check("listing needs r on the directory at open, not later") { act, _ in
        try act.directory("d", 0o777)
        let directory = try act.open("d", O_RDONLY | O_DIRECTORY)
        try act.chmod("d", 0).succeeds()
        try User.alice.does {
            try act.opening("d", O_RDONLY | O_DIRECTORY).fails(EACCES)
            try equal(directory.entries().count, 2, "entries")
        }
    }
    laws.check("readdir(3) lists what getdents64 lists") { act, see in
        for number in 0..<20 { try act.file("f\(number)") }
        guard let stream = opendir(see.path("").text) else {
            throw Verdict.failed(expected: "opendir", came: ErrorNumber.name(errno))
        }
        var count = 0
        while readdir(stream) != nil { count += 1 }
        closedir(stream)
        try equal(count, 22, "entries")
    }
}

private func positions(_ laws: inout CheckList) {
    laws.check("telldir and seekdir come back to every entry") { act, see in
        for number in 0..<60 { try act.file("f\(number)") }
        let directory = try see.open("", O_RDONLY | O_DIRECTORY)
        let entries = try directory.entries()
        for index in stride(from: 0, to: entries.count - 1, by: 7) {
            try directory.seek(entries[index].next, SEEK_SET).returns(entries[index].next)
            try equal(
                directory.someEntries().first?.name, entries[index + 1].name, "entry after \(entries[index].name)")
        }
    }
    laws.check("telldir's answers differ for all entries") { act, see in
        for number in 0..<200 { try act.file("f\(number)") }
        let entries = try see.open("", O_RDONLY | O_DIRECTORY).entries()
        try equal(Set(entries.map(\.next)).count, entries.count, "positions")
    }
    laws.check("rewinddir lists everything again, with what is new") { act, see in
        try act.file("f")
        let directory = try see.open("", O_RDONLY | O_DIRECTORY)
        try equal(directory.entries().count, 3, "entries")
        try act.file("g")
        try directory.seek(0, SEEK_SET).returns(0)
        try equal(Set(directory.entries().map(\.name)), [".", "..", "f", "g"], "names")
    }
    laws.check("at the end every further call answers 0") { act, see in
        try act.file("f")
        let directory = try see.open("", O_RDONLY | O_DIRECTORY)
        _ = try directory.entries()
        for _ in 0..<3 { try equal(directory.someEntries(), [], "entries") }
    }
    laws.check("two descriptors of one directory have positions of their own") { act, see in
        for number in 0..<100 { try act.file("f\(number)") }
        let (a, b) = (try see.open("", O_RDONLY | O_DIRECTORY), try see.open("", O_RDONLY | O_DIRECTORY))
        _ = try a.someEntries(bytesMax: 300)
        try equal(b.entries().count, 102, "entries")
    }
    laws.check("a position stays good when entries before and after it go") { act, see in
        for number in 0..<300 { try act.mknod("f\(number)", Status.regular | 0o644).succeeds() }
        let directory = try see.open("", O_RDONLY | O_DIRECTORY)
        let first = try directory.someEntries(bytesMax: 2000)
        for entry in first where entry.name != "." && entry.name != ".." { try act.unlink(entry.name).succeeds() }
        let rest = try directory.entries()
        try equal(Set((first + rest).map(\.name)).count, 302, "names")
        try equal(first.count + rest.count, 302, "entries")
    }
}

private func changes(_ laws: inout CheckList) {
    laws.check("what stays through a listing is listed once, whatever comes and goes meanwhile") { act, see in
        for number in 0..<200 { try act.mknod("stays\(number)", Status.regular | 0o644).succeeds() }
        let directory = try see.open("", O_RDONLY | O_DIRECTORY)
        var (names, round): ([Bytes], Int) = ([], 0)
        while true {
            let some = try directory.someEntries(bytesMax: 700)
            if some.isEmpty { break }
            names += some.map(\.name).filter { $0.text.hasPrefix("stays") }
            try act.mknod("comes\(round)", Status.regular | 0o644).succeeds()
            if round > 0 { try act.unlink("comes\(round - 1)").succeeds() }
            round += 1
            if round > 500 { throw Verdict.failed(expected: "an end of the listing", came: "more and more") }
        }
        try equal(names.count, 200, "entries")
        try equal(Set(names).count, 200, "names")
    }
    laws.check("a listing of a directory that grows as it is read ends; the next one shows all") { act, see in
        for number in 0..<50 { try act.mknod("old\(number)", Status.regular | 0o644).succeeds() }
        let directory = try see.open("", O_RDONLY | O_DIRECTORY)
        func old(_ entries: [Entry]) -> Set<Bytes> { Set(entries.map(\.name).filter { $0.text.hasPrefix("old") }) }
        var made = 0
        for _ in 0..<2 {
            try directory.seek(0, SEEK_SET).returns(0)
            var entries: [Entry] = []
            while true {
                let some = try directory.someEntries(bytesMax: 300)
                if some.isEmpty { break }
                entries += some
                for _ in 0..<20 {
                    try act.mknod("new\(made)", Status.regular | 0o644).succeeds()
                    made += 1
                }
                if made > 100_000 { throw Verdict.failed(expected: "an end of the listing", came: "more and more") }
            }
            try equal(old(entries).count, 50, "names that were there")
            try equal(Set(entries.map(\.name)).count, entries.count, "entries, each once")
        }
        try directory.seek(0, SEEK_SET).returns(0)
        try equal(directory.entries().count, 52 + made, "entries after rewinddir")
    }
    laws.check("removing everything while listing it empties the directory") { act, see in
        for number in 0..<300 { try act.mknod("f\(number)", Status.regular | 0o644).succeeds() }
        let directory = try see.open("", O_RDONLY | O_DIRECTORY)
        while true {
            let some = try directory.someEntries(bytesMax: 1000)
            if some.isEmpty { break }
            for entry in some where entry.name != "." && entry.name != ".." { try act.unlink(entry.name).succeeds() }
        }
        try equal(see.names(), [], "names")
    }
    laws.check("a listing that starts after a change shows it") { act, see in
        for round in 0..<20 {
            try act.file("f\(round)")
            try equal(see.names().count, round + 1, "names")
        }
        for round in 0..<20 {
            try act.unlink("f\(round)").succeeds()
            try equal(see.names().count, 19 - round, "names")
        }
    }
    laws.check("another process makes and removes names while one lists: the others are always there") { act, see in
        for number in 0..<100 { try act.mknod("stays\(number)", Status.regular | 0o644).succeeds() }
        let peer = try Peer.start { peer in
            for round in 0..<150 {
                try act.mknod("x\(round)", Status.regular | 0o644).succeeds()
                try act.unlink("x\(round)").succeeds()
            }
            try peer.tell("done")
        }
        var count = 0
        while !peer.isHeard(within: 0) || count < 3 {
            let names = try see.names().filter { $0.text.hasPrefix("stays") }
            try equal(names.count, 100, "names that stay")
            count += 1
        }
        try peer.hear("done")
        try peer.end()
    }
}
