/// The name of an extended attribute (xattr(7)) with its namespace: `user.`, `trusted.` or `security.` and at least one
/// byte more, or one of the two names of POSIX ACLs. 255 bytes at most, no NUL.
package struct ExtendedAttributeName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// - Throws: `.range` for an empty name and one past 255 bytes, `.notSupported` for another namespace,
    ///   `.invalidArgument` for a namespace without a name and for a NUL.
    package init(_ bytes: some Collection<UInt8>) throws(FileError) {
        guard (1...ExtendedAttributeLimits.nameBytesMax).contains(bytes.count) else { throw .range }
        let bytes = Array(bytes)
        guard !bytes.contains(0) else { throw .invalidArgument }
        if let namespace = Self.namespaces.first(where: { bytes.starts(with: $0) }) {
            guard bytes.count > namespace.count else { throw .invalidArgument }
        } else {
            guard bytes == Self.accessList.bytes || bytes == Self.defaultList.bytes else { throw .notSupported }
        }
        self.bytes = bytes
    }

    private init(known name: String) { bytes = Array(name.utf8) }

    /// The ACL that decides who may do what with the inode.
    package static let accessList = ExtendedAttributeName(known: "system.posix_acl_access")
    /// Of a directory: what the ACLs of new entries begin with.
    package static let defaultList = ExtendedAttributeName(known: "system.posix_acl_default")
    /// What a program may do beyond its user (capabilities(7)). Writing to the file takes it away.
    package static let capability = ExtendedAttributeName(known: "security.capability")

    private static let namespaces = ["user.", "trusted.", "security."].map { Array($0.utf8) }
    private static let trusted = Array("trusted.".utf8)

    /// Only CAP_SYS_ADMIN sees and changes it.
    package var isTrusted: Bool { bytes.starts(with: Self.trusted) }
    package var isAccessControlList: Bool { self == Self.accessList || self == Self.defaultList }

    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.bytes.lexicographicallyPrecedes(rhs.bytes) }
    package var description: String { String(decoding: bytes, as: UTF8.self) }
}
