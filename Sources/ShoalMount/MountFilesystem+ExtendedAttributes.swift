import ShoalClient
import ShoalFUSE
import ShoalTypes

extension MountFilesystem {
    func setExtendedAttribute(
        _ name: [UInt8], of inode: InodeID, value: UnsafeRawBufferPointer, flags: FuseExtendedAttributeFlags,
        reply: FuseEmptyReply
    ) {
        withName(name, or: reply.error) { name in
            let value = [UInt8](value)
            var rule: ExtendedAttributeRule = []
            if flags.contains(.create) { rule.insert(.create) }
            if flags.contains(.replace) { rule.insert(.replace) }
            guard name == .accessList else {
                return client.setExtendedAttribute(name, of: inode, to: value, rule, completion: finish(reply))
            }
            client.attributes(of: inode) { [self] result in
                switch result {
                case .success(let attributes):
                    if losesSetGroupID(attributes, reply.request) { rule.insert(.clearsSetGroupID) }
                    client.setExtendedAttribute(name, of: inode, to: value, rule, completion: finish(reply))
                case .failure(let error): reply.error(gone(error))
                }
            }
        }
    }

    /// Setting the ACL sets the mode, and who may not set this bit with chmod(2) does not keep it either. The caller's
    /// groups are looked up only where they matter; being root stands for CAP_FSETID.
    private func losesSetGroupID(_ attributes: FileAttributes, _ request: FuseRequest) -> Bool {
        guard attributes.mode & 0o2000 != 0 else { return false }
        return request.caller.losesSetID && !isMember(of: attributes.gid, request)
    }

    func getExtendedAttribute(_ name: [UInt8], of inode: InodeID, reply: FuseExtendedAttributeReply) {
        withName(name, or: reply.error) { name in
            client.extendedAttribute(name, of: inode) { [self] result in
                switch result {
                case .success(let value): reply.value(value)
                case .failure(let error): reply.error(gone(error))
                }
            }
        }
    }

    func listExtendedAttributes(of inode: InodeID, reply: FuseExtendedAttributeReply) {
        // The kernel lets only CAP_SYS_ADMIN read trusted attributes, and leaves it to us not to name them to others.
        let seesTrusted = reply.request.caller.uid == 0
        client.extendedAttributeNames(of: inode) { [self] result in
            switch result {
            case .success(let names):
                reply.value(names.flatMap { seesTrusted || !$0.isTrusted ? $0.bytes + [0] : [] })
            case .failure(let error): reply.error(gone(error))
            }
        }
    }

    func removeExtendedAttribute(_ name: [UInt8], of inode: InodeID, reply: FuseEmptyReply) {
        withName(name, or: reply.error) { name in
            client.removeExtendedAttribute(name, of: inode, completion: finish(reply))
        }
    }

    private func withName(
        _ bytes: [UInt8], or fail: (FileError) -> Void, _ body: (ExtendedAttributeName) -> Void
    ) {
        let name: ExtendedAttributeName
        do throws(FileError) { name = try ExtendedAttributeName(bytes) } catch { return fail(error) }
        body(name)
    }
}
