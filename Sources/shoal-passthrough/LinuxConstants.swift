import Glibc

/// What Glibc shows only with _GNU_SOURCE (the same on x86-64 and arm64 but for O_DIRECT).
enum LinuxConstants {
    static let path: CInt = 0o10000000
    static let atEmptyPath: CInt = 0x1000
    #if arch(arm64)
        static let direct: CInt = 0o200000
    #else
        static let direct: CInt = 0o40000
    #endif
}
