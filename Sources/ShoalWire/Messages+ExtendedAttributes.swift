import ShoalTypes

/// setxattr(2). Reply: `EntryReply`.
package struct SetExtendedAttributeRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var inode = InodeID(0)
    package var name = ExtendedAttributeName.accessList
    package var value: [UInt8] = []
    package var rule: ExtendedAttributeRule = []
    package init() {}
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&inode)
        coder.extendedAttributeName(&name)
        coder.bytes(&value, max: ExtendedAttributeLimits.valueBytesMax)
        var raw = rule.rawValue
        coder.integer(&raw)
        if raw & ~ExtendedAttributeRule.all.rawValue != 0 { coder.fail() }
        rule = ExtendedAttributeRule(rawValue: raw)
    }
}

/// getxattr(2) and removexattr(2). Reply: `ExtendedAttributeReply`, or `EntryReply` where it was removed.
package struct ExtendedAttributeRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var inode = InodeID(0)
    package var name = ExtendedAttributeName.accessList
    package init() {}
    package init(caller: Caller, inode: InodeID, name: ExtendedAttributeName) {
        self.caller = caller
        self.inode = inode
        self.name = name
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&inode)
        coder.extendedAttributeName(&name)
    }
}

package struct ExtendedAttributeReply: WireMessage, Equatable {
    package var value: [UInt8] = []
    package init() {}
    package init(value: [UInt8]) { self.value = value }
    package mutating func code(_ coder: inout WireCoder) {
        coder.bytes(&value, max: ExtendedAttributeLimits.valueBytesMax)
    }
}

/// The reply to listExtendedAttributes, whose request is an `InodeRequest`: all names in ascending order, with the
/// values that are short enough (`ExtendedAttributeLimits.listedBytesMax`), so that one question serves for all.
package struct ExtendedAttributesReply: WireMessage, Equatable {
    /// Size and times are those that the server has: another session that writes the file may know later ones. Then
    /// there is no lease.
    package var attributes = FileAttributes()
    package var grant = Grant.none
    package var entries: [ExtendedAttribute] = []
    package init() {}
    package init(attributes: FileAttributes, entries: [ExtendedAttribute]) {
        self.attributes = attributes
        self.entries = entries
    }
    /// `user.` and one byte, and a NUL.
    private static let entriesMax = ExtendedAttributeLimits.namesBytesMax / 7
    package mutating func code(_ coder: inout WireCoder) {
        coder.attributes(&attributes)
        coder.grant(&grant)
        coder.list(
            &entries, max: Self.entriesMax, minimumBytes: 11,
            blank: ExtendedAttribute(name: .accessList, value: nil)
        ) { coder, entry in
            coder.extendedAttributeName(&entry.name)
            coder.optional(&entry.value, blank: []) {
                $0.bytes(&$1, max: ExtendedAttributeLimits.listedValueBytesMax)
            }
        }
    }
}
