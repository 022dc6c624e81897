import ShoalTypes
import ShoalWire

/// A page of a directory in the order of the cookies, `.` and `..` not included. Every name that exists throughout a
/// listing is shown once, whatever comes and goes meanwhile; one that is made meanwhile is not shown. The coordinator
/// takes out the attributes of what another session is writing.
///
/// Errors: `.notFound`, `.notDirectory`.
package struct ReadDirectory: NamespaceOperation {
    package let request: ReadDirectoryRequest
    package init(_ request: ReadDirectoryRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        _ = try transaction.directory(request.inode)
        return []
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> ReadDirectoryReply {
        let directory = try transaction.directory(request.inode)
        let before = request.before == 0 ? transaction.cookieBound : request.before
        var reply = ReadDirectoryReply(entries: [], isEnd: true, before: before, parent: directory.parent)
        guard request.after < .max else { return reply }
        let limit = Int(min(max(request.limit, 1), ReadDirectoryRequest.entriesMax))
        // Found by its name, and not listed.
        let trashRoot = transaction.trash.root
        var entries: [DirectoryEntry] = []
        var isEnd = true
        try transaction.scan(
            from: Keys.cookie(request.inode, request.after + 1), to: Keys.range(.cookie, request.inode.rawValue).upper
        ) { key, value throws(MetadataError) in
            let cookie = Keys.field(key, at: 9)
            guard entries.count < limit, cookie < before else {
                isEnd = false
                return false
            }
            let record = try CookieRecord(stored: value)
            if record.inode == trashRoot { return true }
            entries.append(
                DirectoryEntry(name: record.name, inode: record.inode, kind: record.kind, cookie: cookie))
            return true
        }
        if request.withAttributes {
            for index in entries.indices {
                entries[index].attributes = try transaction.referenced(entries[index].inode).attributes
            }
        }
        reply.entries = entries
        reply.isEnd = isEnd
        return reply
    }
}
