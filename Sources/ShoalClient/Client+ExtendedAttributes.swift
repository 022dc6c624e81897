import ShoalRPC
import ShoalTypes
import ShoalWire

/// Extended attributes (xattr(7)). Under a lease the mount answers by itself: that there are none, from the inode's
/// attributes; what there are, from a set that it has asked for once.
extension Client {
    /// getxattr(2). `.noData` if there is no such attribute.
    package func extendedAttribute(
        _ name: ExtendedAttributeName, of id: InodeID, completion: @escaping Completion<[UInt8]>
    ) {
        extendedAttributes(of: id) { [self] result in
            switch result.map({ $0[name] }) {
            case .success(.value(let value)): completion(.success(value))
            case .success(.absent): completion(.failure(.noData))
            case .success(.long): longExtendedAttribute(name, of: id, completion)
            case .failure(let error): completion(.failure(error))
            }
        }
    }

    /// listxattr(2), in ascending order.
    package func extendedAttributeNames(
        of id: InodeID, completion: @escaping Completion<[ExtendedAttributeName]>
    ) {
        extendedAttributes(of: id) { completion($0.map { $0.entries.map(\.name) }) }
    }

    /// setxattr(2). `.exists` and `.noData` as `rule` says; `.noSpace` past `ExtendedAttributeLimits`.
    package func setExtendedAttribute(
        _ name: ExtendedAttributeName, of id: InodeID, to value: [UInt8], _ rule: ExtendedAttributeRule,
        completion: @escaping Completion<Void>
    ) {
        let inode = inodes.inode(id)
        if name == .accessList, rule.isEmpty, saysNoMoreThanMode(value, inode) {
            // As after a write: the commit brings the change time.
            attributesChanged(inode)
            inode.attributes.changeTime = scheduler.wallClock
            inode.needsCommit = true
            startWriteBehind(of: inode)
            return completion(.success(()))
        }
        changeExtendedAttributes(
            of: inode, .setExtendedAttribute,
            { caller in
                var request = SetExtendedAttributeRequest()
                request.caller = caller
                request.inode = id
                request.name = name
                request.value = value
                request.rule = rule
                return request
            }, completion)
    }

    /// An access ACL that changes nothing but the change time, which the writer of a file may set by itself. It is what
    /// `cp -p` gives every file that has no ACL.
    private func saysNoMoreThanMode(_ value: [UInt8], _ inode: Inode) -> Bool {
        guard inode.grant.mode.allowsWriting, inode.attributes.kind == .regular, known(inode)?.entries.isEmpty == true
        else { return false }
        do {
            let list = try AccessControlList(value)
            return list.isMinimal && list.permissions == inode.attributes.mode & 0o777
        } catch { return false }
    }

    /// removexattr(2). `.noData` if there is no such attribute.
    package func removeExtendedAttribute(
        _ name: ExtendedAttributeName, of id: InodeID, completion: @escaping Completion<Void>
    ) {
        changeExtendedAttributes(
            of: inodes.inode(id), .removeExtendedAttribute,
            { ExtendedAttributeRequest(caller: $0, inode: id, name: name) }, completion)
    }

    private func changeExtendedAttributes<Message: WireMessage>(
        of inode: Inode, _ operation: Operation, _ make: @escaping (Caller) -> Message,
        _ completion: @escaping Completion<Void>
    ) {
        beginExtendedAttributeChange(of: inode)
        metadata.request(operation, isChange: true, make) { [self] reply in
            endExtendedAttributeChange(of: inode)
            switch reply.decode(EntryReply.self) {
            case .success(let entry):
                _ = taught(by: entry)
                completion(.success(()))
            case .failure(let status): completion(.failure(status.fileError))
            }
        }
    }

    // MARK: What is known

    /// From here to the end of the change others may have seen it already, and only the server knows.
    func beginExtendedAttributeChange(of inode: Inode) {
        inode.extendedAttributeChanges += 1
        forgetExtendedAttributes(of: inode)
    }

    func endExtendedAttributeChange(of inode: Inode) {
        inode.extendedAttributeChanges -= 1
        forgetExtendedAttributes(of: inode)
    }

    /// All of the inode's, if the mount may answer for them now.
    private func known(_ inode: Inode) -> ExtendedAttributeSet? {
        guard mayUse(inode, .part), inode.extendedAttributeChanges == 0 else { return nil }
        return inode.attributes.extendedAttributes.isEmpty ? .empty : inode.extendedAttributes
    }

    /// All of the inode's attributes: from here, or from the server, whose lease rides along.
    func extendedAttributes(of id: InodeID, completion: @escaping Completion<ExtendedAttributeSet>) {
        if let inode = inodes.existing(id), let known = known(inode) { return completion(.success(known)) }
        metadata.request(.listExtendedAttributes, isChange: false, { InodeRequest(caller: $0, inode: id) }) {
            [self] reply in
            switch reply.decode(ExtendedAttributesReply.self) {
            case .success(let listing):
                let found = ExtendedAttributeSet(listing.entries)
                remember(found, listing)
                completion(.success(found))
            case .failure(let status): completion(.failure(status.fileError))
            }
        }
    }

    private func longExtendedAttribute(
        _ name: ExtendedAttributeName, of id: InodeID, _ completion: @escaping Completion<[UInt8]>
    ) {
        metadata.request(
            .getExtendedAttribute, isChange: false, { ExtendedAttributeRequest(caller: $0, inode: id, name: name) }
        ) { reply in
            switch reply.decode(ExtendedAttributeReply.self) {
            case .success(let message): completion(.success(message.value))
            case .failure(let status): completion(.failure(status.fileError))
            }
        }
    }

    /// Only under a lease, and none of it if a change is on its way: its answer may have been overtaken.
    private func remember(_ found: ExtendedAttributeSet, _ listing: ExtendedAttributesReply) {
        guard listing.grant.mode >= .part else { return }
        let inode = learn(listing.attributes, listing.grant)
        guard inode.grant.mode >= .part, inode.recall == nil, inode.extendedAttributeChanges == 0,
            !inode.attributes.extendedAttributes.isEmpty
        else { return }
        forgetExtendedAttributes(of: inode)
        if extendedAttributeBytes + found.bytes > limits.extendedAttributeBytesMax {
            for other in inodes.all where other.extendedAttributes != nil { forgetExtendedAttributes(of: other) }
        }
        inode.extendedAttributes = found
        extendedAttributeBytes += found.bytes
    }

    func forgetExtendedAttributes(of inode: Inode) {
        guard let known = inode.extendedAttributes else { return }
        extendedAttributeBytes -= known.bytes
        inode.extendedAttributes = nil
    }

    // MARK: Capabilities

    /// The file has no capabilities that a write would have to take, as far as the mount knows.
    func hasNoCapability(_ inode: Inode) -> Bool {
        inode.attributes.extendedAttributes.isEmpty || known(inode).map { !$0.contains(.capability) } ?? false
    }

    /// Before a write: whoever can write to a program must not inherit what it may do (capabilities(7)).
    func dropCapability(of inode: Inode, completion: @escaping Completion<Void>) {
        if hasNoCapability(inode) { return completion(.success(())) }
        extendedAttributes(of: inode.id) { [self] result in
            switch result {
            case .success(let known) where known.contains(.capability):
                removeExtendedAttribute(.capability, of: inode.id) { result in
                    if case .failure(let error) = result, error != .noData { return completion(.failure(error)) }
                    completion(.success(()))
                }
            case .success: completion(.success(()))
            case .failure(let error): completion(.failure(error))
            }
        }
    }
}
