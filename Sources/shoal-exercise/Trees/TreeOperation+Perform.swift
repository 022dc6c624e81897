import CLinux
import Glibc

extension TreeOperation {
    /// Does it on one side, through its mount number `mount`.
    func perform(on side: inout Side, through mount: Int) -> Answer {
        switch self {
        case .open(let place, let slot, let flags, let mode):
            return Answer(side.open(place, through: mount, slot: slot, flags: flags, mode: mode))
        case .close(let slot): return Answer(side.close(slot))
        case .write(let slot, let offset, let bytes): return Answer(Kernel.write(side.file(slot), bytes, at: offset))
        case .read(let slot, let offset, let count):
            let (result, bytes) = Kernel.read(side.file(slot), count, at: offset)
            return Answer(result, bytes)
        case .writeMapped(let slot, let offset, let bytes):
            return mapped(side.file(slot), offset, bytes.count, PROT_READ | PROT_WRITE) { memory in
                bytes.withUnsafeBytes { memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<memory.count])) }
                return []
            }
        case .readMapped(let slot, let offset, let count):
            return mapped(side.file(slot), offset, count, PROT_READ) { Array($0) }
        case .seek(let slot, let offset, let whence):
            let place = Kernel.call(SYS_lseek, side.file(slot), offset, whence)
            // Both sides go on from the same place.
            _ = Kernel.call(SYS_lseek, side.file(slot), offset, Int(SEEK_SET))
            return Answer(place)
        case .truncateOpen(let slot, let size): return Answer(Kernel.call(SYS_ftruncate, side.file(slot), size))
        case .allocate(let slot, let mode, let offset, let count):
            return Answer(Kernel.call(SYS_fallocate, side.file(slot), mode, offset, count))
        case .copyRange(let from, let source, let to, let target, let count):
            return copyRange(side.file(from), source, side.file(to), target, count)
        case .synchronize(let slot, let dataOnly):
            return Answer(Kernel.call(dataOnly ? SYS_fdatasync : SYS_fsync, side.file(slot)))
        case .lock(let slot, let ofProcess, let kind, let start, let count):
            let (setLock, setOpenFileLock) = (6, 37)
            return lock(side.file(slot), ofProcess ? setLock : setOpenFileLock, kind, start, count).answer
        case .testLock(let slot, let ofProcess, let kind, let start, let count):
            let (getLock, getOpenFileLock) = (5, 36)
            let (answer, found) = lock(side.file(slot), ofProcess ? getLock : getOpenFileLock, kind, start, count)
            guard answer.result == 0, found.l_type != Int16(F_UNLCK) else { return answer }
            return Answer(0, Array("\(found.l_type) \(found.l_start) \(found.l_len)".utf8))
        case .lockWhole(let slot, let operation): return Answer(Kernel.call(SYS_flock, side.file(slot), operation))
        case .changeModeOpen(let slot, let mode): return Answer(Kernel.call(SYS_fchmod, side.file(slot), mode))
        case .changeOwnerOpen(let slot, let user, let group):
            return Answer(Kernel.call(SYS_fchown, side.file(slot), user, group))
        default: return performOnNames(side, mount)
        }
    }

    /// What `body` reads from, or writes into, a shared mapping of the pages around a range; as far as the file goes, since
    /// past its last page there is only SIGBUS. Written back at the end: other mounts see it from then on.
    private func mapped(
        _ file: Int, _ offset: Int, _ count: Int, _ protection: CInt,
        _ body: (UnsafeMutableRawBufferPointer) -> [UInt8]
    ) -> Answer {
        let sight = Sight(file: file)
        let count = min(count, sight.size - offset)
        guard sight.isRegular, count > 0 else { return Answer(0) }
        let start = offset / 4096 * 4096
        let length = offset + count - start
        let address = Kernel.call(SYS_mmap, 0, length, Int(protection), Int(MAP_SHARED), file, start)
        guard address > 0, let memory = UnsafeMutableRawPointer(bitPattern: address) else { return Answer(address) }
        let bytes = body(UnsafeMutableRawBufferPointer(start: memory + (offset - start), count: count))
        let synchronized = Kernel.call(SYS_msync, address, length, Int(MS_SYNC))
        let unmapped = Kernel.call(SYS_munmap, address, length)
        return Answer(synchronized < 0 ? synchronized : unmapped < 0 ? unmapped : count, bytes)
    }

    private func lock(
        _ file: Int, _ command: Int, _ kind: Int, _ start: Int, _ count: Int
    ) -> (answer: Answer, lock: flock) {
        var lock = flock()
        lock.l_type = [Int16(F_RDLCK), Int16(F_WRLCK), Int16(F_UNLCK)][kind]
        lock.l_start = start
        lock.l_len = count
        let result = withUnsafeMutablePointer(to: &lock) {
            Kernel.call(SYS_fcntl, file, command, Int(bitPattern: $0))
        }
        return (Answer(result), lock)
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
                .sorted { $0.lexicographicallyPrecedes($1) }.flatMap { $0 + [0] }
            return answer
        case .removeAttribute(let place, let name):
            return Answer(Kernel.with(path(place), name) { Kernel.call(SYS_lremovexattr, $0, $1) })
        case .list(let place, let bytesMax):
            return Listing(path(place), keepsAccessTime: false, bytesMax: bytesMax).answer
        case .access(let place, let mode):
            // As the user that acts, who is the effective one.
            let (faccessat2, effective) = (CInt(439), 0x200)
            return one(place) { Kernel.call(faccessat2, here, $0, mode, effective) }
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
