import Logging
import ShoalMetadata

extension MetadataEvent {
    func log(to logger: Logger) {
        switch self {
        case .sessionOpened(let id, let label): logger.info("session \(id) opened: \(label)")
        case .sessionClosed(let id): logger.info("session \(id) closed")
        case .sessionExpired(let id, let label, let reason):
            logger.warning("session \(id) (\(label)) expired: \(reason.text)")
        case .nodeRegistered(let id, let address): logger.info("node \(id) registered at \(address)")
        case .nodeDown(let id, let reason): logger.warning("node \(id) is out: \(reason.text)")
        case .nodeReplaced(let id):
            logger.warning("node \(id) has been down for too long: others take its partitions over")
        case .mapChanged(let epoch): logger.info("cluster map of epoch \(epoch)")
        case .graceEnded(let expired):
            logger.info("every session from before the restart is back or over", metadata: ["expired": "\(expired)"])
        case .storeFailed(let reason): logger.error("metadata store: \(reason)")
        }
    }
}

extension MetadataEvent.ExpiryReason {
    fileprivate var text: String {
        switch self {
        case .silent: "no heartbeat for a term"
        case .recallUnanswered(let inode): "it did not give the lease on inode \(inode) back"
        case .notReclaimed: "it did not come back after the restart"
        case .conflictingClaim(let inode): "it claimed a lease on inode \(inode) that another session holds"
        case .conflictingLock(let inode): "it claimed a lock on inode \(inode) beside which another's cannot stand"
        }
    }
}

extension MetadataEvent.NodeDownReason {
    fileprivate var text: String {
        switch self {
        case .disconnected: "its connection was lost"
        case .silent: "no heartbeat"
        case .reported(let session): "session \(session) could not reach it"
        case .leaving: "it said goodbye"
        }
    }
}
