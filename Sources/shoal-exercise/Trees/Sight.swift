import CLinux
import Glibc

/// What stat(2) shows of a file, as far as it must be the same on any filesystem, and the times, of which only whether
/// and how an operation changed them can be compared.
///
/// Left out: the device, inode numbers (only whether they stay), the size of directories, and `st_blocks`, which
/// are the filesystem's own.
struct Sight: CustomStringConvertible {
    let error: Int
    private var fields: [String: Int] = [:]
    private(set) var inode = 0
    private(set) var kind = 0
    private var accessTime = timespec()
    private var modifyTime = timespec()
    private var changeTime = timespec()

    /// - Parameter isShared: There are other mounts, which may have moved a directory: as long as another call renames
    ///   something on this one, Linux may not move its own entry, and says ESTALE (docs/posix.md).
    init(_ path: String, isShared: Bool = false) {
        var answer = Kernel.status(path)
        for _ in 0..<Sight.patience where isShared && answer.result == -Int(ESTALE) {
            sched_yield()
            answer = Kernel.status(path)
        }
        self.init(answer)
    }
    static let patience = 10_000

    /// Of an open file.
    init(file: Int) { self.init(Kernel.status(file: file)) }

    private init(_ answer: (result: Int, status: stat)) {
        let status = answer.status
        error = answer.result
        guard error == 0 else { return }
        inode = Int(status.st_ino)
        kind = Int(status.st_mode) & Kernel.typeMask
        fields = [
            "mode": Int(status.st_mode), "nlink": Int(status.st_nlink), "uid": Int(status.st_uid),
            "gid": Int(status.st_gid),
        ]
        if kind != Kernel.directory { fields["size"] = Int(status.st_size) }
        if kind == Kernel.character || kind == Kernel.block { fields["rdev"] = Int(status.st_rdev) }
        (accessTime, modifyTime, changeTime) = (status.st_atim, status.st_mtim, status.st_ctim)
    }

    var isDirectory: Bool { kind == Kernel.directory }
    var isRegular: Bool { kind == Kernel.regular }
    var isRemoved: Bool { error == 0 && fields["nlink"] == 0 }
    var size: Int { fields["size"] ?? 0 }

    var description: String {
        fields.sorted { $0.key < $1.key }
            .map { "\($0.key) \(String($0.value, radix: $0.key == "mode" ? 8 : 10))" }.joined(separator: ", ")
    }

    /// One file on both sides, before or after an operation.
    struct Pair {
        var reference: Sight
        var subject: Sight

        /// The first thing in which the sides differ.
        var difference: String? {
            guard reference.error == subject.error else {
                return "stat gives \(reference.error) there, \(subject.error) here"
            }
            for (field, value) in reference.fields.sorted(by: { $0.key < $1.key }) where subject.fields[field] != value
            {
                let other = subject.fields[field] ?? -1
                let radix = field == "mode" ? 8 : 10
                return "\(field) is \(String(value, radix: radix)) there, \(String(other, radix: radix)) here"
            }
            return nil
        }

        /// The first thing in which an operation did not do the same on both sides.
        /// - Parameters:
        ///   - clock: What the clock of the kernel's ticks showed before the operation; nil if access times are not to be compared.
        ///   - set: The operation, if it may set the times of this file.
        func difference(since before: Pair, clock: timespec?, set: TreeOperation?) -> String? {
            if let difference { return difference }
            guard reference.error == 0, before.reference.error == 0, before.subject.error == 0 else { return nil }
            let stays = before.reference.inode == reference.inode
            guard stays == (before.subject.inode == subject.inode) else {
                return "the inode number \(stays ? "stays" : "changes") there, not so here"
            }
            // A FUSE mount is not asked for what goes through a FIFO, and keeps its times (docs/posix.md).
            guard stays, reference.kind != Kernel.fifo else { return nil }
            for (name, time) in [("ctime", \Sight.changeTime), ("mtime", \Sight.modifyTime)] {
                let there = before.reference[keyPath: time] == reference[keyPath: time]
                let here = before.subject[keyPath: time] == subject[keyPath: time]
                if there != here { return "\(name) \(there ? "stays" : "changes") there, not so here" }
            }
            return clock.flatMap { differenceOfAccess(since: before, $0) } ?? set.flatMap(differenceOfSetTimes)
        }

        /// The kernel takes access times from a clock that moves with its ticks, or from a finer one: of two times within
        /// a tick it may show the later one as the earlier. Then relatime's rule says nothing.
        private func differenceOfAccess(since before: Pair, _ clock: timespec) -> String? {
            let there = before.reference.accessTime == reference.accessTime
            let here = before.subject.accessTime == subject.accessTime
            if there == here { return nil }
            let others = [
                clock, before.reference.modifyTime, before.reference.changeTime, before.subject.modifyTime,
                before.subject.changeTime,
            ]
            for access in [before.reference.accessTime, before.subject.accessTime]
            where others.contains(where: { access.isWithinTick(of: $0) }) { return nil }
            return "atime \(there ? "stays" : "changes") there, not so here: there \(before.reference.times) then "
                + "\(reference.times), here \(before.subject.times) then \(subject.times)"
        }

        private func differenceOfSetTimes(_ operation: TreeOperation) -> String? {
            guard case .setTimes(_, let access, let modify) = operation else { return nil }
            for (wanted, time) in [(access, \Sight.accessTime), (modify, \Sight.modifyTime)] {
                guard case .at(let seconds, let nanoseconds) = wanted else { continue }
                let wish = timespec(tv_sec: seconds, tv_nsec: nanoseconds)
                if reference[keyPath: time] == wish, subject[keyPath: time] != wish {
                    return "a time was set to \(wish), is \(subject[keyPath: time])"
                }
            }
            return nil
        }
    }

    private var times: String {
        let times = [("a", accessTime), ("m", modifyTime), ("c", changeTime)]
        return times.map { "\($0.0) \($0.1.tv_sec).\($0.1.tv_nsec)" }.joined(separator: " ")
    }
}

extension timespec {
    /// The clock that filesystems take times from: it moves with the kernel's ticks.
    static var coarse: timespec {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return time
    }

    /// Less than two ticks apart.
    func isWithinTick(of other: timespec) -> Bool {
        guard abs(tv_sec - other.tv_sec) <= 1 else { return false }
        return abs((tv_sec - other.tv_sec) * 1_000_000_000 + tv_nsec - other.tv_nsec) < 2 * timespec.tickNanoseconds
    }

    private static let tickNanoseconds: Int = {
        var resolution = timespec()
        clock_getres(CLOCK_REALTIME_COARSE, &resolution)
        return resolution.tv_nsec
    }()
}
private func == (first: timespec, second: timespec) -> Bool {
    first.tv_sec == second.tv_sec && first.tv_nsec == second.tv_nsec
}
private func != (first: timespec, second: timespec) -> Bool { !(first == second) }
