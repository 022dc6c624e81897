/// What an inode is; the raw value is the file type in `st_mode` (inode(7)).
package enum FileKind: UInt32, Sendable, CaseIterable {
    case fifo = 0o010000
    case characterDevice = 0o020000
    case directory = 0o040000
    case blockDevice = 0o060000
    case regular = 0o100000
    case symlink = 0o120000
    case socket = 0o140000

    package static let mask: UInt32 = 0o170000

    /// The kind in `mode`'s type bits; nil if they name none.
    package init?(mode: UInt32) { self.init(rawValue: mode & FileKind.mask) }
}
