import CLinux
import Glibc

/// chdir(2), fchdir(2), getcwd(2), and calls relative to a directory's descriptor.
func workingDirectoryChecks() -> [Check] {
    var laws = CheckList("working directory")
    laws.check("chdir leads there, and getcwd says so") { act, _ in
        try act.mkdir("d").succeeds()
        try act.chdir("d").succeeds()
        try equal(current(), act.path("d"), "working directory")
        try View.bare.file("f", "x")
        try act.contains("d/f", "x")
    }
    laws.check("fchdir leads to an open directory") { act, _ in
        try act.mkdir("d").succeeds()
        try act.open("d", O_RDONLY | O_DIRECTORY).chdir().succeeds()
        try equal(current(), act.path("d"), "working directory")
    }
    laws.check("chdir and fchdir to a file are ENOTDIR") { act, _ in
        let file = try act.create("f")
        try act.chdir("f").fails(ENOTDIR)
        try file.chdir().fails(ENOTDIR)
    }
    laws.check("chdir needs x on the directory: EACCES") { act, _ in
        try act.directory("d", 0o666)
        try User.alice.does { try act.chdir("d").fails(EACCES) }
        try act.chmod("d", 0o111).succeeds()
        try User.alice.does { try act.chdir("d").succeeds() }
    }
    laws.check("getcwd follows a rename of the working directory") { act, _ in
        try act.mkdir("d").succeeds()
        try act.mkdir("e").succeeds()
        try act.chdir("d").succeeds()
        try act.rename("d", "e/f").succeeds()
        try equal(current(), act.path("e/f"), "working directory")
    }
    laws.check("in a removed working directory getcwd and making names are ENOENT") { act, _ in
        try act.mkdir("d").succeeds()
        try act.chdir("d").succeeds()
        try act.rmdir("d").succeeds()
        var buffer = [UInt8](repeating: 0, count: 4096)
        try Outcome("getcwd", systemCall(SYS_getcwd, address(&buffer), 4096)).fails(ENOENT)
        try View.bare.mkdir("x").fails(ENOENT)
        try View.bare.opening("f", O_WRONLY | O_CREAT).fails(ENOENT)
        try equal(View.bare.stat(".").links, 0, "links")
    }
    laws.check("getcwd in a chain of symlinks says where it is") { act, _ in
        try act.mkdir("d").succeeds()
        try act.symlink("d", "s").succeeds()
        try act.chdir("s").succeeds()
        try equal(current(), act.path("d"), "working directory")
    }
    laws.check("openat, mkdirat and unlinkat start at their descriptor") { act, see in
        try act.mkdir("d").succeeds()
        let directory = Int(try act.open("d", O_RDONLY | O_DIRECTORY).descriptor)
        let name = Array("x".utf8) + [0]
        try name.withUnsafeBufferPointer { name in
            let name = address(name.baseAddress!)
            return Outcome("mkdirat", systemCall(SYS_mkdirat, directory, name, 0o755))
        }.succeeds()
        try equal(see.stat("d/x").type, Status.directory, "type")
        try name.withUnsafeBufferPointer { name in
            Outcome("unlinkat", systemCall(SYS_unlinkat, directory, address(name.baseAddress!), Int(AT_REMOVEDIR)))
        }.succeeds()
        try see.isAbsent("d/x")
    }
    laws.check("a descriptor of a file as a start is ENOTDIR, a closed one EBADF") { act, _ in
        let file = try act.create("f")
        let name = Array("x".utf8) + [0]
        let open = { (descriptor: Int) in
            name.withUnsafeBufferPointer {
                Outcome("openat", systemCall(SYS_openat, descriptor, address($0.baseAddress!), Int(O_RDONLY)))
            }
        }
        try open(Int(file.descriptor)).fails(ENOTDIR)
        try file.close().succeeds()
        try open(Int(file.descriptor)).fails(EBADF)
    }
    return laws.checks
}

private func current() throws(Verdict) -> Bytes {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = try Outcome("getcwd", systemCall(SYS_getcwd, address(&buffer), 4096)).succeeds()
    return Bytes(buffer[..<(count - 1)])
}
