import CLinux
import Glibc

/// One call on one side, made from the same numbers on both.
enum TreeOperation {
    case open(Place, slot: Int, flags: CInt, mode: Int)
    case close(slot: Int)
    case write(slot: Int, offset: Int?, bytes: [UInt8])
    case read(slot: Int, offset: Int, count: Int)
    case writeMapped(slot: Int, offset: Int, bytes: [UInt8])
    case readMapped(slot: Int, offset: Int, count: Int)
    /// SEEK_DATA or SEEK_HOLE.
    case seek(slot: Int, offset: Int, whence: Int)
    case truncate(Place, size: Int)
    case truncateOpen(slot: Int, size: Int)
    case allocate(slot: Int, mode: Int, offset: Int, count: Int)
    case copyRange(from: Int, source: Int, to: Int, target: Int, count: Int)
    case synchronize(slot: Int, dataOnly: Bool)
    /// A record lock: of the process, or of the open file.
    case lock(slot: Int, ofProcess: Bool, kind: Int, start: Int, count: Int)
    case testLock(slot: Int, ofProcess: Bool, kind: Int, start: Int, count: Int)
    case lockWhole(slot: Int, operation: Int)
    case makeDirectory(Place, mode: Int)
    case removeDirectory(Place)
    case makeNode(Place, mode: Int, device: Int)
    case link(Place, Place)
    case symlink(target: String, Place)
    case readLink(Place)
    case unlink(Place)
    case rename(Place, Place, flags: Int)
    case changeMode(Place, mode: Int)
    case changeModeOpen(slot: Int, mode: Int)
    case changeOwner(Place, user: Int, group: Int)
    case changeOwnerOpen(slot: Int, user: Int, group: Int)
    case setTimes(Place, access: Time, modify: Time)
    case setAttribute(Place, name: String, value: [UInt8], flags: Int)
    case getAttribute(Place, name: String, room: Int)
    case listAttributes(Place)
    case removeAttribute(Place, name: String)
    case list(Place, bytesMax: Int)
    case access(Place, mode: Int)
    case status(Place)

    /// What utimensat(2) takes.
    enum Time: Equatable {
        case now
        case omit
        case at(seconds: Int, nanoseconds: Int)
    }

    /// The names whose attributes the operation may change, or that it tells about.
    var places: [Place] {
        switch self {
        case .open(let place, _, _, _), .truncate(let place, _), .makeDirectory(let place, _),
            .removeDirectory(let place), .makeNode(let place, _, _), .symlink(_, let place), .readLink(let place),
            .unlink(let place), .changeMode(let place, _), .changeOwner(let place, _, _), .setTimes(let place, _, _),
            .setAttribute(let place, _, _, _), .getAttribute(let place, _, _), .listAttributes(let place),
            .removeAttribute(let place, _), .list(let place, _), .access(let place, _), .status(let place):
            [place, place.parent]
        case .link(let first, let second), .rename(let first, let second, _):
            [first, second, first.parent, second.parent]
        default: []
        }
    }

    /// The slots it uses.
    var slots: [Int] {
        switch self {
        case .close(let slot), .write(let slot, _, _), .read(let slot, _, _), .writeMapped(let slot, _, _),
            .readMapped(let slot, _, _), .seek(let slot, _, _), .truncateOpen(let slot, _),
            .allocate(let slot, _, _, _), .synchronize(let slot, _), .lock(let slot, _, _, _, _),
            .testLock(let slot, _, _, _, _), .lockWhole(let slot, _), .changeModeOpen(let slot, _),
            .changeOwnerOpen(let slot, _, _):
            [slot]
        case .copyRange(let from, _, let to, _, _): [from, to]
        default: []
        }
    }

    /// It may change what is in a file.
    var changesContent: Bool {
        switch self {
        case .open(_, _, let flags, _): flags & O_TRUNC != 0
        case .write, .writeMapped, .truncate, .truncateOpen, .allocate, .copyRange: true
        default: false
        }
    }

    /// It may change what a directory lists.
    var changesNames: Bool {
        switch self {
        case .open, .makeDirectory, .removeDirectory, .makeNode, .link, .symlink, .unlink, .rename: true
        default: false
        }
    }

    var opens: Bool { if case .open = self { true } else { false } }

    /// It is about a lock.
    var locks: Bool {
        switch self {
        case .lock, .testLock, .lockWhole: true
        default: false
        }
    }

    /// One line, without the bytes.
    var summary: String {
        switch self {
        case .write(let slot, let offset, let bytes):
            "write \(bytes.count) bytes in slot \(slot) at \(offset.map(String.init) ?? "its position")"
        case .writeMapped(let slot, let offset, let bytes):
            "write \(bytes.count) bytes through a mapping of slot \(slot) at \(offset)"
        case .open(let place, let slot, let flags, let mode):
            "open \(place) in slot \(slot), flags 0\(String(flags, radix: 8)), mode 0\(String(mode, radix: 8))"
        case .setAttribute(let place, let name, let value, let flags):
            "set \(name) of \(place) to \(value.count) bytes, flags \(flags)"
        default: "\(self)".replacing("shoal_exercise.", with: "")
        }
    }
}
