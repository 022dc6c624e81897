import ShoalTypes

/// The time after a restart in which sessions come back. Until it is over nobody's requests are executed, since the
/// leases that they would need recalled are not known.
extension MetadataCore {
    package var isInGrace: Bool { graceEnd != nil }

    func tickGrace() {
        guard let end = graceEnd, now >= end else { return }
        for session in sessions.inOrder where session.phase == .unclaimed {
            graceExpired += 1
            expire(session, .notReclaimed)
        }
        endGraceIfDone()
    }

    /// It is over when every session from before has said what it holds, or has ended. Then orphans that nobody claims
    /// go.
    func endGraceIfDone() {
        guard graceEnd != nil else { return }
        guard !sessions.contains({ $0.phase == .unclaimed || $0.phase == .ending }) else { return }
        graceEnd = nil
        note(.graceEnded(expired: graceExpired))
        endedOrphans += orphans.filter { !leases.isHeld($0) }.sorted(by: >)
    }

    func reclaimOrphan(_ inode: InodeID) {
        guard orphans.contains(inode), !leases.isHeld(inode) else { return }
        var transaction = namespace.begin()
        do throws(MetadataError) {
            try transaction.reclaimOrphan(inode)
            if commit(transaction) == nil { orphans.remove(inode) }
        } catch {
            _ = failed(error)
            orphans.remove(inode)
        }
    }
}
