import CLinux
import Glibc

/// What a call does to one timestamp.
private enum Effect { case moves, stays }

/// A call, on which object's times it acts, and how.
private struct TimedCall {
    let name: String
    let object: Bytes
    let access: Effect
    let modification: Effect
    let change: Effect
    let body: (View) throws -> Void

    init(
        _ name: String, _ object: Bytes, a: Effect = .stays, m: Effect, c: Effect,
        _ body: @escaping (View) throws -> Void
    ) {
        (self.name, self.object, self.access, self.modification, self.change) = (name, object, a, m, c)
        self.body = body
    }
}

/// In `d`: a file `f` of 9000 bytes with a second name `l`, an empty directory `e`, a symlink `s` to it.
private var timedCalls: [TimedCall] {
    [
        TimedCall("creating a file", "d", m: .moves, c: .moves) { try $0.file("d/new") },
        TimedCall("opening a file that exists", "d", m: .stays, c: .stays) { _ = try $0.open("d/f") },
        TimedCall("mkdir", "d", m: .moves, c: .moves) { try $0.mkdir("d/new").succeeds() },
        TimedCall("symlink", "d", m: .moves, c: .moves) { try $0.symlink("x", "d/new").succeeds() },
        TimedCall("mknod", "d", m: .moves, c: .moves) { try $0.mknod("d/new", Status.fifo | 0o644).succeeds() },
        TimedCall("link", "d", m: .moves, c: .moves) { try $0.link("d/f", "d/new").succeeds() },
        TimedCall("unlink", "d", m: .moves, c: .moves) { try $0.unlink("d/f").succeeds() },
        TimedCall("rmdir", "d", m: .moves, c: .moves) { try $0.rmdir("d/e").succeeds() },
        TimedCall("rename within it", "d", m: .moves, c: .moves) { try $0.rename("d/f", "d/new").succeeds() },
        TimedCall("rename out of it", "d", m: .moves, c: .moves) { try $0.rename("d/f", "new").succeeds() },
        TimedCall("rename into it", "d", m: .moves, c: .moves) { try $0.rename("other", "d/new").succeeds() },
        TimedCall("a failed mkdir", "d", m: .stays, c: .stays) { try $0.mkdir("d/f").fails(EEXIST) },
        TimedCall("a failed unlink", "d", m: .stays, c: .stays) { try $0.unlink("d/missing").fails(ENOENT) },
        TimedCall("rename onto itself", "d", m: .stays, c: .stays) { try $0.rename("d/f", "d/f").succeeds() },
        TimedCall("write into a file in it", "d", m: .stays, c: .stays) { _ = try $0.open("d/f").write("x") },
        TimedCall("chmod of a file in it", "d", m: .stays, c: .stays) { try $0.chmod("d/f", 0o600).succeeds() },
        TimedCall("creating a file in a subdirectory", "d", m: .stays, c: .stays) { try $0.file("d/e/new") },
        TimedCall("looking names up", "d", m: .stays, c: .stays) { _ = try $0.stat("d/f") },
        TimedCall("write", "d/f", m: .moves, c: .moves) { try $0.open("d/f").write("x").returns(1) },
        TimedCall("pwrite past the end", "d/f", m: .moves, c: .moves) {
            try $0.open("d/f").pwrite("x", at: 20000).returns(1)
        },
        TimedCall("write of 0 bytes", "d/f", m: .stays, c: .stays) { try $0.open("d/f").write("").returns(0) },
        TimedCall("O_TRUNC", "d/f", m: .moves, c: .moves) { _ = try $0.open("d/f", O_WRONLY | O_TRUNC) },
        TimedCall("O_TRUNC of an empty file", "other", m: .moves, c: .moves) {
            _ = try $0.open("other", O_WRONLY | O_TRUNC)
        },
        TimedCall("truncate shorter", "d/f", m: .moves, c: .moves) { try $0.truncate("d/f", 10).succeeds() },
        TimedCall("truncate longer", "d/f", m: .moves, c: .moves) { try $0.truncate("d/f", 100_000).succeeds() },
        TimedCall("ftruncate to the same size", "d/f", m: .moves, c: .moves) {
            try $0.open("d/f").truncate(9000).succeeds()
        },
        TimedCall("a failed truncate", "d/f", m: .stays, c: .stays) { try $0.truncate("d/f", -1).fails(EINVAL) },
        TimedCall("chmod", "d/f", m: .stays, c: .moves) { try $0.chmod("d/f", 0o600).succeeds() },
        TimedCall("chmod to the same mode", "d/f", m: .stays, c: .moves) { try $0.chmod("d/f", 0o644).succeeds() },
        TimedCall("chown", "d/f", m: .stays, c: .moves) { try $0.chown("d/f", 2001, 2001).succeeds() },
        TimedCall("chown of -1 and -1", "d/f", m: .stays, c: .moves) { try $0.chown("d/f", -1, -1).succeeds() },
        TimedCall("link to it", "d/f", m: .stays, c: .moves) { try $0.link("d/f", "new").succeeds() },
        TimedCall("unlink of another name of it", "d/f", m: .stays, c: .moves) { try $0.unlink("d/l").succeeds() },
        TimedCall("a rename over another name of it", "d/f", m: .stays, c: .moves) {
            try $0.rename("other", "d/l").succeeds()
        },
        TimedCall("setxattr", "d/f", m: .stays, c: .moves) { try $0.setAttribute("d/f", "user.k", "v").succeeds() },
        TimedCall("setxattr of the value that it has", "d/f", m: .stays, c: .stays) {
            try $0.setAttribute("d/f", "user.has", "it").succeeds()
        },
        TimedCall("removexattr of an ACL that it has not", "d/f", m: .stays, c: .stays) {
            try $0.removeAttribute("d/f", "system.posix_acl_access").succeeds()
        },
        TimedCall("fallocate inside it", "d/f", m: .moves, c: .moves) {
            try $0.open("d/f").allocate(0, 0, 100).succeeds()
        },
        TimedCall("fallocate with KEEP_SIZE past its end", "d/f", m: .moves, c: .moves) {
            try $0.open("d/f").allocate(FALLOC_FL_KEEP_SIZE, 9000, 100).succeeds()
        },
        TimedCall("stat", "d/f", m: .stays, c: .stays) { _ = try $0.stat("d/f") },
        TimedCall("access", "d/f", m: .stays, c: .stays) { try $0.access("d/f", R_OK).succeeds() },
        TimedCall("fsync", "d/f", m: .stays, c: .stays) { try $0.open("d/f").sync().succeeds() },
        TimedCall("a failed open", "d/f", m: .stays, c: .stays) {
            try $0.opening("d/f", O_CREAT | O_EXCL).fails(EEXIST)
        },
        TimedCall("a failed chown", "d/f", m: .stays, c: .stays) { act in
            try User.alice.does { try act.chown("d/f", 2001, 2001).fails(EPERM) }
        },
        TimedCall("a failed chmod", "d/f", m: .stays, c: .stays) { act in
            try User.alice.does { try act.chmod("d/f", 0o777).fails(EPERM) }
        },
        TimedCall("lchown", "d/s", m: .stays, c: .moves) { try $0.lchown("d/s", 2001, 2001).succeeds() },
        TimedCall("chmod through it", "d/s", m: .stays, c: .stays) { try $0.chmod("d/s", 0o644).succeeds() },
    ]
}

/// Which calls move which timestamps, and what utimensat(2) sets (inode(7)).
func timeChecks() -> [Check] {
    var laws = CheckList("times")
    for call in timedCalls {
        let marks = [("mtime", call.modification), ("ctime", call.change)]
        let moved = marks.filter { $0.1 == .moves }.map(\.0)
        let says = moved.isEmpty ? "leaves mtime and ctime alone" : "moves \(moved.joined(separator: " and ")) alone"
        let object = call.object == "d" ? "directory" : call.object == "d/s" ? "symlink" : "file"
        laws.check("\(call.name): \(says) (\(object))") { act, see in
            try act.mkdir("d").succeeds()
            try act.file("d/f", Bytes(patternOf: 9000))
            try act.link("d/f", "d/l").succeeds()
            try act.setAttribute("d/f", "user.has", "it").succeeds()
            try act.mkdir("d/e").succeeds()
            try act.symlink("f", "d/s").succeeds()
            try act.file("other")
            // Once through the observer, so that it may have something to remember wrongly.
            let before = try see.lstat(call.object)
            Time.advance()
            let start = Time.now(CLOCK_REALTIME_COARSE)
            // Open files stay open, and the first name may be gone: hold on to the inode.
            let inode = object == "file" ? try see.open(call.object, Linux.path) : nil
            try call.body(act)
            let after = try inode?.stat() ?? see.lstat(call.object)
            try effect(call.modification, before.modified, after.modified, start, "mtime")
            try effect(call.change, before.changed, after.changed, start, "ctime")
        }
    }
    laws.check("unlink of the last name moves the ctime of the open file") { act, _ in
        let file = try act.create("f")
        let before = try file.stat()
        Time.advance()
        try act.unlink("f").succeeds()
        try effect(.stays, before.modified, file.stat().modified, before.changed, "mtime")
        try effect(.moves, before.changed, file.stat().changed, before.changed, "ctime")
    }
    births(&laws)
    accessTimes(&laws)
    return laws.checks
}

private func effect(_ effect: Effect, _ before: Time, _ after: Time, _ start: Time, _ what: String) throws(Verdict) {
    switch effect {
    case .stays: try equal(after, before, what)
    case .moves:
        // Filesystems stamp by the coarse clock, other machines by theirs.
        try holds(after > before, "a later \(what) than \(before)", came: "\(after)")
        try holds(after <= Time.now(), "\(what) not in the future", came: "\(after)")
        try holds(after >= Time(start.seconds - 2, 0), "\(what) of now", came: "\(after)")
    }
}

private func births(_ laws: inout CheckList) {
    for (name, make) in [
        ("file", { try $0.file("x") }), ("directory", { try $0.mkdir("x").succeeds() }),
        ("symlink", { try $0.symlink("y", "x").succeeds() }),
        ("fifo", { try $0.mknod("x", Status.fifo | 0o644).succeeds() }),
    ] as [(String, (View) throws -> Void)] {
        laws.check("a new \(name) has atime, mtime and ctime of now, all the same") { act, see in
            let start = Time.now(CLOCK_REALTIME_COARSE)
            try make(act)
            let status = try see.lstat("x")
            try equal(status.accessed, status.modified, "atime")
            try equal(status.changed, status.modified, "ctime")
            try holds(status.modified >= Time(start.seconds - 2, 0), "mtime of now", came: "\(status.modified)")
            try holds(status.modified <= Time.now(), "mtime not in the future", came: "\(status.modified)")
        }
    }
    laws.check("timestamps have more than whole seconds") { act, see in
        var fractions = Set<Int>()
        for number in 0..<5 {
            try act.file("f\(number)")
            fractions.insert(try see.stat("f\(number)").modified.nanoseconds)
            Time.advance()
        }
        try holds(fractions.count > 2, "nanoseconds that differ", came: "\(fractions)")
    }
    laws.check("rename leaves the file's own mtime alone") { act, see in
        try act.file("f", "x")
        let before = try see.stat("f")
        Time.advance()
        try act.rename("f", "g").succeeds()
        try equal(see.stat("g").modified, before.modified, "mtime")
        try equal(see.stat("g").accessed, before.accessed, "atime")
    }
    laws.check("two writes one after the other never move mtime back") { act, see in
        let file = try act.create("f")
        var last = try see.stat("f").modified
        for _ in 0..<30 {
            try file.write("x").returns(1)
            let now = try see.stat("f").modified
            try holds(now >= last, "mtime of at least \(last)", came: "\(now)")
            last = now
        }
    }
    laws.check("mtime after a write stays what stat said, through close, fsync and time") { act, see in
        let file = try act.create("f")
        try file.write("x").returns(1)
        let first = try see.stat("f").modified
        Time.advance()
        try equal(see.stat("f").modified, first, "mtime later")
        try file.sync().succeeds()
        try equal(see.stat("f").modified, first, "mtime after fsync")
        try file.close().succeeds()
        try equal(see.stat("f").modified, first, "mtime after close")
        try equal(act.stat("f").modified, first, "mtime on the acting side")
    }
}

/// relatime: a read moves atime if it is not after mtime and ctime, or a day old (mount(8)).
private func accessTimes(_ laws: inout CheckList) {
    func needsAccessTimes(_ view: View) throws {
        if try view.statfs().f_flag & Linux.noAtime != 0 { throw Verdict.skipped("mounted with noatime") }
    }
    laws.check("reading a file whose atime is before its mtime moves atime") { act, see in
        try needsAccessTimes(act)
        try act.file("f", "abc")
        try act.setTimes("f", (Time(1_000_000), Time(2_000_000))).succeeds()
        try equal(act.open("f", O_RDONLY).read(3), "abc", "content")
        try holds(see.stat("f").accessed > Time(2_000_000), "a later atime", came: "\(see.stat("f").accessed)")
        try equal(see.stat("f").modified, Time(2_000_000), "mtime")
    }
    laws.check("reading a file whose atime is a day old moves atime") { act, see in
        try needsAccessTimes(act)
        try act.file("f", "abc")
        let old = Time(Time.now().seconds - 90_000)
        try act.setTimes("f", (old, Time(1_000_000))).succeeds()
        _ = try act.open("f", O_RDONLY).read(3)
        try holds(see.stat("f").accessed > old, "a later atime", came: "\(see.stat("f").accessed)")
    }
    laws.check("reading a file with O_NOATIME leaves atime alone") { act, see in
        try act.file("f", "abc")
        try act.setTimes("f", (Time(1_000_000), Time(2_000_000))).succeeds()
        _ = try act.open("f", O_RDONLY | Linux.noAccessTime).read(3)
        try equal(see.stat("f").accessed, Time(1_000_000), "atime")
    }
    laws.check("reading 0 bytes leaves atime alone") { act, see in
        try act.file("f", "abc")
        try act.setTimes("f", (Time(1_000_000), Time(2_000_000))).succeeds()
        try act.open("f", O_RDONLY).reading(0).returns(0)
        try equal(see.stat("f").accessed, Time(1_000_000), "atime")
    }
    laws.check("listing a directory whose atime is before its mtime moves atime") { act, see in
        try needsAccessTimes(act)
        try act.mkdir("d").succeeds()
        try act.file("d/f")
        try act.setTimes("d", (Time(1_000_000), Time(2_000_000))).succeeds()
        _ = try act.names("d")
        try holds(see.stat("d").accessed > Time(2_000_000), "a later atime", came: "\(see.stat("d").accessed)")
    }
    laws.check("listing a directory with O_NOATIME leaves atime alone") { act, see in
        try act.mkdir("d").succeeds()
        try act.setTimes("d", (Time(1_000_000), Time(2_000_000))).succeeds()
        _ = try act.open("d", O_RDONLY | O_DIRECTORY | Linux.noAccessTime).entries()
        try equal(see.stat("d").accessed, Time(1_000_000), "atime")
    }
    laws.check("reading at the end of a file moves atime") { act, see in
        try needsAccessTimes(act)
        try act.file("f", "abc")
        try act.setTimes("f", (Time(1_000_000), Time(2_000_000))).succeeds()
        try equal(act.open("f", O_RDONLY).pread(3, at: 3), "", "content")
        try holds(see.stat("f").accessed > Time(2_000_000), "a later atime", came: "\(see.stat("f").accessed)")
    }
    laws.check("copy_file_range moves the source's atime, but not with O_NOATIME") { act, see in
        try needsAccessTimes(act)
        try act.file("f", "abc")
        let target = try act.create("g")
        for (flags, moves) in [(Linux.noAccessTime, false), (0, true)] {
            try act.setTimes("f", (Time(1_000_000), Time(2_000_000))).succeeds()
            try act.open("f", O_RDONLY | flags).copy(0, to: target, 0, 3).returns(3)
            let accessed = try see.stat("f").accessed
            try holds((accessed > Time(2_000_000)) == moves, moves ? "a later atime" : "the same", came: "\(accessed)")
        }
    }
    laws.check("an atime in the future gives way to that of an access, where an access counts") { act, _ in
        try needsAccessTimes(act)
        try act.file("f", "abc")
        let future = Time.now().seconds + 1_000_000
        try act.setTimes("f", (Time(future), Time(future + 1))).succeeds()
        _ = try act.open("f", O_RDONLY).read(3)
        let accessed = try act.stat("f").accessed
        try holds(accessed < Time(future), "the atime of now", came: "\(accessed)")
        // Nor does it come back when it is written down.
        try act.chmod("f", 0o600).succeeds()
        try equal(act.stat("f").accessed, accessed, "atime")
    }
    laws.check("reading a symlink whose atime is before its mtime moves atime") { act, see in
        try needsAccessTimes(act)
        try act.symlink("x", "s").succeeds()
        try act.setTimes("s", (Time(1_000_000), Time(2_000_000)), CInt(AT_SYMLINK_NOFOLLOW)).succeeds()
        _ = try act.readlink("s")
        try holds(see.lstat("s").accessed > Time(2_000_000), "a later atime", came: "\(see.lstat("s").accessed)")
    }
    laws.check("a write leaves atime alone") { act, see in
        try act.file("f", "abc")
        try act.setTimes("f", (Time(1_000_000), Time(2_000_000))).succeeds()
        try act.open("f").write("x").returns(1)
        try equal(see.stat("f").accessed, Time(1_000_000), "atime")
    }
}
