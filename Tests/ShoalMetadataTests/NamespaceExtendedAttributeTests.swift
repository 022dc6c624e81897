import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

@Suite("Namespace: extended attributes and ACLs")
struct NamespaceExtendedAttributeTests {
    let shoal: NamespaceFixture
    init() throws { shoal = try NamespaceFixture() }

    private func set(
        _ inode: InodeID, _ name: String, _ value: [UInt8], _ rule: ExtendedAttributeRule = []
    ) throws -> FileAttributes {
        var request = SetExtendedAttributeRequest()
        request.inode = inode
        request.name = try ExtendedAttributeName(name.utf8)
        request.value = value
        request.rule = rule
        return try shoal.run(SetExtendedAttribute(request)).attributes
    }

    private func get(_ inode: InodeID, _ name: String) throws -> [UInt8] {
        let name = try ExtendedAttributeName(name.utf8)
        return try shoal.run(GetExtendedAttribute(ExtendedAttributeRequest(caller: Caller(), inode: inode, name: name)))
            .value
    }

    private func list(_ inode: InodeID) throws -> [ExtendedAttribute] {
        try shoal.run(ListExtendedAttributes(InodeRequest(caller: Caller(), inode: inode))).entries
    }

    private func stored() throws -> Int {
        let range = Keys.range(.extendedAttribute)
        var count = 0
        try shoal.namespace.begin().scan(from: range.lower, to: range.upper) { _, _ in
            count += 1
            return true
        }
        return count
    }

    /// Owner, a named user, group, mask, others.
    private func list(_ owner: UInt16, user: UInt16, _ group: UInt16, mask: UInt16, _ others: UInt16) -> [UInt8] {
        ModelList([(1, owner, .max), (2, user, 65_534), (4, group, .max), (16, mask, .max), (32, others, .max)]).bytes
    }

    @Test("names have a namespace that is known, something after it, and at most 255 bytes")
    func names() {
        let wrong: [(String, FileError)] = [
            ("", .range), ("user.\(String(repeating: "x", count: 251))", .range), ("user.", .invalidArgument),
            ("security.", .invalidArgument), ("user.a\u{0}b", .invalidArgument), ("foo.a", .notSupported),
            ("user", .notSupported), ("system.a", .notSupported), ("system.posix_acl_accessx", .notSupported),
        ]
        for (name, error) in wrong { #expect(throws: error) { try ExtendedAttributeName(name.utf8) } }
        for name in ["user.a", "trusted.é", "security.x.y", "system.posix_acl_default"] {
            #expect(throws: Never.self) { try ExtendedAttributeName(name.utf8) }
        }
    }

    @Test("an attribute is created, replaced and removed as its flags say, and each change is seen in the change time")
    func rules() throws {
        let file = try shoal.create("f")
        #expect(throws: MetadataError.file(.noData)) { try set(file, "user.a", [1], .replace) }
        let made = try set(file, "user.a", [1], .create)
        #expect(made.changeTime == shoal.now)
        #expect(made.extendedAttributes == ExtendedAttributeSummary(nameBytes: 7, valueBytes: 1))
        #expect(throws: MetadataError.file(.exists)) { try set(file, "user.a", [2], .create) }
        _ = try set(file, "user.a", [2, 3], .replace)
        #expect(try get(file, "user.a") == [2, 3])
        _ = try set(file, "security.b", [])
        #expect(try list(file).map(\.name.description) == ["security.b", "user.a"])
        try shoal.restart()
        let request = ExtendedAttributeRequest(
            caller: Caller(), inode: file, name: try ExtendedAttributeName("user.a".utf8))
        let rest = try shoal.run(RemoveExtendedAttribute(request)).attributes
        #expect(rest.changeTime == shoal.now)
        #expect(try list(file).map(\.name.description) == ["security.b"])
        #expect(throws: MetadataError.file(.noData)) { try shoal.run(RemoveExtendedAttribute(request)) }
        #expect(throws: MetadataError.file(.noData)) { try get(file, "user.a") }
        try shoal.namespace.checkInvariants()
    }

    @Test("a value that is there already, and an ACL that is not there to be removed, are no changes")
    func nothingChanges() throws {
        let file = try shoal.create("f")
        let list = list(6, user: 4, 4, mask: 4, 4)
        _ = try set(file, "user.a", [1])
        let made = try set(file, "system.posix_acl_access", list)
        #expect(try set(file, "user.a", [1]) == made)
        #expect(try set(file, "user.a", [1], .replace) == made)
        #expect(try set(file, "system.posix_acl_access", list) == made)
        #expect(throws: MetadataError.file(.exists)) { try set(file, "user.a", [1], .create) }
        for (name, isThere) in [("system.posix_acl_default", false), ("system.posix_acl_access", true)] {
            let request = ExtendedAttributeRequest(
                caller: Caller(), inode: file, name: try ExtendedAttributeName(name.utf8))
            #expect(try shoal.needs(RemoveExtendedAttribute(request)).isEmpty == !isThere)
            let left = try shoal.run(RemoveExtendedAttribute(request)).attributes
            #expect((left == made) == !isThere)
        }
        // The same list, but the mode says something else by now.
        _ = try set(file, "system.posix_acl_access", ModelList([(1, 6, .max), (4, 4, .max), (32, 4, .max)]).bytes)
        let changed = try shoal.set(file) { $0.permissions = 0o600 }
        let back = try set(
            file, "system.posix_acl_access", ModelList([(1, 6, .max), (4, 4, .max), (32, 4, .max)]).bytes)
        #expect(back.permissions == 0o644)
        #expect(back.changeTime > changed.changeTime)
    }

    @Test("an inode has at most 1 MiB of attributes, and names that can be listed; what is refused changes nothing")
    func space() throws {
        let file = try shoal.create("f")
        let value = [UInt8](repeating: 7, count: ExtendedAttributeLimits.valueBytesMax)
        for index in 0..<15 { _ = try set(file, "user.\(index)", value) }
        #expect(throws: MetadataError.file(.noSpace)) { try set(file, "user.15", value) }
        _ = try set(file, "user.15", Array(value.dropLast(200)))
        _ = try set(file, "user.0", value, .replace)
        #expect(throws: MetadataError.file(.noSpace)) { try set(file, "user.15", value, .replace) }
        let listed = try list(file)
        #expect(listed.count == 16)
        #expect(listed.allSatisfy { $0.value == nil })

        let many = try shoal.create("g")
        let tail = String(repeating: "n", count: 247)
        for index in 100..<356 { _ = try set(many, "user.\(index)\(tail)", []) }
        #expect(throws: MetadataError.file(.noSpace)) { try set(many, "user.more", []) }
        try shoal.namespace.checkInvariants()
        _ = try shoal.unlink("f")
        _ = try shoal.unlink("g")
        #expect(try stored() == 0)
    }

    @Test("attributes go with their inode: at its last name, as an orphan at its last use, as a directory")
    func removal() throws {
        let file = try shoal.create("f")
        _ = try set(file, "user.a", [1])
        _ = try shoal.link(file, as: "g")
        _ = try shoal.unlink("f")
        #expect(try get(file, "user.a") == [1])
        shoal.inUse = [file]
        _ = try shoal.unlink("g")
        #expect(try get(file, "user.a") == [1])
        try shoal.commit { _ = try $0.reclaimOrphan(file) }
        let directory = try shoal.directory("d")
        _ = try set(directory, "user.a", [1])
        _ = try shoal.removeDirectory("d")
        let replaced = try shoal.create("x")
        _ = try set(replaced, "user.a", [1])
        _ = try shoal.create("y")
        shoal.inUse = []
        _ = try shoal.rename("y", to: "x")
        #expect(try stored() == 0)
        try shoal.namespace.checkInvariants()
    }

    @Test("an access ACL sets the permissions, chmod writes them back, and one that says no more is not kept")
    func accessList() throws {
        let file = try shoal.create("f", mode: 0o2640)
        let extended = list(6, user: 7, 4, mask: 5, 1)
        #expect(try set(file, "system.posix_acl_access", extended).permissions == 0o2651)
        #expect(try get(file, "system.posix_acl_access") == extended)
        #expect(try shoal.set(file) { $0.permissions = 0o704 }.permissions == 0o704)
        #expect(try get(file, "system.posix_acl_access") == list(7, user: 7, 4, mask: 0, 4))
        let minimal = ModelList([(1, 6, .max), (4, 4, .max), (32, 0, .max)]).bytes
        let plain = try set(file, "system.posix_acl_access", minimal)
        #expect(plain.permissions == 0o640)
        #expect(plain.extendedAttributes.isEmpty)
        _ = try shoal.set(file) { $0.permissions = 0o2755 }
        #expect(try set(file, "system.posix_acl_access", minimal, .clearsSetGroupID).permissions == 0o640)
    }

    @Test("what is no ACL, or has no place there, is refused")
    func badLists() throws {
        let file = try shoal.create("f")
        let good = list(7, user: 7, 7, mask: 7, 7)
        #expect(throws: MetadataError.file(.accessDenied)) { try set(file, "system.posix_acl_default", good) }
        let link = try shoal.create("l", .symlink)
        #expect(throws: MetadataError.file(.notSupported)) { try set(link, "system.posix_acl_access", good) }
        #expect(throws: MetadataError.file(.notSupported)) {
            try set(file, "system.posix_acl_access", [3] + good.dropFirst())
        }
        let noMask = ModelList([(1, 7, .max), (2, 7, 1), (4, 7, .max), (32, 7, .max)]).bytes
        for bad in [[], Array(good.dropLast()), Array(good.prefix(4)), noMask] {
            #expect(throws: MetadataError.file(.invalidArgument)) { try set(file, "system.posix_acl_access", bad) }
        }
        let many = ModelList(
            [(1, 7, .max)] + (0..<600).map { (2, 7, $0) } + [(4, 7, .max), (16, 7, .max), (32, 7, .max)]
        ).bytes
        #expect(throws: MetadataError.file(.tooBig)) { try set(file, "system.posix_acl_access", many) }
        #expect(try list(file).isEmpty)
    }

    @Test("a default ACL takes the umask's place and is handed down to directories, in the batch that makes them")
    func inheritance() throws {
        let parent = try shoal.directory("d")
        let list = list(7, user: 7, 5, mask: 7, 0)
        _ = try set(parent, "system.posix_acl_default", list)
        var request = CreateRequest()
        request.parent = parent
        request.name = try FileName("f".utf8)
        request.mode = FileKind.regular.rawValue | 0o664
        request.umask = 0o077
        let file = try shoal.run(CreateNode(request)).attributes
        #expect(file.permissions == 0o660)
        #expect(try get(file.inode, "system.posix_acl_access") == self.list(6, user: 7, 5, mask: 6, 0))
        #expect(try self.list(file.inode).count == 1)
        request.name = try FileName("e".utf8)
        request.mode = FileKind.directory.rawValue | 0o777
        let directory = try shoal.run(CreateNode(request)).attributes
        #expect(directory.permissions == 0o770)
        #expect(try get(directory.inode, "system.posix_acl_default") == list)
        request.parent = .root
        #expect(try shoal.run(CreateNode(request)).attributes.permissions == 0o700)
        request.parent = parent
        request.name = try FileName("s".utf8)
        request.mode = FileKind.symlink.rawValue | 0o777
        request.target = [1]
        let link = try shoal.run(CreateNode(request)).attributes
        #expect(link.permissions == 0o777)
        #expect(link.extendedAttributes.isEmpty)
        try shoal.namespace.checkInvariants()
    }

    @Test("a new owner, group or size takes the capabilities, and nothing else does")
    func capabilities() throws {
        let file = try shoal.create("f")
        let changes: [(inout AttributeChange) -> Void] = [{ $0.uid = 1 }, { $0.gid = 1 }, { $0.size = 0 }]
        for change in changes {
            _ = try set(file, "security.capability", [1])
            _ = try set(file, "user.a", [1])
            _ = try shoal.set(file) { $0.permissions = 0o711 }
            #expect(try list(file).count == 2)
            _ = try shoal.set(file, change)
            #expect(try list(file).map(\.name.description) == ["user.a"])
        }
        let directory = try shoal.directory("d")
        _ = try set(directory, "security.capability", [1])
        _ = try shoal.set(directory) { $0.uid = 1 }
        #expect(try list(directory).map(\.name.description) == ["security.capability"])
    }
}
