import Glibc

/// execve(2) of programs on the filesystem.
func executeChecks() -> [Check] {
    var laws = CheckList("exec")
    laws.check("a program on the filesystem runs") { act, see in
        try act.program("p", from: "/bin/cat")
        try Sleeper.run(see, "p").end()
    }
    laws.check("a program without any x bit is EACCES, for root too") { act, _ in
        try act.program("p", from: "/bin/cat", 0o644)
        try equal(failure(act, "p"), EACCES, "errno of exec")
    }
    laws.check("a program is run by who has the x bit, readable or not") { act, see in
        try act.program("p", from: "/bin/true", 0o711)
        try User.alice.does { try Sleeper.run(see, "p").end() }
        try act.chmod("p", 0o744).succeeds()
        try User.alice.does { try equal(failure(see, "p"), EACCES, "errno of exec") }
    }
    laws.check("a file that is no program is ENOEXEC") { act, _ in
        try act.file("p", Bytes(patternOf: 100), 0o755)
        try equal(failure(act, "p"), ENOEXEC, "errno of exec")
    }
    laws.check("a directory is EACCES") { act, _ in
        try act.mkdir("d").succeeds()
        try equal(failure(act, "d"), EACCES, "errno of exec")
    }
    laws.check("a script runs by its interpreter, and a missing interpreter is ENOENT") { act, see in
        try act.file("s", "#!/bin/cat\nscript\n", 0o755)
        try Sleeper.run(see, "s").end()
        try act.file("t", "#!/missing/interpreter\n", 0o755)
        try equal(failure(see, "t"), ENOENT, "errno of exec")
    }
    laws.check("opening a running program for writing is ETXTBSY") { act, _ in
        let program = try Sleeper.start(act, "p")
        try act.opening("p", O_WRONLY).fails(ETXTBSY)
        try act.opening("p", O_RDWR).fails(ETXTBSY)
        _ = try act.open("p", O_RDONLY)
        try program.end()
        _ = try act.open("p", O_RDWR)
    }
    laws.check("running a program that is open for writing is ETXTBSY") { act, _ in
        try act.program("p", from: "/bin/true")
        let file = try act.open("p", O_RDWR)
        try equal(failure(act, "p"), ETXTBSY, "errno of exec")
        try file.close().succeeds()
        try Sleeper.run(act, "p").end()
    }
    laws.check("a running program may be unlinked, and replaced by rename") { act, see in
        let first = try Sleeper.start(act, "p")
        try act.program("q", from: "/bin/true")
        try act.rename("q", "p").succeeds()
        let second = try Sleeper.run(see, "p")
        try second.end()
        try act.unlink("p").succeeds()
        try first.end()
    }
    laws.check("a program that was written over runs as it is now") { act, see in
        try act.program("p", from: "/bin/false")
        try act.unlink("p").succeeds()
        try act.program("p", from: "/bin/true")
        try Sleeper.run(see, "p").end()
    }
    laws.check("a setuid program runs as its owner") { act, see in
        if try act.statfs().f_flag & Linux.noSetID != 0 { throw Verdict.skipped("mounted with nosuid") }
        try act.program("p", from: "/bin/cat")
        try act.chown("p", 2002, 2002).succeeds()
        try act.chmod("p", 0o4755).succeeds()
        try User.alice.does {
            let program = try Sleeper.run(see, "p")
            let uids =
                try View.bare.content("/proc/\(program.process)/status").text
                .split(separator: "\n").first { $0.hasPrefix("Uid:") } ?? ""
            try equal(
                uids.split(separator: "\t").dropFirst().map(String.init), ["2001", "2002", "2002", "2002"], "user ids")
            try program.end()
        }
    }
    return laws.checks
}

/// The errno of an exec that must fail.
private func failure(_ view: View, _ name: Bytes) throws(Verdict) -> CInt {
    let path = view.path(name).text
    let process = fork()
    if process == 0 {
        let words: [UnsafeMutablePointer<CChar>?] = [strdup(path), nil]
        execve(path, words, [nil])
        _exit(errno)
    }
    var status: CInt = 0
    waitpid(process, &status, 0)
    return status >> 8 & 0xFF
}
