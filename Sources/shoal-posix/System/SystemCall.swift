import CLinux
import Glibc

/// A system call without libc in between: its result, or minus its errno.
func systemCall(
    _ number: CInt, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0, _ f: Int = 0
) -> Int {
    linux_call(Int(number), a, b, c, d, e, f)
}

/// An address as a system call's argument.
func address(_ pointer: UnsafeRawPointer) -> Int { Int(bitPattern: pointer) }

/// What Glibc shows only with _GNU_SOURCE, and Swift as macros it cannot import.
enum Linux {
    static let direct = linux_o_direct
    static let path = linux_o_path
    static let noAccessTime = linux_o_noatime
    static let temporaryFile = linux_o_tmpfile
    static let emptyPath: CInt = 0x1000
    static let currentDirectory = Int(AT_FDCWD)
    static let seekData: CInt = 3
    static let seekHole: CInt = 4
    static let descriptionGetLock: CInt = 36
    static let descriptionSetLock: CInt = 37
    static let descriptionSetLockWait: CInt = 38
    static let utimeNow = (1 << 30) - 1
    static let utimeOmit = (1 << 30) - 2
    static let fuseMagic = 0x6573_5546
    static let pathMax = 4096
    /// mount flags in statvfs.
    static let noSetID: UInt = 2
    static let noDevices: UInt = 4
    static let noExecution: UInt = 8
    static let noAtime: UInt = 1024
}
