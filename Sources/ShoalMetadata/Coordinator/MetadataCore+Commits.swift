import ShoalTypes
import ShoalWire

extension MetadataCore {
    /// Sizes and times of many files in one batch; those in quota trees in one each, as a tree refuses one file and not
    /// another, and the next one finds less room. Their writer holds the leases, so nothing has to be waited for, and
    /// a file whose lease has gone takes no other down with it.
    func commitWrites(_ message: CommitWritesRequest, _ request: RequestID, _ connection: ConnectionID) {
        guard let session = caller(message.caller.session, request, connection) else { return }
        var transaction = namespace.begin()
        let context = OperationContext(session: session.id, now: wallClock)
        var outcomes: [CommitWritesReply.Outcome] = []
        for commit in message.commits {
            let operation = CommitWrite(CommitWriteRequest(caller: message.caller, whole(commit, session, transaction)))
            if isInQuotaTree(commit.inode, transaction) {
                outcomes.append(outcomeInQuotaTree(of: operation, context, session))
            } else {
                outcomes.append(outcome(of: operation, &transaction, context, session))
            }
        }
        if let status = commit(transaction) { return reply(request, status) }
        for (commit, outcome) in zip(message.commits, outcomes) where outcome.status == .ok {
            tailIsClean(commit.inode, session)
            noteCommitted(commit, by: session)
        }
        reply(request, CommitWritesReply(outcomes: outcomes), isChange: true)
    }

    private func whole(
        _ commit: WriteCommit, _ session: Session, _ transaction: borrowing NamespaceTransaction
    ) -> WriteCommit {
        guard let part = leases.part(commit.inode, session.id) else { return commit }
        do throws(MetadataError) {
            return try transaction.inode(commit.inode).map { whole(commit, part, $0.attributes) } ?? commit
        } catch {
            return commit
        }
    }

    /// A file that cannot be read is left to its operation, which says why.
    private func isInQuotaTree(_ inode: InodeID, _ transaction: borrowing NamespaceTransaction) -> Bool {
        guard transaction.hasQuotas else { return false }
        do throws(MetadataError) { return try transaction.inode(inode).map { $0.quota.rawValue != 0 } ?? false } catch {
            return false
        }
    }

    private func outcomeInQuotaTree(
        of operation: CommitWrite, _ context: OperationContext, _ session: Session
    ) -> CommitWritesReply.Outcome {
        var transaction = namespace.begin()
        let outcome = outcome(of: operation, &transaction, context, session)
        guard outcome.status == .ok else { return outcome }
        // What a writer had taken when a quota came over its file is written back, past the limit if need be.
        let isGivingBack = recalls.recall(operation.request.inode, session.id) != nil
        do throws(MetadataError) { try transaction.charge(enforcing: !isGivingBack) } catch {
            return CommitWritesReply.Outcome(status: failed(error))
        }
        return commit(transaction).map { CommitWritesReply.Outcome(status: $0) } ?? outcome
    }

    private func outcome(
        of operation: CommitWrite, _ transaction: inout NamespaceTransaction, _ context: OperationContext,
        _ session: Session
    ) -> CommitWritesReply.Outcome {
        // Also while it is being recalled: this is the flush.
        guard let lease = leases.holder(operation.request.inode, session.id), lease.mode.allowsWriting,
            lease.sequence == operation.request.sequence
        else { return CommitWritesReply.Outcome(status: .staleLease) }
        do throws(MetadataError) {
            let answer = try operation.execute(&transaction, context)
            let attributes = answer.attributes
            return CommitWritesReply.Outcome(
                status: .ok, data: attributes.data, reservedSize: attributes.reservedSize)
        } catch {
            return CommitWritesReply.Outcome(status: failed(error))
        }
    }
}
