import ShoalTypes
import ShoalWire

/// What is in the trash now is due to go: it is no longer listed, and goes in steps.
package struct EmptyTrash: NamespaceOperation {
    package let request: EmptyTrashRequest
    package init(_ request: EmptyTrashRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] { [] }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> Empty {
        guard transaction.trash.root.rawValue != 0 else { return Empty() }
        var state = transaction.trash
        state.emptiedUpTo = max(state.emptiedUpTo, context.now.trashMilliseconds)
        transaction.trashChange = state
        return Empty()
    }
}
