import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing

@Suite("Coordinator: extended attributes")
struct CoordinatorExtendedAttributeTests {
    @Test("a change waits until every other session has given its lease back; asking waits for nobody")
    func recall() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let created = try a.create("f", opensForWriting: true)
        let inode = created.attributes.inode
        let listed = try harness.reply(b.listAttributes(inode), as: ExtendedAttributesReply.self)
        #expect(listed.entries.isEmpty)
        #expect(listed.grant == .none, "another session writes the file")
        let change = b.setAttribute(inode, .capability, [1])
        #expect(harness.status(change) == nil)
        try a.answerRecall()
        let changed = try harness.reply(change, as: EntryReply.self)
        #expect(!changed.attributes.extendedAttributes.isEmpty)
        #expect(changed.grant.mode == .read)
        let again = try harness.reply(a.listAttributes(inode), as: ExtendedAttributesReply.self)
        #expect(again.entries == [ExtendedAttribute(name: .capability, value: [1])])
        #expect(again.grant.mode == .read)
    }

    @Test("a change that is sent again after a lost connection happens once")
    func retry() throws {
        let harness = try CoordinatorHarness()
        let a = try CoordinatorClient(harness)
        let inode = try a.create("f").attributes.inode
        var message = SetExtendedAttributeRequest()
        message.caller = a.nextChange()
        message.inode = inode
        message.name = .capability
        message.rule = .create
        #expect(harness.status(a.send(.setExtendedAttribute, message)) == .ok)
        message.caller.isRetry = true
        #expect(harness.status(a.send(.setExtendedAttribute, message)) == .ok)
        message.caller = a.nextChange()
        #expect(harness.status(a.send(.setExtendedAttribute, message)) == .failed(.exists))
    }
}
