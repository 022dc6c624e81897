import CLinux
import Glibc

extension TreeOperation {
    /// Past the end of a first chunk of 4 MiB.
    private static let sizeMax = 5 << 20

    static func random(_ random: inout Random) -> TreeOperation {
        let slot = random.below(Side.slotCount)
        switch random.below(64) {
        case 0...6: return open(slot, &random)
        case 7...9: return .close(slot: slot)
        case 10...17:
            let offset = random.one(in: 3) ? nil : random.extent(max: sizeMax)
            let bytes = random.bytes(random.one(in: 20) ? random.extent(max: 1 << 20) : random.extent(max: 20_000))
            return .write(slot: slot, offset: offset, bytes: bytes)
        case 18...23:
            return .read(slot: slot, offset: random.extent(max: sizeMax), count: random.extent(max: 300_000))
        case 24: return .truncate(.random(&random), size: random.extent(max: sizeMax))
        case 25...26: return .truncateOpen(slot: slot, size: random.extent(max: sizeMax))
        case 27: return allocate(slot, &random)
        case 28:
            return .copyRange(
                from: slot, source: random.extent(max: sizeMax), to: random.below(Side.slotCount),
                target: random.extent(max: sizeMax), count: random.extent(max: 1 << 20))
        case 29: return .synchronize(slot: slot, dataOnly: random.one(in: 2))
        case 30: return .lock(slot: slot, kind: random.below(3), start: random.below(100), count: random.below(50))
        case 31: return .lockWhole(slot: slot, operation: random.pick([1, 2, 8]) | 4)
        case 32...35: return .makeDirectory(.random(&random), mode: mode(&random) | (random.one(in: 3) ? 0 : 0o700))
        case 36...37: return .removeDirectory(.random(&random))
        case 38:
            // No devices: a FUSE mount is nodev, a local directory is not.
            let kind = random.pick([Kernel.fifo, Kernel.socket, Kernel.regular])
            return .makeNode(.random(&random), mode: kind | mode(&random), device: 0)
        case 39...40: return .link(.random(&random), .random(&random))
        case 41:
            let target = random.one(in: 4) ? "../\(Place.random(&random))" : "\(Place.random(&random))"
            return .symlink(target: random.one(in: 10) ? String(repeating: "t", count: 4095) : target, .random(&random))
        case 42: return .readLink(.random(&random))
        case 43...45: return .unlink(.random(&random))
        case 46...50: return .rename(.random(&random), .random(&random), flags: random.pick([0, 0, 0, 1, 2, 3]))
        case 51...52: return .changeMode(.random(&random), mode: mode(&random))
        case 53: return .changeModeOpen(slot: slot, mode: mode(&random))
        case 54: return .changeOwner(.random(&random), user: owner(&random), group: owner(&random))
        case 55: return .setTimes(.random(&random), access: time(&random), modify: time(&random))
        case 56:
            let value = random.bytes(random.one(in: 8) ? random.below(700) : random.below(40))
            return .setAttribute(
                .random(&random), name: attribute(&random), value: value, flags: random.pick([0, 0, 1, 2]))
        case 57:
            return .getAttribute(.random(&random), name: attribute(&random), room: random.pick([0, 5, 4096]))
        case 58: return .listAttributes(.random(&random))
        case 59: return .removeAttribute(.random(&random), name: attribute(&random))
        case 60: return .list(random.one(in: 3) ? .root : .random(&random))
        case 61: return .access(.random(&random), mode: random.below(8))
        default: return .status(.random(&random))
        }
    }

    private static func open(_ slot: Int, _ random: inout Random) -> TreeOperation {
        var flags = random.pick([O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_RDWR]) | O_NONBLOCK
        if !random.one(in: 3) { flags |= O_CREAT }
        for (flag, rarity) in [
            (O_EXCL, 6), (O_TRUNC, 6), (O_APPEND, 5), (O_NOFOLLOW, 12), (O_DIRECTORY, 20), (O_SYNC, 30),
        ] where random.one(in: rarity) { flags |= flag }
        // EXCL without CREAT is undefined, and DIRECTORY with CREAT refused by newer kernels only.
        if flags & O_CREAT == 0 { flags &= ~O_EXCL } else { flags &= ~O_DIRECTORY }
        return .open(.random(&random), slot: slot, flags: flags, mode: mode(&random) | 0o600)
    }

    private static func allocate(_ slot: Int, _ random: inout Random) -> TreeOperation {
        let (keepSize, punchHole, zeroRange) = (1, 2, 16)
        let mode = random.pick([0, keepSize, keepSize | punchHole, zeroRange, zeroRange | keepSize, punchHole])
        let (offset, count) = (random.extent(max: sizeMax), random.extent(max: 1 << 20))
        return .allocate(slot: slot, mode: mode, offset: offset, count: count)
    }

    private static func mode(_ random: inout Random) -> Int {
        random.pick([0o644, 0o755, 0o777, 0o700, 0o600, 0o000, 0o4755, 0o2755, 0o2770, 0o1777, 0o6711, 0o444])
    }
    private static func owner(_ random: inout Random) -> Int { random.pick([-1, 0, 0, TreesWorker.otherUser, 1234]) }
    private static func attribute(_ random: inout Random) -> String {
        random.pick(["user.a", "user.b", "user.long", "trusted.t", "nonsense.x"])
    }
    private static func time(_ random: inout Random) -> Time {
        switch random.below(5) {
        case 0: .now
        case 1: .omit
        default: .at(seconds: random.below(4_000_000_000) - 1_000_000_000, nanoseconds: random.below(1_000_000_000))
        }
    }
}
