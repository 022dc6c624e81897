import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

extension NamespaceComparison {
    mutating func setExtendedAttribute() throws {
        var request = SetExtendedAttributeRequest()
        request.inode = inode()
        request.name = attributeName()
        request.value = request.name.isAccessControlList ? list() : value()
        if Int.random(in: 0..<4, using: &random) == 0 { request.rule.insert(.create) }
        if Int.random(in: 0..<4, using: &random) == 0 { request.rule.insert(.replace) }
        if Bool.random(using: &random) { request.rule.insert(.clearsSetGroupID) }
        let reply = result { () throws(MetadataError) in try shoal.run(SetExtendedAttribute(request)) }
        model.now = shoal.now
        let expected = result { () throws(FileError) in try model.setExtendedAttribute(request) }
        compare(reply.map(\.attributes), expected.map(\.attributes), request)
        try compareExtendedAttributes(request.inode)
    }

    mutating func removeExtendedAttribute() throws {
        let request = ExtendedAttributeRequest(caller: Caller(), inode: inode(), name: attributeName())
        let reply = result { () throws(MetadataError) in try shoal.run(RemoveExtendedAttribute(request)) }
        model.now = shoal.now
        let expected = result { () throws(FileError) in try model.removeExtendedAttribute(request) }
        compare(reply.map(\.attributes), expected.map(\.attributes), request)
        try compareExtendedAttributes(request.inode)
    }

    func compareExtendedAttributes(_ inode: InodeID) throws {
        guard let node = model.nodes[inode] else { return }
        let request = InodeRequest(caller: Caller(), inode: inode)
        let listed = try shoal.run(ListExtendedAttributes(request))
        #expect(listed.attributes == node.attributes)
        #expect(listed.entries.map(\.name) == node.extended.keys.sorted())
        for entry in listed.entries {
            let request = ExtendedAttributeRequest(caller: Caller(), inode: inode, name: entry.name)
            let value = try shoal.run(GetExtendedAttribute(request)).value
            #expect(value == node.extended[entry.name])
            #expect(entry.value == nil || entry.value == value)
        }
    }

    private mutating func attributeName() -> ExtendedAttributeName {
        let names = ["user.a", "user.b", "trusted.c", "security.d"].map { text in
            do { return try ExtendedAttributeName(text.utf8) } catch { preconditionFailure("\(text) is a name") }
        }
        let all = names + [.capability, .accessList, .accessList, .defaultList, .defaultList, .defaultList]
        return all[Int.random(in: 0..<all.count, using: &random)]
    }

    private mutating func value() -> [UInt8] {
        let counts = [0, 1, 100, 65_536]
        return [UInt8](
            repeating: UInt8.random(in: 0...255, using: &random), count: counts.randomElement(using: &random)!)
    }

    /// Mostly a valid ACL; sometimes one with a line more, less or out of its place.
    private mutating func list() -> [UInt8] {
        func bits() -> UInt16 { UInt16.random(in: 0...7, using: &random) }
        var lines: [ModelList.Line] = [(1, bits(), .max)]
        let users = Int.random(in: 0...2, using: &random)
        for user in 0..<users { lines.append((2, bits(), UInt32(100 + user))) }
        lines.append((4, bits(), .max))
        let groups = Int.random(in: 0...1, using: &random)
        for group in 0..<groups { lines.append((8, bits(), UInt32(200 + group))) }
        if users + groups > 0 || Bool.random(using: &random) { lines.append((16, bits(), .max)) }
        lines.append((32, bits(), .max))
        switch Int.random(in: 0..<12, using: &random) {
        case 0: lines.remove(at: Int.random(in: 0..<lines.count, using: &random))
        case 1: lines.append(lines[Int.random(in: 0..<lines.count, using: &random)])
        case 2: lines.shuffle(using: &random)
        case 3: lines[0].permissions = 8
        default: break
        }
        return ModelList(lines).bytes
    }
}
