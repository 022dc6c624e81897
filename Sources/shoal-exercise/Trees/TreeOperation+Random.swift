import CLinux
import Glibc

/// Left out, since the two filesystems differ on purpose (docs/posix.md): O_TMPFILE, COLLAPSE_RANGE and INSERT_RANGE,
/// O_DIRECT (which ext4 refuses at odd offsets), and sizes past ext4's own limit.
extension TreeOperation {
    /// Past the end of a first chunk of 4 MiB.
    private static let sizeMax = 5 << 20
    /// Past what 32 bits can count, now and then.
    private static let far = 5 << 30

    static func random(_ random: inout Random) -> TreeOperation {
        let slot = random.below(Side.slotCount)
        switch random.below(80) {
        case 0...7: return open(slot, &random)
        case 8...10: return .close(slot: slot)
        case 11...18:
            let offset = random.one(in: 3) ? nil : offset(&random)
            let bytes = random.bytes(random.one(in: 20) ? random.extent(max: 1 << 20) : random.extent(max: 20_000))
            return .write(slot: slot, offset: offset, bytes: bytes)
        case 19...23: return .read(slot: slot, offset: offset(&random), count: random.extent(max: 300_000))
        case 24:
            return .writeMapped(slot: slot, offset: offset(&random), bytes: random.bytes(random.extent(max: 50_000)))
        case 25: return .readMapped(slot: slot, offset: offset(&random), count: random.extent(max: 50_000))
        case 26: return .truncate(.random(&random), size: offset(&random))
        case 27...28: return .truncateOpen(slot: slot, size: offset(&random))
        case 29...30: return allocate(slot, &random)
        case 31...32:
            return .copyRange(
                from: slot, source: offset(&random), to: random.below(Side.slotCount),
                target: offset(&random), count: random.extent(max: 1 << 20))
        case 33: return .synchronize(slot: slot, dataOnly: random.one(in: 2))
        case 34: return .seek(slot: slot, offset: offset(&random), whence: random.pick([3, 4]))
        case 35...38: return lock(slot, &random)
        case 39...43: return .makeDirectory(.random(&random), mode: mode(&random) | (random.one(in: 3) ? 0 : 0o700))
        case 44...45: return .removeDirectory(.random(&random))
        case 46: return makeNode(&random)
        case 47...48: return .link(.random(&random), .random(&random))
        case 49: return symlink(&random)
        case 50: return .readLink(.random(&random))
        case 51...53: return .unlink(.random(&random))
        case 54...58: return .rename(.random(&random), .random(&random), flags: random.pick([0, 0, 0, 1, 2, 3]))
        case 59...60: return .changeMode(.random(&random), mode: mode(&random))
        case 61: return .changeModeOpen(slot: slot, mode: mode(&random))
        case 62: return .changeOwner(.random(&random), user: owner(&random), group: owner(&random))
        case 63: return .changeOwnerOpen(slot: slot, user: owner(&random), group: owner(&random))
        case 64...65: return .setTimes(.random(&random), access: time(&random), modify: time(&random))
        case 66...71: return attributes(&random)
        case 72...74:
            return .list(random.one(in: 3) ? .root : .random(&random), bytesMax: random.pick([400, 4096, 32_768]))
        case 75...76: return .access(.random(&random), mode: random.below(8))
        default: return .status(.random(&random))
        }
    }

    private static func offset(_ random: inout Random) -> Int {
        random.extent(max: sizeMax) + (random.one(in: 60) ? far : 0)
    }

    private static func open(_ slot: Int, _ random: inout Random) -> TreeOperation {
        var flags = random.pick([O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_RDWR]) | O_NONBLOCK
        if !random.one(in: 3) { flags |= O_CREAT }
        for (flag, rarity) in [
            (O_EXCL, 6), (O_TRUNC, 6), (O_APPEND, 5), (O_NOFOLLOW, 12), (O_DIRECTORY, 20), (O_SYNC, 30),
            (linux_o_noatime, 12),
        ] where random.one(in: rarity) { flags |= flag }
        // EXCL without CREAT is undefined, and DIRECTORY with CREAT refused by newer kernels only.
        if flags & O_CREAT == 0 { flags &= ~O_EXCL } else { flags &= ~O_DIRECTORY }
        return .open(.random(&random), slot: slot, flags: flags, mode: mode(&random) | 0o600)
    }

    private static func allocate(_ slot: Int, _ random: inout Random) -> TreeOperation {
        let (keepSize, punchHole, zeroRange) = (1, 2, 16)
        let mode = random.pick([0, keepSize, keepSize | punchHole, zeroRange, zeroRange | keepSize, punchHole])
        return .allocate(slot: slot, mode: mode, offset: offset(&random), count: random.extent(max: 1 << 20))
    }

    private static func lock(_ slot: Int, _ random: inout Random) -> TreeOperation {
        let (ofProcess, kind) = (random.one(in: 2), random.below(3))
        let (start, count) = (random.below(100), random.below(50))
        switch random.below(4) {
        case 0: return .lockWhole(slot: slot, operation: random.pick([LOCK_SH, LOCK_EX, LOCK_UN].map(Int.init)) | 4)
        case 1:
            return .testLock(slot: slot, ofProcess: ofProcess, kind: random.below(2), start: start, count: count)
        default: return .lock(slot: slot, ofProcess: ofProcess, kind: kind, start: start, count: count)
        }
    }

    private static func makeNode(_ random: inout Random) -> TreeOperation {
        let kind = random.pick([Kernel.fifo, Kernel.socket, Kernel.regular, Kernel.character, Kernel.block])
        // /dev/null, /dev/zero; a block device that no driver has.
        let device = kind == Kernel.block ? 200 << 8 | 1 : random.pick([1 << 8 | 3, 1 << 8 | 5])
        return .makeNode(.random(&random), mode: kind | mode(&random), device: device)
    }

    private static func symlink(_ random: inout Random) -> TreeOperation {
        let target = random.one(in: 4) ? "../\(Place.random(&random))" : "\(Place.random(&random))"
        let length = random.pick([1, 59, 60, 4095, 4096])
        return .symlink(target: random.one(in: 5) ? String(repeating: "t", count: length) : target, .random(&random))
    }

    private static func attributes(_ random: inout Random) -> TreeOperation {
        let (place, name) = (Place.random(&random), attribute(&random))
        switch random.below(6) {
        case 0...2:
            return .setAttribute(place, name: name, value: value(of: name, &random), flags: random.pick([0, 0, 1, 2]))
        case 3: return .getAttribute(place, name: name, room: random.pick([0, 5, 4096]))
        case 4: return .listAttributes(place)
        default: return .removeAttribute(place, name: name)
        }
    }

    private static let capability = "security.capability"

    private static func attribute(_ random: inout Random) -> String {
        let names = ["user.a", "user.b", "user.long", "trusted.t", "security.s", capability, "nonsense.x", "user."]
        return random.pick(names + AccessList.names + AccessList.names)
    }

    private static func value(of name: String, _ random: inout Random) -> [UInt8] {
        if AccessList.names.contains(name), !random.one(in: 20) { return AccessList.random(&random) }
        if name == capability {
            // VFS_CAP_REVISION_2 and the effective flag, then CAP_CHOWN permitted.
            return [1, 0, 0, 2] + [1] + [UInt8](repeating: 0, count: 15)
        }
        return random.bytes(random.one(in: 8) ? random.below(600) : random.below(40))
    }

    private static func mode(_ random: inout Random) -> Int {
        random.pick([0o644, 0o755, 0o777, 0o700, 0o600, 0o000, 0o4755, 0o2755, 0o2770, 0o1777, 0o6711, 0o444])
    }
    private static func owner(_ random: inout Random) -> Int { random.pick([-1, 0, 0, TreesWorker.otherUser, 1234]) }
    private static func time(_ random: inout Random) -> Time {
        switch random.below(5) {
        case 0: .now
        case 1: .omit
        default: .at(seconds: random.below(4_000_000_000) - 1_000_000_000, nanoseconds: random.below(1_000_000_000))
        }
    }
}
