import ShoalTypes
import ShoalWire

extension MetadataCore {
    /// Sizes and times of many files in one batch. Their writer holds the leases, so nothing has to be waited for, and
    /// a file whose lease has gone takes no other down with it.
    func commitWrites(_ message: CommitWritesRequest, _ request: RequestID, _ connection: ConnectionID) {
        guard let session = caller(message.caller.session, request, connection) else { return }
        var transaction = namespace.begin()
        let context = OperationContext(session: session.id, now: wallClock)
        var outcomes: [CommitWritesReply.Outcome] = []
        for commit in message.commits {
            let operation = CommitWrite(CommitWriteRequest(caller: message.caller, commit))
            outcomes.append(outcome(of: operation, &transaction, context, session))
        }
        if let status = commit(transaction) { return reply(request, status) }
        for (commit, outcome) in zip(message.commits, outcomes) where outcome.status == .ok {
            tailIsClean(commit.inode, session)
        }
        reply(request, CommitWritesReply(outcomes: outcomes), isChange: true)
    }

    private func outcome(
        of operation: CommitWrite, _ transaction: inout NamespaceTransaction, _ context: OperationContext,
        _ session: Session
    ) -> CommitWritesReply.Outcome {
        if let status = operation.refusal(self, session) { return CommitWritesReply.Outcome(status: status) }
        do throws(MetadataError) {
            let answer = try operation.execute(&transaction, context)
            return CommitWritesReply.Outcome(status: .ok, data: answer.attributes.data)
        } catch {
            return CommitWritesReply.Outcome(status: failed(error))
        }
    }
}
