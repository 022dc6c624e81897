import ShoalTypes

package struct ReadDirectoryRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var inode = InodeID(0)
    /// Entries with a cookie above this one; 0 from the start. Cookies are handed out in ascending order, never reused.
    package var after: UInt64 = 0
    /// Entries with a cookie below this one: what `ReadDirectoryReply.before` said at the listing's start. 0 at the
    /// start, for every name there is then.
    package var before: UInt64 = 0
    /// 1...`entriesMax`.
    package var limit: UInt32 = 256
    /// With attributes and a read lease on every entry where nobody is in the way.
    package var withAttributes = false
    package static let entriesMax: UInt32 = 1024
    package init() {}
    package init(caller: Caller, inode: InodeID, after: UInt64, before: UInt64, limit: UInt32, withAttributes: Bool) {
        self.caller = caller
        self.inode = inode
        self.after = after
        self.before = before
        self.limit = limit
        self.withAttributes = withAttributes
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&inode)
        coder.integer(&after)
        coder.integer(&before)
        coder.integer(&limit)
        coder.boolean(&withAttributes)
    }
}

package struct DirectoryEntry: Hashable, Sendable {
    package var name: FileName
    package var inode: InodeID
    package var kind: FileKind
    package var cookie: UInt64
    /// Present if asked for and no other session is writing the file.
    package var attributes: FileAttributes?
    package var grant: Grant
    package init(
        name: FileName, inode: InodeID, kind: FileKind, cookie: UInt64, attributes: FileAttributes? = nil,
        grant: Grant = .none
    ) {
        self.name = name
        self.inode = inode
        self.kind = kind
        self.cookie = cookie
        self.attributes = attributes
        self.grant = grant
    }
    package static let blank = DirectoryEntry(name: .blank, inode: InodeID(0), kind: .regular, cookie: 0)
}

package struct ReadDirectoryReply: WireMessage, Equatable {
    package var entries: [DirectoryEntry] = []
    /// The directory has no entry after these, whether the listing goes that far or not.
    package var isEnd = false
    /// Where the listing ends: the request's `before`, or above every cookie that had been handed out. Names that are
    /// made from then on have higher ones, so that a listing of a directory that keeps growing ends.
    package var before: UInt64 = 0
    /// The directory that contains this one, for `..`.
    package var parent = InodeID(0)
    package init() {}
    package init(entries: [DirectoryEntry], isEnd: Bool, before: UInt64, parent: InodeID) {
        self.entries = entries
        self.isEnd = isEnd
        self.before = before
        self.parent = parent
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.list(
            &entries, max: Int(ReadDirectoryRequest.entriesMax), minimumBytes: 26, blank: DirectoryEntry.blank
        ) { coder, entry in
            coder.name(&entry.name)
            coder.number(&entry.inode)
            coder.enumeration(&entry.kind)
            coder.integer(&entry.cookie)
            coder.optional(&entry.attributes, blank: FileAttributes()) { $0.attributes(&$1) }
            coder.grant(&entry.grant)
        }
        coder.boolean(&isEnd)
        coder.integer(&before)
        coder.number(&parent)
    }
}
