import CLinux
import Glibc

/// What an operation answered, without what may differ between filesystems (descriptor numbers, inode numbers).
struct Answer: Equatable {
    /// 0 or a count, or minus the errno.
    var result: Int
    /// Bytes read, names listed.
    var content: [UInt8] = []

    init(_ result: Int, _ content: [UInt8] = []) {
        self.result = result
        self.content = content
    }
}

extension TreeOperation {
    /// Does it on one side, through its mount number `mount`.
    func perform(on side: inout Side, through mount: Int) -> Answer {
        switch self {
        case .open(let place, let slot, let flags, let mode):
            if side.isOpen(slot) { _ = side.close(slot) }
            let file = Kernel.open(side.path(place, through: mount), flags, mode: mode)
            if file >= 0 { side.opened(slot, file) }
            return Answer(min(file, 0))
        case .close(let slot): return Answer(side.isOpen(slot) ? side.close(slot) : -Int(EBADF))
        case .write(let slot, let offset, let bytes):
            return Answer(Kernel.write(side.file(slot), bytes, at: offset))
        case .read(let slot, let offset, let count):
            let (result, bytes) = Kernel.read(side.file(slot), count, at: offset)
            return Answer(result, bytes)
        case .truncateOpen(let slot, let size): return Answer(Kernel.call(SYS_ftruncate, side.file(slot), size))
        case .allocate(let slot, let mode, let offset, let count):
            return Answer(Kernel.call(SYS_fallocate, side.file(slot), mode, offset, count))
        case .copyRange(let from, let source, let to, let target, let count):
            return copyRange(side.file(from), source, side.file(to), target, count)
        case .synchronize(let slot, let dataOnly):
            return Answer(Kernel.call(dataOnly ? SYS_fdatasync : SYS_fsync, side.file(slot)))
        case .lock(let slot, let kind, let start, let count):
            // Of the open file description: those of one process do conflict.
            let setLock = 37
            var lock = flock()
            lock.l_type = [Int16(F_RDLCK), Int16(F_WRLCK), Int16(F_UNLCK)][kind]
            lock.l_start = start
            lock.l_len = count
            return withUnsafeMutablePointer(to: &lock) {
                Answer(Kernel.call(SYS_fcntl, side.file(slot), setLock, Int(bitPattern: $0)))
            }
        case .lockWhole(let slot, let operation): return Answer(Kernel.call(SYS_flock, side.file(slot), operation))
        case .changeModeOpen(let slot, let mode): return Answer(Kernel.call(SYS_fchmod, side.file(slot), mode))
        default: return performOnNames(side, mount)
        }
    }

    private func copyRange(_ from: Int, _ source: Int, _ to: Int, _ target: Int, _ count: Int) -> Answer {
        var (source, target) = (Int64(source), Int64(target))
        return withUnsafeMutablePointer(to: &source) { source in
            withUnsafeMutablePointer(to: &target) { target in
                // It may copy less than asked; what was not copied is asked for again, as programs do.
                var copied = 0
                while copied < count {
                    let result = Kernel.call(
                        SYS_copy_file_range, from, Int(bitPattern: source), to, Int(bitPattern: target),
                        count - copied, 0)
                    if result <= 0 { return Answer(copied > 0 ? copied : result) }
                    copied += result
                }
                return Answer(copied)
            }
        }
    }

    private func performOnNames(_ side: Side, _ mount: Int) -> Answer {
        let here = Kernel.currentDirectory
        func path(_ place: Place) -> String { side.path(place, through: mount) }
        func one(_ place: Place, _ body: (Int) -> Int) -> Answer { Answer(Kernel.with(path(place), body)) }
        switch self {
        case .truncate(let place, let size): return one(place) { Kernel.call(SYS_truncate, $0, size) }
        case .makeDirectory(let place, let mode): return one(place) { Kernel.call(SYS_mkdirat, here, $0, mode) }
        case .removeDirectory(let place): return one(place) { Kernel.call(SYS_unlinkat, here, $0, Int(AT_REMOVEDIR)) }
        case .makeNode(let place, let mode, let device):
            return one(place) { Kernel.call(SYS_mknodat, here, $0, mode, device) }
        case .link(let from, let to):
            return Answer(Kernel.with(path(from), path(to)) { Kernel.call(SYS_linkat, here, $0, here, $1, 0) })
        case .symlink(let target, let place):
            return Answer(Kernel.with(target, path(place)) { Kernel.call(SYS_symlinkat, $0, here, $1) })
        case .readLink(let place):
            return content(of: place, 5000, path) { Kernel.call(SYS_readlinkat, here, $0, $1, $2) }
        case .unlink(let place): return one(place) { Kernel.call(SYS_unlinkat, here, $0, 0) }
        case .rename(let from, let to, let flags):
            return Answer(
                Kernel.with(path(from), path(to)) { Kernel.call(SYS_renameat2, here, $0, here, $1, flags) })
        case .changeMode(let place, let mode): return one(place) { Kernel.call(SYS_fchmodat, here, $0, mode) }
        case .changeOwner(let place, let user, let group):
            return one(place) { Kernel.call(SYS_fchownat, here, $0, user, group, Int(AT_SYMLINK_NOFOLLOW)) }
        case .setTimes(let place, let access, let modify):
            let times = [access.value, modify.value]
            return times.withUnsafeBufferPointer { times in
                one(place) {
                    Kernel.call(
                        SYS_utimensat, here, $0, Int(bitPattern: times.baseAddress), Int(AT_SYMLINK_NOFOLLOW))
                }
            }
        case .setAttribute(let place, let name, let value, let flags):
            return value.withUnsafeBytes { value in
                Answer(
                    Kernel.with(path(place), name) {
                        Kernel.call(
                            SYS_lsetxattr, $0, $1, Int(bitPattern: value.baseAddress), value.count, flags)
                    })
            }
        case .getAttribute(let place, let name, let room):
            return content(of: place, room, path) { path, bytes, room in
                Kernel.with(name) { Kernel.call(SYS_lgetxattr, path, $0, bytes, room) }
            }
        case .listAttributes(let place):
            var answer = content(of: place, 8192, path) { Kernel.call(SYS_llistxattr, $0, $1, $2) }
            // Their order is the filesystem's own.
            answer.content = answer.content.split(separator: 0).map(Array.init)
                .filter { !$0.starts(with: Array("security.".utf8)) }
                .sorted { $0.lexicographicallyPrecedes($1) }.flatMap { $0 + [0] }
            if answer.result > 0 { answer.result = answer.content.count }
            return answer
        case .removeAttribute(let place, let name):
            return Answer(Kernel.with(path(place), name) { Kernel.call(SYS_lremovexattr, $0, $1) })
        case .list(let place): return Listing.answer(path(place))
        case .access(let place, let mode): return one(place) { Kernel.call(SYS_faccessat, here, $0, mode) }
        case .status(let place): return Answer(Kernel.status(path(place)).result)
        default: preconditionFailure("operations on open files are performed elsewhere")
        }
    }

    /// A call that fills a buffer with what `place` has.
    private func content(
        of place: Place, _ room: Int, _ path: (Place) -> String, _ body: (Int, Int, Int) -> Int
    ) -> Answer {
        var bytes = [UInt8](repeating: 0, count: max(room, 1))
        let result = bytes.withUnsafeMutableBytes { buffer in
            Kernel.with(path(place)) { body($0, Int(bitPattern: buffer.baseAddress), room) }
        }
        return Answer(result, result > 0 && room > 0 ? Array(bytes[..<min(result, room)]) : [])
    }
}

extension TreeOperation.Time {
    fileprivate var value: timespec {
        switch self {
        case .now: timespec(tv_sec: 0, tv_nsec: (1 << 30) - 1)
        case .omit: timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2)
        case .at(let seconds, let nanoseconds): timespec(tv_sec: seconds, tv_nsec: nanoseconds)
        }
    }
}

/// The names in a directory, sorted, with their types.
enum Listing {
    static func entries(_ path: String) -> (result: Int, entries: [(name: [UInt8], type: UInt8)]) {
        let file = Kernel.open(path, O_RDONLY | O_DIRECTORY)
        guard file >= 0 else { return (file, []) }
        defer { _ = Kernel.close(file) }
        var entries: [(name: [UInt8], type: UInt8)] = []
        var buffer = [UInt8](repeating: 0, count: 32_768)
        while true {
            let count = buffer.withUnsafeMutableBytes {
                Kernel.call(SYS_getdents64, file, Int(bitPattern: $0.baseAddress), $0.count)
            }
            guard count > 0 else { return (count, entries.sorted { $0.name.lexicographicallyPrecedes($1.name) }) }
            // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name.
            var offset = 0
            while offset < count {
                let length = Int(buffer[offset + 16]) | Int(buffer[offset + 17]) << 8
                let name = Array(buffer[(offset + 19)..<(offset + length)].prefix { $0 != 0 })
                entries.append((name, buffer[offset + 18]))
                offset += length
            }
        }
    }

    static func answer(_ path: String) -> Answer {
        let (result, entries) = entries(path)
        return Answer(result, entries.flatMap { $0.name + [0, $0.type] })
    }
}
