import CLinux
import Glibc

/// What stat(2) shows of a name, as far as it must be the same on any filesystem, and the times, of which only whether
/// and how an operation changed them can be compared.
struct Sight {
    var error: Int
    private var inode = 0
    private var fields: [String: Int] = [:]
    private var times: [String: timespec] = [:]

    init(_ path: String) { self.init(Kernel.status(path)) }
    /// Of an open file.
    init(file: Int) { self.init(Kernel.status(file: file)) }

    private init(_ answer: (result: Int, status: stat)) {
        let status = answer.status
        error = answer.result
        guard error == 0 else { return }
        inode = Int(status.st_ino)
        let kind = Int(status.st_mode) & Kernel.typeMask
        fields = [
            "mode": Int(status.st_mode), "nlink": Int(status.st_nlink), "uid": Int(status.st_uid),
            "gid": Int(status.st_gid),
        ]
        // The size of a directory is its filesystem's own.
        if kind != Kernel.directory { fields["size"] = Int(status.st_size) }
        if kind == Kernel.character || kind == Kernel.block { fields["rdev"] = Int(status.st_rdev) }
        times = ["mtime": status.st_mtim, "ctime": status.st_ctim]
        // Reading updates it lazily (relatime), and a listing of our own may have done so: only that it never goes wrong
        // when it is set is looked at, see `difference`.
        accessTime = status.st_atim
    }

    private var accessTime = timespec()

    /// The first thing in which two sides differ; `before` is what each showed before the operation.
    static func difference(
        _ reference: Sight, _ subject: Sight, before: (Sight, Sight), set: TreeOperation?
    ) -> String? {
        guard reference.error == subject.error else {
            return "stat gives \(reference.error) there, \(subject.error) here"
        }
        for (field, value) in reference.fields.sorted(by: { $0.key < $1.key }) where subject.fields[field] != value {
            let other = subject.fields[field] ?? -1
            let radix = field == "mode" ? 8 : 10
            return "\(field) is \(String(value, radix: radix)) there, \(String(other, radix: radix)) here"
        }
        guard before.0.error == 0, before.1.error == 0, reference.error == 0 else { return nil }
        guard (before.0.inode == reference.inode) == (before.1.inode == subject.inode) else {
            return "the inode number \(before.0.inode == reference.inode ? "stays" : "changes") there, not so here"
        }
        guard before.0.inode == reference.inode else { return nil }
        for name in ["ctime", "mtime"] {
            let changed = (before.0.times[name], reference.times[name], before.1.times[name], subject.times[name])
            guard let a = changed.0, let b = changed.1, let c = changed.2, let d = changed.3 else { continue }
            if (a == b) != (c == d) { return "\(name) \(a == b ? "stays" : "changes") there, not so here" }
        }
        if case .setTimes(_, let access, let modify)? = set {
            let none = timespec()
            for (wanted, there, here) in [
                (access, reference.accessTime, subject.accessTime),
                (modify, reference.times["mtime"] ?? none, subject.times["mtime"] ?? none),
            ] {
                guard case .at(let seconds, let nanoseconds) = wanted else { continue }
                let wish = timespec(tv_sec: seconds, tv_nsec: nanoseconds)
                if there == wish, here != wish { return "a time was set to \(wish), is \(here)" }
            }
        }
        return nil
    }
}

private func == (first: timespec, second: timespec) -> Bool {
    first.tv_sec == second.tv_sec && first.tv_nsec == second.tv_nsec
}
private func != (first: timespec, second: timespec) -> Bool { !(first == second) }
