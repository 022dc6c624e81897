import ShoalWire

/// One operation on the namespace, wrapping the request it came in.
///
/// Law: an operation that throws has changed nothing in the transaction, so several may share one.
package protocol NamespaceOperation: Sendable {
    associatedtype Answer: WireMessage
    var caller: Caller { get }
    /// The leases to deal with before `execute`. Looks, changes nothing. Throws what `execute` would throw where that
    /// is known already; then no lease need be recalled.
    func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed]
    /// Carries the operation out. Every grant in the answer is `.none`: the coordinator fills them in.
    func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> Answer
}
