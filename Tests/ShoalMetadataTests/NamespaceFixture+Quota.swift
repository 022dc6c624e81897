import ShoalKeyValue
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

extension NamespaceFixture {
    @discardableResult
    func setQuota(
        _ directory: InodeID, bytes: UInt64? = nil, inodes: UInt64? = nil, counting: Bool = true
    ) throws -> QuotaEntry {
        let request = SetQuotaRequest(caller: Caller(), inode: directory, bytes: bytes, inodes: inodes)
        let entry = try #require(try run(SetQuota(request)).entries.first)
        if counting { try settleQuotas() }
        return entry
    }

    func removeQuota(_ directory: InodeID) throws {
        try run(RemoveQuota(InodeRequest(caller: Caller(), inode: directory)))
    }

    func quotas(of inode: InodeID = InodeID(0)) throws -> [QuotaEntry] {
        try run(ListQuotas(QuotaListRequest(caller: Caller(), inode: inode))).entries
    }

    func used(_ directory: InodeID) throws -> QuotaAmount {
        try #require(namespace.quotas[directory]).used
    }

    /// One batch of every walk under way.
    func stepQuotas(limit: Int = 3) throws {
        for tree in namespace.quotas.unsettled.sorted() {
            try commit { _ = try $0.walkQuota(tree, limit: limit) }
        }
    }

    func settleQuotas() throws {
        for _ in 0..<10_000 {
            let walks = try count(.quotaWalk)
            guard walks > 0 || namespace.quotas.inOrder.contains(where: { $0.quota.state == .counting }) else { return }
            try stepQuotas()
        }
        Issue.record("the walks do not end")
    }

    func count(_ prefix: Keys.Prefix) throws -> Int {
        var count = 0
        let range = Keys.range(prefix)
        try store.scan(from: range.lower, to: range.upper) { _, _ in
            count += 1
            return true
        }
        return count
    }

    /// What is below a directory, counted by walking: each inode once.
    func walked(_ directory: InodeID) throws -> QuotaAmount {
        var seen: Set<InodeID> = []
        var amount = QuotaAmount.zero
        var left = [directory]
        while let next = left.popLast() {
            for entry in try page(next).entries where seen.insert(entry.inode).inserted {
                let attributes = try attributes(entry.inode)
                amount.inodes += 1
                if attributes.kind == .regular { amount.bytes += max(attributes.size, attributes.reservedSize) }
                if attributes.kind == .directory { left.append(entry.inode) }
            }
        }
        return amount
    }
}
