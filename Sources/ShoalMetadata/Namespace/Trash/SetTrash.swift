import ShoalTypes
import ShoalWire

/// Turns the trash on or off. The first time it makes `/.trash`.
///
/// Errors: `.exists` (there is a `/.trash` that is not the trash), `.invalidArgument` (a keep time of 0).
package struct SetTrash: NamespaceOperation {
    package let request: SetTrashRequest
    package init(_ request: SetTrashRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        guard request.keepSeconds != 0 else { throw .file(.invalidArgument) }
        guard request.keepSeconds != nil, transaction.trash.root.rawValue == 0 else { return [] }
        guard try transaction.dentry(.root, .trash) == nil else { throw .file(.exists) }
        return [.changeNames(.root, [.trash])]
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> Empty {
        var state = transaction.trash
        state.isOn = request.keepSeconds != nil
        if let keepSeconds = request.keepSeconds {
            state.keepSeconds = keepSeconds
            if state.root.rawValue == 0 {
                guard try transaction.dentry(.root, .trash) == nil else { throw .file(.exists) }
                let parent = try transaction.directory(.root)
                let root = transaction.makeTrashDirectory(.trash, in: parent, now: context.now)
                state.root = root.inode
                state.hour = context.now.trashHour
                let name = TrashState.name(ofHour: state.hour)
                state.directory = transaction.makeTrashDirectory(name, in: root, now: context.now).inode
            }
        }
        transaction.trashChange = state
        return Empty()
    }
}
