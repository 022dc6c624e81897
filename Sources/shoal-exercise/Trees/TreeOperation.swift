import CLinux
import Glibc

/// One call on one side, made from the same numbers on both.
enum TreeOperation {
    case open(Place, slot: Int, flags: CInt, mode: Int)
    case close(slot: Int)
    case write(slot: Int, offset: Int?, bytes: [UInt8])
    case read(slot: Int, offset: Int, count: Int)
    case truncate(Place, size: Int)
    case truncateOpen(slot: Int, size: Int)
    case allocate(slot: Int, mode: Int, offset: Int, count: Int)
    case copyRange(from: Int, source: Int, to: Int, target: Int, count: Int)
    case synchronize(slot: Int, dataOnly: Bool)
    case lock(slot: Int, kind: Int, start: Int, count: Int)
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
    case setTimes(Place, access: Time, modify: Time)
    case setAttribute(Place, name: String, value: [UInt8], flags: Int)
    case getAttribute(Place, name: String, room: Int)
    case listAttributes(Place)
    case removeAttribute(Place, name: String)
    case list(Place)
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
            .removeAttribute(let place, _), .list(let place), .access(let place, _), .status(let place):
            [place, place.parent]
        case .link(let first, let second), .rename(let first, let second, _):
            [first, second, first.parent, second.parent]
        default: []
        }
    }

    /// The slots it uses.
    var slots: [Int] {
        switch self {
        case .open(_, let slot, _, _), .close(let slot), .write(let slot, _, _), .read(let slot, _, _),
            .truncateOpen(let slot, _), .allocate(let slot, _, _, _), .synchronize(let slot, _),
            .lock(let slot, _, _, _), .lockWhole(let slot, _), .changeModeOpen(let slot, _):
            [slot]
        case .copyRange(let from, _, let to, _, _): [from, to]
        default: []
        }
    }
}
