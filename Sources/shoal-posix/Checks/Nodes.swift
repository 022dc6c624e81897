import CLinux
import Glibc

/// mknod(2): special files, and the use of fifos and sockets.
func nodeChecks() -> [Check] {
    var laws = CheckList("special files")
    making(&laws)
    fifos(&laws)
    sockets(&laws)
    return laws.checks
}

private func making(_ laws: inout CheckList) {
    for (name, kind) in [
        ("regular file", Status.regular), ("fifo", Status.fifo), ("socket", Status.socket),
        ("character device", Status.characterDevice), ("block device", Status.blockDevice),
    ] {
        laws.check("mknod makes a \(name) with its mode less the umask") { act, see in
            umask(0o027)
            try act.mknod("x", kind | 0o666, 0x0103).succeeds()
            let status = try see.lstat("x")
            try equal(status.type, kind, "type")
            try equalMode(status.permissions, 0o640)
            try equal(status.links, 1, "links")
            try equal(status.size, 0, "size")
        }
        laws.check("mknod of a \(name) over a name that exists is EEXIST") { act, _ in
            try act.file("f")
            try act.symlink("missing", "s").succeeds()
            try act.mkdir("d").succeeds()
            for taken in ["f", "s", "d"] as [Bytes] { try act.mknod(taken, kind | 0o644, 0x0103).fails(EEXIST) }
        }
    }
    for (name, kind) in [("character", Status.characterDevice), ("block", Status.blockDevice)] {
        laws.check("a \(name) device keeps its major and minor number") { act, see in
            // makedev(3): minor 0x12345 and major 0x678.
            let device: UInt64 = 0x45 | 0x123 << 20 | 0x678 << 8
            try act.mknod("x", kind | 0o644, device).succeeds()
            try equal(see.lstat("x").deviceNumber, 0x678 << 32 | 0x12345, "device number")
        }
        laws.check("mknod of a \(name) device by another user is EPERM") { act, see in
            try User.alice.does { try act.mknod("x", kind | 0o644, 0x0103).fails(EPERM) }
            try see.isAbsent("x")
        }
    }
    laws.check("fifos and sockets may be made by anybody, and belong to them") { act, see in
        try User.alice.does {
            try act.mknod("p", Status.fifo | 0o644).succeeds()
            try act.mknod("s", Status.socket | 0o644).succeeds()
        }
        try equal(see.stat("p").owner, 2001, "owner")
        try equal(see.stat("s").group, 2001, "group")
    }
    laws.check("mknod of a directory is EPERM or EINVAL") { act, _ in
        try act.mknod("d", Status.directory | 0o755).fails([EPERM, EINVAL])
    }
    laws.check("mknod of a symlink is EINVAL or EPERM") { act, _ in
        try act.mknod("s", Status.symlink | 0o755).fails([EPERM, EINVAL])
    }
    laws.check("mknod without write permission on the directory is EACCES") { act, _ in
        try act.directory("d", 0o755)
        try User.alice.does { try act.mknod("d/p", Status.fifo | 0o644).fails(EACCES) }
    }
    laws.check("/dev/null's device number leads to the null device") { act, _ in
        if try act.statfs().f_flag & Linux.noDevices != 0 { throw Verdict.skipped("mounted with nodev") }
        try act.mknod("null", Status.characterDevice | 0o666, 0x0103).succeeds()
        let file = try act.open("null", O_RDWR)
        try file.write("x").returns(1)
        try file.reading(1).returns(0)
    }
    laws.check("the mode of a special file is changed by chmod and decides who opens it") { act, see in
        try act.mknod("p", Status.fifo | 0o666).succeeds()
        try act.chmod("p", 0o600).succeeds()
        try equalMode(see.stat("p").permissions, 0o600)
        try User.alice.does { try act.opening("p", O_RDWR | O_NONBLOCK).fails(EACCES) }
    }
}

private func fifos(_ laws: inout CheckList) {
    laws.check("bytes go through a fifo from one process to another") { act, _ in
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        let peer = try Peer.start { _ in
            let writer = try act.open("p", O_WRONLY)
            try writer.write("through the fifo").returns(16)
        }
        let reader = try act.open("p", O_RDONLY)
        try equal(reader.read(100), "through the fifo", "bytes")
        try equal(reader.read(100), "", "bytes at the end")
        try peer.end()
    }
    laws.check("opening a fifo for writing without reader and O_NONBLOCK is ENXIO") { act, _ in
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        try act.opening("p", O_WRONLY | O_NONBLOCK).fails(ENXIO)
        _ = try act.open("p", O_RDONLY | O_NONBLOCK)
    }
    laws.check("writing to a fifo without reader is EPIPE") { act, _ in
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        let reader = try act.open("p", O_RDONLY | O_NONBLOCK)
        let writer = try act.open("p", O_WRONLY)
        try reader.close().succeeds()
        signal(SIGPIPE, SIG_IGN)
        try writer.write("x").fails(EPIPE)
    }
    laws.check("a fifo's size stays 0, and what is in it goes with its last user") { act, see in
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        let both = try act.open("p", O_RDWR)
        try both.write("lost").returns(4)
        try equal(see.stat("p").size, 0, "size")
        try both.close().succeeds()
        try act.open("p", O_RDONLY | O_NONBLOCK).reading(10).returns(0)
    }
    laws.check("fsync of a fifo is EINVAL") { act, _ in
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        try act.open("p", O_RDWR).sync().fails(EINVAL)
    }
    laws.check("a renamed fifo still connects those who have it open") { act, _ in
        try act.mknod("p", Status.fifo | 0o644).succeeds()
        let reader = try act.open("p", O_RDONLY | O_NONBLOCK)
        try act.rename("p", "q").succeeds()
        try act.open("q", O_WRONLY).write("x").returns(1)
        try equal(reader.read(2), "x", "bytes")
    }
}

private func sockets(_ laws: inout CheckList) {
    laws.check("bind makes a socket, and connect through it reaches the listener") { act, see in
        let listener = try bound(act, "s")
        try Outcome("listen", listen(listener, 1) == 0 ? 0 : -Int(errno)).succeeds()
        try equal(see.stat("s").type, Status.socket, "type")
        let client = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        try connecting(client, act, "s").succeeds()
        let server = File(descriptor: accept(listener, nil, nil))
        try File(descriptor: client).write("hello").returns(5)
        try equal(server.read(10), "hello", "bytes")
    }
    laws.check("bind to a name that exists is EADDRINUSE") { act, _ in
        try act.file("s")
        try Outcome("bind", bindTo(act.path("s"))).fails(EADDRINUSE)
    }
    laws.check("connect to a socket that nobody listens on is ECONNREFUSED") { act, _ in
        try act.mknod("s", Status.socket | 0o777).succeeds()
        try connecting(socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0), act, "s").fails(ECONNREFUSED)
    }
    laws.check("connect to a file that is no socket is ECONNREFUSED") { act, _ in
        try act.file("s")
        try connecting(socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0), act, "s").fails(ECONNREFUSED)
    }
    laws.check("connect without write permission on the socket is EACCES") { act, _ in
        let listener = try bound(act, "s")
        listen(listener, 1)
        try act.chmod("s", 0o755).succeeds()
        try User.alice.does {
            try connecting(socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0), act, "s").fails(EACCES)
        }
    }
    laws.check("a socket is unlinked like a file, and its name can be bound again") { act, see in
        _ = try bound(act, "s")
        try act.unlink("s").succeeds()
        try see.isAbsent("s")
        _ = try bound(act, "s")
    }
}

/// - Returns: what to connect or bind to; nil if the path is too long for a socket address.
private func socketAddress(_ path: Bytes) throws(Verdict) -> sockaddr_un {
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    guard path.count < MemoryLayout.size(ofValue: name.sun_path) else {
        throw Verdict.skipped("DIRECTORY is too long for a socket address")
    }
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.array) }
    return name
}

private func bindTo(_ path: Bytes, _ descriptor: CInt = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0))
    throws(Verdict) -> Int
{
    var name = try socketAddress(path)
    let length = socklen_t(MemoryLayout.size(ofValue: name))
    return withUnsafePointer(to: &name) { name in
        name.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 ? 0 : -Int(errno) }
    }
}

private func bound(_ view: View, _ name: Bytes) throws(Verdict) -> CInt {
    let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    try Outcome("bind(\(name))", bindTo(view.path(name), descriptor)).succeeds()
    return descriptor
}

private func connecting(_ descriptor: CInt, _ view: View, _ name: Bytes) throws(Verdict) -> Outcome {
    var address = try socketAddress(view.path(name))
    let length = socklen_t(MemoryLayout.size(ofValue: address))
    let result = withUnsafePointer(to: &address) { address in
        address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, length) == 0 ? 0 : -Int(errno)
        }
    }
    return Outcome("connect(\(name))", result)
}
