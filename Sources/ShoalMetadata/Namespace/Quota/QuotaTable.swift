import ShoalKeyValue
import ShoalTypes

/// Every quota tree of the store, in memory: about 150 bytes each, at most `NamespaceLimits.quotasMax`.
package struct QuotaTable: Sendable {
    private var trees: [InodeID: QuotaTree] = [:]
    /// Trees that are being counted or removed.
    private(set) var unsettled: Set<InodeID> = []

    init(_ store: any KeyValueStore) throws(MetadataError) {
        var failure: MetadataError?
        var found: [(InodeID, QuotaTree)] = []
        let range = Keys.range(.quota)
        do {
            try store.scan(from: range.lower, to: range.upper) { key, value in
                do throws(MetadataError) {
                    found.append((InodeID(Keys.field(key, at: 1)), try QuotaTree(stored: value)))
                    return true
                } catch {
                    failure = error
                    return false
                }
            }
        } catch { throw .store(error) }
        if let failure { throw failure }
        for (tree, quota) in found { self[tree] = quota }
    }

    package var isEmpty: Bool { trees.isEmpty }
    package var count: Int { trees.count }
    /// Ascending by inode.
    package var inOrder: [(tree: InodeID, quota: QuotaTree)] {
        trees.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    package subscript(tree: InodeID) -> QuotaTree? {
        get { trees[tree] }
        set {
            trees[tree] = newValue
            if let newValue, newValue.state != .active { unsettled.insert(tree) } else { unsettled.remove(tree) }
        }
    }
}
