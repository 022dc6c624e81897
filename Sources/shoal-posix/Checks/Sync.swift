import Glibc

/// fsync(2), fdatasync(2), syncfs(2), and close(2).
func syncChecks() -> [Check] {
    var laws = CheckList("sync")
    for (name, sync) in [
        ("fsync", { $0.sync() }), ("fdatasync", { $0.syncData() }), ("syncfs", { $0.syncFilesystem() }),
    ] as [(String, (File) -> Outcome)] {
        laws.check("\(name) of a file that was written succeeds, and the content stays") { act, see in
            let file = try act.create("f")
            try file.write(Bytes(patternOf: 300_000)).returns(300_000)
            try sync(file).succeeds()
            try see.contains("f", Bytes(patternOf: 300_000))
        }
        laws.check("\(name) of a file opened O_RDONLY succeeds") { act, _ in
            try act.file("f", "abc")
            try sync(act.open("f", O_RDONLY)).succeeds()
        }
        laws.check("\(name) of a directory succeeds") { act, _ in
            try act.mkdir("d").succeeds()
            try act.file("d/f", "abc")
            try sync(act.open("d", O_RDONLY | O_DIRECTORY)).succeeds()
        }
        laws.check("\(name) of a closed descriptor is EBADF") { act, _ in
            let file = try act.create("f")
            try file.close().succeeds()
            try sync(file).fails(EBADF)
        }
        laws.check("\(name) of an unlinked file succeeds") { act, _ in
            let file = try act.create("f")
            try file.write("abc").returns(3)
            try act.unlink("f").succeeds()
            try sync(file).succeeds()
        }
    }
    laws.check("sync(2) returns, with files open and written") { act, _ in
        try act.create("f").write(Bytes(patternOf: 10_000)).returns(10_000)
        sync()
    }
    laws.check("closing twice is EBADF the second time") { act, _ in
        let file = try act.create("f")
        try file.close().succeeds()
        try file.close().fails(EBADF)
    }
    laws.check("fsync of a name's directory after create, rename and unlink succeeds") { act, see in
        let directory = try act.open("", O_RDONLY | O_DIRECTORY)
        try act.file("f", "abc")
        try directory.sync().succeeds()
        try act.rename("f", "g").succeeds()
        try directory.sync().succeeds()
        try act.unlink("g").succeeds()
        try directory.sync().succeeds()
        try equal(see.names(), [], "names")
    }
    return laws.checks
}
