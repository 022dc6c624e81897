import CFuse3
import Glibc
import ShoalTypes

/// Which attributes a `setAttributes` changes, and to what.
package struct FuseAttributeChange: Hashable, Sendable {
    package enum Time: Hashable, Sendable {
        /// The time of the server when it executes the change.
        case now
        case at(Timestamp)
    }

    /// Permission bits, 0...0o7777.
    package var permissions: UInt32?
    package var uid: UInt32?
    package var gid: UInt32?
    package var size: UInt64?
    package var accessTime: Time?
    package var modifyTime: Time?
    /// Only kernels that cache writes send it.
    package var changeTime: Timestamp?

    package init() {}

    /// Decodes libfuse's `to_set` bits; `attributes` holds values only where a bit is set.
    init(attributes: stat, mask: CInt) {
        func isSet(_ bit: CInt) -> Bool { mask & bit != 0 }
        if isSet(FUSE_SET_ATTR_MODE) { permissions = attributes.st_mode & 0o7777 }
        if isSet(FUSE_SET_ATTR_UID) { uid = attributes.st_uid }
        if isSet(FUSE_SET_ATTR_GID) { gid = attributes.st_gid }
        if isSet(FUSE_SET_ATTR_SIZE) { size = UInt64(attributes.st_size) }
        if isSet(FUSE_SET_ATTR_ATIME_NOW) {
            accessTime = .now
        } else if isSet(FUSE_SET_ATTR_ATIME) {
            accessTime = .at(Timestamp(attributes.st_atim))
        }
        if isSet(FUSE_SET_ATTR_MTIME_NOW) {
            modifyTime = .now
        } else if isSet(FUSE_SET_ATTR_MTIME) {
            modifyTime = .at(Timestamp(attributes.st_mtim))
        }
        if isSet(FUSE_SET_ATTR_CTIME) { changeTime = Timestamp(attributes.st_ctim) }
    }
}
