import ShoalTypes

/// The filesystem's own number for an open file or directory: given with `open`, handed back with every call on it.
package struct FuseFileHandle: TypedNumber {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A place in a directory, after an entry. 0 is the start. The filesystem chooses them, up to `max`.
package struct FuseDirectoryCookie: TypedNumber {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static let start = FuseDirectoryCookie(0)
    /// Offsets are signed 64-bit numbers for the kernel, and the adapter takes two of them for `.` and `..`.
    package static let max = FuseDirectoryCookie(UInt64(Int64.max) - 2)
}
