import ShoalTypes
import ShoalWire

/// What the core wants done. The shell performs actions in order; messages to one connection leave in that order.
package enum MetadataAction: Sendable {
    /// `isChange`: the reply tells of a committed change. With `--sync every` it, and whatever follows it, waits for a
    /// sync.
    case reply(RequestID, WireStatus, message: [UInt8], isChange: Bool)
    /// An empty ok once everything committed so far survives the loss of power.
    case replyAfterSync(RequestID)
    /// Send the question as a request; report with `MetadataCore.answered`, also when the connection is lost.
    case ask(ConnectionID, QuestionID, MetadataQuestion)
    /// Make everything committed so far durable; report with `MetadataCore.synced`.
    case sync(QuestionID)
    /// A notice to each of these.
    case publish(ClusterMap, to: [ConnectionID])
    /// A notice.
    case grantLocks(LocksGrantedNotice, to: ConnectionID)
    case close(ConnectionID)
    case note(MetadataEvent)
    /// The store failed in a way that no promise survives: stop the process with this message.
    case fail(String)
}

package enum MetadataQuestion: Sendable {
    case recall(RecallRequest)
    case glimpse(GlimpseRequest)
    case deleteChunks(ChunkListRequest)
}

/// What the log should say.
package enum MetadataEvent: Sendable, Equatable {
    case sessionOpened(SessionID, label: String)
    case sessionClosed(SessionID)
    case sessionExpired(SessionID, label: String, reason: ExpiryReason)
    case nodeRegistered(NodeID, address: String)
    case nodeDown(NodeID, reason: NodeDownReason)
    case nodeReplaced(NodeID)
    case mapChanged(Epoch)
    case graceEnded(expired: Int)
    case storeFailed(String)

    package enum ExpiryReason: Sendable, Equatable {
        case silent
        /// It did not give a lease back although it still sends heartbeats.
        case recallUnanswered(InodeID)
        /// It did not come back after the server's restart.
        case notReclaimed
        /// It claimed a lease that another session holds.
        case conflictingClaim(InodeID)
        /// It claimed a record lock or flock beside which another session's cannot stand.
        case conflictingLock(InodeID)
    }
    package enum NodeDownReason: Sendable, Equatable {
        case disconnected
        case silent
        case reported(by: SessionID)
        case leaving
    }
}
