import CLinux
import Glibc

/// Seconds and nanoseconds since 1970.
struct Time: Comparable, CustomStringConvertible {
    var seconds: Int
    var nanoseconds: Int

    init(_ seconds: Int, _ nanoseconds: Int = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }
    init(_ time: statx_timestamp) { self.init(Int(time.tv_sec), Int(time.tv_nsec)) }

    static func < (a: Time, b: Time) -> Bool { (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds) }
    var description: String { "\(seconds).\(String(nanoseconds + 1_000_000_000).dropFirst())" }

    static func now(_ clock: clockid_t = CLOCK_REALTIME) -> Time {
        var time = timespec()
        clock_gettime(clock, &time)
        return Time(time.tv_sec, time.tv_nsec)
    }

    /// Waits until a timestamp taken from now on differs from every one taken before: the kernel's coarse clock has
    /// moved on twice.
    static func advance() {
        for _ in 0..<2 {
            let start = now(CLOCK_REALTIME_COARSE)
            var pause = timespec(tv_sec: 0, tv_nsec: 500_000)
            while now(CLOCK_REALTIME_COARSE) == start { nanosleep(&pause, nil) }
        }
    }
}

/// What statx(2) says of an inode.
struct Status {
    var inode: UInt64
    var mode: UInt32
    var links: UInt32
    var owner: UInt32
    var group: UInt32
    var size: Int
    /// Of 512 bytes.
    var blocks: UInt64
    var blockSize: UInt32
    var accessed: Time
    var modified: Time
    var changed: Time
    var device: UInt64
    /// Of a device node.
    var deviceNumber: UInt64

    init(_ raw: statx) {
        inode = raw.stx_ino
        mode = UInt32(raw.stx_mode)
        links = raw.stx_nlink
        owner = raw.stx_uid
        group = raw.stx_gid
        size = Int(raw.stx_size)
        blocks = raw.stx_blocks
        blockSize = raw.stx_blksize
        accessed = Time(raw.stx_atime)
        modified = Time(raw.stx_mtime)
        changed = Time(raw.stx_ctime)
        device = UInt64(raw.stx_dev_major) << 32 | UInt64(raw.stx_dev_minor)
        deviceNumber = UInt64(raw.stx_rdev_major) << 32 | UInt64(raw.stx_rdev_minor)
    }

    var type: UInt32 { mode & 0o170000 }
    var permissions: UInt32 { mode & 0o7777 }

    static let regular: UInt32 = 0o100000
    static let directory: UInt32 = 0o040000
    static let symlink: UInt32 = 0o120000
    static let fifo: UInt32 = 0o010000
    static let socket: UInt32 = 0o140000
    static let characterDevice: UInt32 = 0o020000
    static let blockDevice: UInt32 = 0o060000

    /// statx(2), by path or descriptor.
    static func get(_ directory: Int, _ path: Int, _ flags: CInt, into status: inout statx) -> Int {
        systemCall(SYS_statx, directory, path, Int(flags), Int(STATX_BASIC_STATS), address(&status))
    }
}
