import ShoalTypes
import ShoalWire

/// Who changes a file's content or owner: what becomes of its set-ID bits depends on it (inode(7)).
package enum Writer {
    /// It has CAP_FSETID: the bits stay.
    case privileged
    /// They go; a set-group-ID bit without the group's execute bit stays for members of the file's group.
    case ordinary(isMember: (_ gid: UInt32) -> Bool)

    /// What is left of the file's permissions; nil if there is nothing to take.
    func permissionsLeft(_ attributes: FileAttributes) -> UInt32? {
        guard case .ordinary(let isMember) = self, attributes.kind != .directory, attributes.mode & 0o6000 != 0 else {
            return nil
        }
        let takesGroup =
            attributes.mode & 0o2010 == 0o2010 || attributes.mode & 0o2000 != 0 && !isMember(attributes.gid)
        let left = attributes.permissions & ~(takesGroup ? 0o6000 : 0o4000)
        return left == attributes.permissions ? nil : left
    }
}

extension Client {
    /// Before a change of the content, under the write lease: capabilities go, and set-ID bits unless `writer` may keep
    /// them. The mode is what the server has, and nobody else changes it until then.
    func dropPrivileges(of inode: Inode, for writer: Writer, completion: @escaping Completion<Void>) {
        dropCapability(of: inode) { [self] result in
            guard case .success = result, let permissions = writer.permissionsLeft(inode.attributes) else {
                return completion(result)
            }
            var change = AttributeChange()
            change.permissions = permissions
            setOnServer(inode, change) { result in completion(result.map { _ in }) }
        }
    }
}
