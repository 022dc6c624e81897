import ShoalTypes
import ShoalWire

/// stat
package struct GetAttributes: NamespaceOperation {
    package let request: InodeRequest
    package init(_ request: InodeRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        throw .file(.notImplemented)
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> EntryReply {
        throw .file(.notImplemented)
    }
}
