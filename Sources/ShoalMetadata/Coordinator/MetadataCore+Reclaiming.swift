import ShoalTypes
import ShoalWire

/// A session takes itself up again on a new connection, by saying what it holds: after a lost connection, or after a
/// restart of the server, which remembers sessions and not their leases.
extension MetadataCore {
    func reclaimLeases(_ message: ReclaimLeasesRequest, _ request: RequestID, _ connection: ConnectionID) {
        guard let session = attached(message.session, request, connection) else { return }
        guard session.claims.count + message.leases.count <= 2 * limits.leasesPerSessionMax else {
            return reply(request, .badRequest)
        }
        session.lastHeard = now
        for lease in message.leases where lease.mode != .none { session.claims[lease.inode] = lease }
        if message.isLast {
            finishReclaiming(session, request)
        } else {
            welcome(session, request)
        }
    }

    private func finishReclaiming(_ session: Session, _ request: RequestID) {
        let claims = session.claims.values.sorted { ($0.sequence, $0.inode) < ($1.sequence, $1.inode) }
        session.order.forEach { entry in
            if session.claims[entry.inode] == nil { lower(entry.inode, session, to: .none) }
        }
        session.order.removeAll()
        var conflict: InodeID?
        for claim in claims where !accept(claim, session) { conflict = conflict ?? claim.inode }
        session.claims = [:]
        if let conflict { return refuse(session, .conflictingClaim(conflict), request) }
        if let conflict = acceptLocks(of: session) { return refuse(session, .conflictingLock(conflict), request) }
        session.phase = .active
        session.deadline = now + limits.term
        welcome(session, request)
        askAgain(session)
        endGraceIfDone()
    }

    private func refuse(_ session: Session, _ reason: MetadataEvent.ExpiryReason, _ request: RequestID) {
        // Nobody uses what is not reclaimed yet.
        session.deadline = now
        expire(session, reason)
        reply(request, .unknownSession)
    }

    /// Takes up one claimed lease; false if another session holds what excludes it. A claim on an inode that is gone is
    /// passed over: the session's own retried change will tell it.
    private func accept(_ claim: HeldLease, _ session: Session) -> Bool {
        let holder = leases.holder(claim.inode, session.id)
        if let holder, claim.mode <= holder.mode, claim.mode != .part || holder.mode == .part {
            // A raise that the session was not told of did not happen.
            lower(claim.inode, session, to: claim.mode)
            let sequence = min(claim.sequence, holder.sequence)
            session.order.append(claim.inode, sequence)
            _ = leases.set(
                claim.inode, LeaseHolder(session: session.id, sequence: sequence, mode: claim.mode),
                part: claim.mode == .part ? leases.part(claim.inode, session.id) ?? claimedPart(claim) : nil)
            return true
        }
        guard holder != nil || exists(claim.inode) else { return true }
        let isExcluded = leases.holders(of: claim.inode).contains {
            $0.session != session.id && !leases.isCompatible($0, claim.inode, with: claim.mode, of: claim.extent)
        }
        if isExcluded {
            if let holder { session.order.append(claim.inode, holder.sequence) }
            return false
        }
        let claimed = LeaseHolder(session: session.id, sequence: claim.sequence, mode: claim.mode)
        let part = claim.mode == .part ? claimedPart(claim) : nil
        if leases.set(claim.inode, claimed, part: part) { session.leaseCount += 1 }
        session.order.append(claim.inode, claim.sequence)
        return true
    }

    /// What of its blocks had been committed, the server that was restarted has forgotten: they are counted anew.
    private func claimedPart(_ claim: HeldLease) -> LeasePart {
        uncountedFiles.insert(claim.inode)
        return LeasePart(extent: claim.extent)
    }

    private func exists(_ inode: InodeID) -> Bool {
        let transaction = namespace.begin()
        do throws(MetadataError) {
            return try transaction.inode(inode) != nil
        } catch {
            _ = failed(error)
            return false
        }
    }
}
