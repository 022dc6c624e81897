import Glibc

private let now = Time(0, Linux.utimeNow)
private let omit = Time(0, Linux.utimeOmit)

/// utimensat(2) and futimens(3).
func setTimesChecks() -> [Check] {
    var laws = CheckList("utimensat")
    values(&laws)
    permissions(&laws)
    return laws.checks
}

private func values(_ laws: inout CheckList) {
    for time in [
        Time(0), Time(0, 1), Time(1, 999_999_999), Time(1_234_567_890, 123_456_789), Time((1 << 31) - 1),
        Time(1 << 31, 5), Time(1 << 32, 7), Time(-1), Time(-1_000_000, 500_000_000), Time(-(1 << 31)),
    ] {
        laws.check("\(time) is kept to the nanosecond") { act, see in
            try act.file("f")
            let other = Time(77, 88)
            try act.setTimes("f", (time, other)).succeeds()
            try equal(see.stat("f").accessed, time, "atime")
            try equal(see.stat("f").modified, other, "mtime")
            try act.setTimes("f", (other, time)).succeeds()
            try equal(see.stat("f").accessed, other, "atime")
            try equal(see.stat("f").modified, time, "mtime")
        }
    }
    laws.check("no times means now for both") { act, see in
        try act.file("f")
        try act.setTimes("f", (Time(1), Time(2))).succeeds()
        let start = Time.now(CLOCK_REALTIME_COARSE)
        try act.setTimes("f", nil).succeeds()
        let status = try see.stat("f")
        try holds(status.accessed >= Time(start.seconds - 2) && status.accessed <= Time.now(), "atime of now")
        try equal(status.modified, status.accessed, "mtime")
    }
    laws.check("UTIME_NOW sets one time to now and the other as asked") { act, see in
        try act.file("f")
        try act.setTimes("f", (now, Time(1000))).succeeds()
        try equal(see.stat("f").modified, Time(1000), "mtime")
        try holds(see.stat("f").accessed > Time(1_000_000_000), "atime of now")
        try act.setTimes("f", (Time(1000), now)).succeeds()
        try equal(see.stat("f").accessed, Time(1000), "atime")
        try holds(see.stat("f").modified > Time(1_000_000_000), "mtime of now")
    }
    laws.check("UTIME_OMIT leaves one time alone") { act, see in
        try act.file("f")
        try act.setTimes("f", (Time(1000), Time(2000))).succeeds()
        try act.setTimes("f", (omit, Time(3000))).succeeds()
        try equal(see.stat("f").accessed, Time(1000), "atime")
        try equal(see.stat("f").modified, Time(3000), "mtime")
        try act.setTimes("f", (Time(4000), omit)).succeeds()
        try equal(see.stat("f").accessed, Time(4000), "atime")
        try equal(see.stat("f").modified, Time(3000), "mtime")
    }
    laws.check("UTIME_OMIT for both succeeds and changes nothing, ctime neither") { act, see in
        try act.file("f")
        let before = try see.stat("f")
        Time.advance()
        try act.setTimes("f", (omit, omit)).succeeds()
        let after = try see.stat("f")
        try equal(after.accessed, before.accessed, "atime")
        try equal(after.modified, before.modified, "mtime")
        try equal(after.changed, before.changed, "ctime")
    }
    laws.check("setting times moves ctime to now") { act, see in
        try act.file("f")
        let before = try see.stat("f")
        Time.advance()
        try act.setTimes("f", (Time(1), Time(2))).succeeds()
        try holds(see.stat("f").changed > before.changed, "a later ctime")
    }
    laws.check("nanoseconds of 1,000,000,000 or below 0 are EINVAL") { act, see in
        try act.file("f")
        let before = try see.stat("f")
        for wrong in [1_000_000_000, -1] {
            try act.setTimes("f", (Time(1, wrong), Time(1))).fails(EINVAL)
            try act.setTimes("f", (Time(1), Time(1, wrong))).fails(EINVAL)
        }
        try equal(see.stat("f").modified, before.modified, "mtime")
    }
    laws.check("a symlink's own times are set with AT_SYMLINK_NOFOLLOW, its target's without") { act, see in
        try act.file("f")
        try act.symlink("f", "s").succeeds()
        try act.setTimes("s", (Time(1), Time(2)), CInt(AT_SYMLINK_NOFOLLOW)).succeeds()
        try act.setTimes("s", (Time(3), Time(4))).succeeds()
        try equal(see.lstat("s").modified, Time(2), "mtime of the symlink")
        try equal(see.stat("f").modified, Time(4), "mtime of the target")
    }
    for (name, make) in [
        ("directory", { try $0.mkdir("x").succeeds() }),
        ("fifo", { try $0.mknod("x", Status.fifo | 0o644).succeeds() }),
        ("socket", { try $0.mknod("x", Status.socket | 0o644).succeeds() }),
    ] as [(String, (View) throws -> Void)] {
        laws.check("the times of a \(name) are set") { act, see in
            try make(act)
            try act.setTimes("x", (Time(1000, 1), Time(2000, 2))).succeeds()
            try equal(see.stat("x").accessed, Time(1000, 1), "atime")
            try equal(see.stat("x").modified, Time(2000, 2), "mtime")
        }
    }
    laws.check("futimens sets the times of an open file, whatever its flags") { act, see in
        try act.file("f")
        try act.open("f", O_RDONLY).setTimes(Time(1000, 1), Time(2000, 2)).succeeds()
        try equal(see.stat("f").modified, Time(2000, 2), "mtime")
    }
    laws.check("times that were set stay through close, reading, chmod and rename") { act, see in
        let file = try act.create("f")
        try file.write("abc").returns(3)
        try file.setTimes(Time(1000), Time(2000)).succeeds()
        try file.close().succeeds()
        try act.chmod("f", 0o600).succeeds()
        try act.rename("f", "g").succeeds()
        try see.contains("g", "abc")
        try equal(see.stat("g").modified, Time(2000), "mtime")
    }
    laws.check("times set while written bytes are still on their way are not moved by them") { act, see in
        let file = try act.create("f")
        try file.write(Bytes(patternOf: 3 << 20)).returns(3 << 20)
        try act.setTimes("f", (Time(1000), Time(2000))).succeeds()
        try file.sync().succeeds()
        try file.close().succeeds()
        try equal(see.stat("f").modified, Time(2000), "mtime")
        try equal(act.stat("f").modified, Time(2000), "mtime on the acting side")
    }
}

private func permissions(_ laws: inout CheckList) {
    laws.check("the owner sets any times, without write permission too") { act, see in
        try act.file("f", "", 0o444)
        try act.chown("f", 2001, 2001).succeeds()
        try User.alice.does {
            try act.setTimes("f", (Time(1000), Time(2000))).succeeds()
            try act.setTimes("f", nil).succeeds()
        }
        try holds(see.stat("f").modified > Time(2000), "mtime of now")
    }
    laws.check("somebody else with write permission may set now, and nothing else: EPERM") { act, see in
        try act.file("f", "", 0o666)
        try User.alice.does {
            try act.setTimes("f", nil).succeeds()
            try act.setTimes("f", (now, now)).succeeds()
            try act.setTimes("f", (Time(1000), Time(2000))).fails(EPERM)
            try act.setTimes("f", (now, Time(2000))).fails(EPERM)
            try act.setTimes("f", (now, omit)).fails(EPERM)
            try act.setTimes("f", (omit, now)).fails(EPERM)
        }
        try holds(see.stat("f").modified > Time(2000), "mtime of now")
    }
    laws.check("somebody else without write permission gets EACCES for now, EPERM for times") { act, _ in
        try act.file("f", "", 0o644)
        try User.alice.does {
            try act.setTimes("f", nil).fails(EACCES)
            try act.setTimes("f", (now, now)).fails(EACCES)
            try act.setTimes("f", (Time(1000), Time(2000))).fails(EPERM)
        }
    }
    laws.check("UTIME_OMIT for both needs no permission") { act, _ in
        try act.file("f", "", 0)
        try User.alice.does { try act.setTimes("f", (omit, omit)).succeeds() }
    }
}
