import ShoalWire

/// Space and inodes as statfs(2) shows them; the space comes from the coordinator.
package struct StatFileSystem: NamespaceOperation {
    package let caller: Caller
    package init(caller: Caller) { self.caller = caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] { [] }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> FileSystemStatistics {
        FileSystemStatistics(
            bytesTotal: context.bytesTotal, bytesFree: context.bytesFree, inodesUsed: transaction.inodeCount)
    }
}
