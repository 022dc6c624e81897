/// A POSIX ACL as setxattr(2) takes it: a version, then entries of tag, permissions and ID, little-endian.
enum AccessList {
    static let names = ["system.posix_acl_access", "system.posix_acl_default"]
    private static let version: UInt32 = 2
    private enum Tag: UInt16 {
        case owner = 0x01
        case user = 0x02
        case group = 0x04
        case otherGroup = 0x08
        case mask = 0x10
        case other = 0x20
    }
    private static let noID = UInt32.max

    /// Mostly right; the kernel refuses the rest.
    static func random(_ random: inout Random) -> [UInt8] {
        var entries: [(tag: Tag, id: UInt32)] = [(.owner, noID)]
        let (hasUser, hasGroup) = (random.one(in: 2), random.one(in: 2))
        if hasUser { entries.append((.user, UInt32(TreesWorker.otherUser))) }
        entries.append((.group, noID))
        if hasGroup { entries.append((.otherGroup, 1234)) }
        if random.one(in: 12) ? random.one(in: 2) : hasUser || hasGroup { entries.append((.mask, noID)) }
        entries.append((.other, noID))
        var bytes = little(version)
        for entry in entries {
            bytes += little(entry.tag.rawValue) + little(UInt16(random.below(8))) + little(entry.id)
        }
        return bytes
    }

    private static func little(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
}
