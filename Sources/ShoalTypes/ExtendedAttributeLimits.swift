/// Every bound of extended attributes. The first three are Linux's own (xattr(7)): the kernel passes on nothing longer.
package enum ExtendedAttributeLimits {
    /// XATTR_NAME_MAX: namespace and name, without a NUL.
    package static let nameBytesMax = 255
    /// XATTR_SIZE_MAX.
    package static let valueBytesMax = 65_536
    /// XATTR_LIST_MAX: the names of one inode, each with its NUL. What passes it could not be listed any more.
    package static let namesBytesMax = 65_536
    /// The names and values of one inode; past it ENOSPC.
    package static let inodeBytesMax = 1 << 20
    /// An ACL is read by the kernel into one page: 511 entries.
    package static let accessControlListBytesMax = 4096
    /// Values that one listing carries besides the names: those of up to `listedValueBytesMax`, in the order of their
    /// names, until they are this many bytes.
    package static let listedBytesMax = 65_536
    package static let listedValueBytesMax = 16_384
}
