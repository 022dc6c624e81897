import CLinux
import Glibc

/// An operation on one path, for the laws that hold for every one of them.
private struct PathOperation {
    let name: String
    /// Acts on a symlink itself instead of following it.
    var isNoFollow = false
    /// Makes the name, so that its absence is no error.
    var makes = false
    let body: (View, Bytes) -> Outcome
}

private var operations: [PathOperation] {
    [
        PathOperation(name: "open") { $0.opening($1, O_RDONLY) },
        PathOperation(name: "open with O_CREAT", makes: true) { $0.opening($1, O_WRONLY | O_CREAT) },
        PathOperation(name: "mkdir", isNoFollow: true, makes: true) { $0.mkdir($1) },
        PathOperation(name: "rmdir", isNoFollow: true) { $0.rmdir($1) },
        PathOperation(name: "unlink", isNoFollow: true) { $0.unlink($1) },
        PathOperation(name: "symlink", isNoFollow: true, makes: true) { $0.symlink("target", $1) },
        PathOperation(name: "readlink", isNoFollow: true) { view, name in
            var buffer = [UInt8](repeating: 0, count: 64)
            return view.readlinking(name, &buffer)
        },
        PathOperation(name: "link from", isNoFollow: true) { $0.link($1, "new") },
        PathOperation(name: "link to", isNoFollow: true, makes: true) { $0.link("existing", $1) },
        PathOperation(name: "rename from", isNoFollow: true) { $0.rename($1, "new") },
        PathOperation(name: "rename to", isNoFollow: true, makes: true) { $0.rename("existing", $1) },
        PathOperation(name: "mkfifo", isNoFollow: true, makes: true) { $0.mknod($1, Status.fifo | 0o644) },
        PathOperation(name: "chmod") { $0.chmod($1, 0o600) },
        PathOperation(name: "chown") { $0.chown($1, 2001, 2001) },
        PathOperation(name: "lchown", isNoFollow: true) { $0.lchown($1, 2001, 2001) },
        PathOperation(name: "truncate") { $0.truncate($1, 1) },
        PathOperation(name: "stat") { $0.stating($1) },
        PathOperation(name: "lstat", isNoFollow: true) { $0.lstating($1) },
        PathOperation(name: "access") { $0.access($1, F_OK) },
        PathOperation(name: "utimensat") { $0.setTimes($1, (Time(1), Time(2))) },
        PathOperation(name: "chdir") { $0.chdir($1) },
        PathOperation(name: "setxattr") { $0.setAttribute($1, "user.key", "value") },
        PathOperation(name: "getxattr") { $0.gettingAttribute($1, "user.key") },
    ]
}

/// What every call that takes a path says of a bad one (path_resolution(7)).
func pathChecks() -> [Check] {
    var laws = CheckList("path")
    for operation in operations {
        let name = operation.name
        if !operation.makes {
            laws.check("\(name) of a missing name is ENOENT") { act, see in
                try act.file("existing")
                try operation.body(act, "missing").fails(ENOENT)
                try equal(see.names(), ["existing"], "names")
            }
        }
        laws.check("\(name) below a missing directory is ENOENT") { act, see in
            try act.file("existing")
            try operation.body(act, "missing/name").fails(ENOENT)
            try equal(see.names(), ["existing"], "names")
        }
        laws.check("\(name) of an empty path is ENOENT") { act, _ in
            try act.file("existing")
            try act.chdir("").succeeds()
            try operation.body(View.bare, "").fails(ENOENT)
        }
        laws.check("\(name) below a file is ENOTDIR") { act, see in
            try act.file("existing")
            try act.file("file", "content")
            try operation.body(act, "file/name").fails(ENOTDIR)
            try see.contains("file", "content")
        }
        laws.check("\(name) of a name of 256 bytes is ENAMETOOLONG") { act, _ in
            try act.file("existing")
            try operation.body(act, Bytes(repeating: "n", count: 256)).fails(ENAMETOOLONG)
        }
        laws.check("\(name) of a path of PATH_MAX bytes is ENAMETOOLONG") { act, _ in
            try act.file("existing")
            let length = Linux.pathMax - act.path("").count - 1
            try operation.body(act, Bytes(Bytes(repeating: "./", count: length).array.prefix(length)))
                .fails(ENAMETOOLONG)
        }
        laws.check("\(name) through a symlink loop is ELOOP") { act, _ in
            try act.file("existing")
            try act.symlink("loop2", "loop").succeeds()
            try act.symlink("loop", "loop2").succeeds()
            try operation.body(act, "loop/name").fails(ELOOP)
        }
        if !operation.isNoFollow {
            laws.check("\(name) of a symlink loop is ELOOP") { act, _ in
                try act.symlink("loop2", "loop").succeeds()
                try act.symlink("loop", "loop2").succeeds()
                try operation.body(act, "loop").fails(ELOOP)
            }
        }
        laws.check("\(name) in a directory without search permission is EACCES") { act, _ in
            try act.file("existing")
            try act.directory("closed", 0o666)
            try act.file("closed/name")
            try User.alice.does { try operation.body(act, "closed/name").fails(EACCES) }
        }
        laws.check("\(name) of a bad address is EFAULT") { act, _ in
            try act.file("existing")
            try act.chdir("").succeeds()
            try Outcome(name, badAddress(name)).fails(EFAULT)
        }
    }
    return laws.checks
}

/// The call with the address 1 as its path.
private func badAddress(_ name: String) -> Int {
    let here = Linux.currentDirectory
    let text: [UInt8] = Array("existing".utf8) + [0]
    return text.withUnsafeBufferPointer { text in
        let good = address(text.baseAddress!)
        return switch name {
        case "open": systemCall(SYS_openat, here, 1, 0)
        case "open with O_CREAT": systemCall(SYS_openat, here, 1, Int(O_CREAT | O_WRONLY), 0o644)
        case "mkdir": systemCall(SYS_mkdirat, here, 1, 0o755)
        case "rmdir": systemCall(SYS_unlinkat, here, 1, Int(AT_REMOVEDIR))
        case "unlink": systemCall(SYS_unlinkat, here, 1, 0)
        case "symlink": systemCall(SYS_symlinkat, good, here, 1)
        case "readlink": systemCall(SYS_readlinkat, here, 1, 1, 1)
        case "link from": systemCall(SYS_linkat, here, 1, here, good, 0)
        case "link to": systemCall(SYS_linkat, here, good, here, 1, 0)
        case "rename from": systemCall(SYS_renameat2, here, 1, here, good, 0)
        case "rename to": systemCall(SYS_renameat2, here, good, here, 1, 0)
        case "mkfifo": systemCall(SYS_mknodat, here, 1, Int(Status.fifo), 0)
        case "chmod": systemCall(SYS_fchmodat, here, 1, 0)
        case "chown", "lchown": systemCall(SYS_fchownat, here, 1, 0, 0, 0)
        case "truncate": systemCall(SYS_truncate, 1, 0)
        case "chdir": systemCall(SYS_chdir, 1)
        case "stat", "lstat": systemCall(SYS_statx, here, 1, 0, 0, 1)
        case "access": systemCall(SYS_faccessat, here, 1, 0)
        case "utimensat": systemCall(SYS_utimensat, here, 1, 0, 0)
        case "setxattr": systemCall(SYS_setxattr, 1, good, good, 1, 0)
        default: systemCall(SYS_getxattr, 1, good, 0, 0)
        }
    }
}
