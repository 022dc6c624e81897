import ShoalTypes
import ShoalWire

/// Quotas, by ascending inode: every one, or those that an inode is charged to, the innermost first.
///
/// Errors: `.notFound`.
package struct ListQuotas: NamespaceOperation {
    package let request: QuotaListRequest
    package init(_ request: QuotaListRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] { [] }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> QuotaListReply {
        if request.inode.rawValue != 0 {
            let record = try transaction.existing(request.inode)
            let tree = record.isDirectory ? transaction.quotaTree(ofEntriesOf: record) : record.quota
            let chain = transaction.quotaChain(from: tree).prefix(QuotaListReply.entriesMax)
            return QuotaListReply(entries: chain.map { QuotaEntry($0.tree, $0.quota) }, isEnd: true)
        }
        let rest = transaction.namespace.quotas.inOrder.filter { $0.tree > request.after }
        let page = rest.prefix(QuotaListReply.entriesMax)
        return QuotaListReply(entries: page.map { QuotaEntry($0.tree, $0.quota) }, isEnd: page.count == rest.count)
    }
}
