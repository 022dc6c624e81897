import ShoalTypes
import ShoalWire

/// How leases are given and go.
extension MetadataCore {
    private func grant(_ holder: LeaseHolder, _ inode: InodeID) -> Grant {
        Grant(
            mode: holder.mode, sequence: holder.sequence, minimumEpoch: keeper.durable.epoch,
            tailUnclean: holder.tailUnclean, extent: leases.part(inode, holder.session)?.extent ?? .whole)
    }

    /// What the session holds; nothing while that is being recalled, as the answer may be on its way: a reply that
    /// repeats the grant would arrive after it, and give back what was just given up.
    func held(_ inode: InodeID, _ session: Session) -> Grant {
        guard let holder = leases.holder(inode, session.id), recalls.recall(inode, session.id) == nil else {
            return .none
        }
        return grant(holder, inode)
    }

    /// A read lease that rides along on a reply, if nobody is in the way; what the session has if that is more.
    func ride(_ inode: InodeID, _ session: Session) -> Grant {
        if let holder = leases.holder(inode, session.id) {
            if recalls.recall(inode, session.id) != nil { return .none }
            if holder.mode >= .part { return grant(holder, inode) }
        }
        guard session.leaseCount < limits.leasesPerSessionMax / 8 * 7, !waiting.isBlocked(inode, for: session.id),
            !leases.isWritten(inode, besides: session.id)
        else {
            noteCrowd(session)
            return .none
        }
        return give(.read, of: inode, to: session)
    }

    /// A pin, which is in nobody's way, where a read lease would be; what the session has if that is more.
    func pin(_ inode: InodeID, _ session: Session) -> Grant {
        guard recalls.recall(inode, session.id) == nil, session.leaseCount < limits.leasesPerSessionMax / 8 * 7 else {
            return .none
        }
        return give(.pin, of: inode, to: session)
    }

    func isOverLimit(_ session: Session, _ inode: InodeID) -> Bool {
        session.leaseCount >= limits.leasesPerSessionMax && leases.holder(inode, session.id) == nil
    }

    /// Gives at least `mode`, which no other lease stands against. A lease that is raised gets a new sequence, so that
    /// answers about the lower one are told apart, and so that a writer's is above those of all writers before it.
    func give(
        _ mode: LeaseMode, of inode: InodeID, to session: Session, tailUnclean: Bool = false, part: LeasePart? = nil
    ) -> Grant {
        if let holder = leases.holder(inode, session.id), holder.mode >= mode { return grant(holder, inode) }
        guard !isOverLimit(session, inode) else { return .none }
        let holder = LeaseHolder(
            session: session.id, sequence: nextSequence(), mode: mode, tailUnclean: tailUnclean)
        if leases.set(inode, holder, part: part) { session.leaseCount += 1 }
        if mode >= .names { waiting.mayLearn(inode, session.id) }
        session.order.append(inode, holder.sequence)
        session.order.compact(leaseCount: session.leaseCount) { entry in
            leases.holder(entry.inode, session.id)?.sequence == entry.sequence
        }
        noteCrowd(session)
        return grant(holder, inode)
    }

    /// The writer has said how far the file goes, and how far it will write.
    func tailIsClean(_ inode: InodeID, _ session: Session) {
        guard var holder = leases.holder(inode, session.id), holder.tailUnclean else { return }
        holder.tailUnclean = false
        uncountedFiles.remove(inode)
        _ = leases.set(inode, holder, part: leases.part(inode, session.id))
    }

    /// Near its limit a session is asked for its oldest leases, once the reply that is being made has left: that may
    /// repeat any of them, and who receives it after the recall takes back what was just given up.
    private func noteCrowd(_ session: Session) {
        if session.leaseCount > limits.leasesPerSessionMax / 4 * 3 { crowded.append(session) }
    }

    /// Looks at a few leases per call, so that it costs every call the same.
    func recallCold(of session: Session) {
        for _ in 0..<4 {
            guard session.coldRecallsInFlight < limits.coldRecallsInFlightMax, let entry = session.order.popFirst()
            else {
                return
            }
            guard let holder = leases.holder(entry.inode, session.id), holder.sequence == entry.sequence else {
                continue
            }
            session.order.append(entry.inode, entry.sequence)
            // A pin says that the file is open: asking would not help.
            if holder.mode > .pin { recall(entry.inode, holder, to: .pin, isCold: true) }
        }
    }

    /// The one way down: a lease is given back, wholly or to a lower mode, or ends.
    func lower(_ inode: InodeID, _ session: Session, to mode: LeaseMode) {
        guard let holder = leases.holder(inode, session.id), mode < holder.mode else { return }
        // Nothing becomes a part by being lowered.
        let mode = mode == .part ? .pin : mode
        if mode == .none {
            if leases.remove(inode, session.id) { session.leaseCount -= 1 }
        } else {
            _ = leases.set(inode, LeaseHolder(session: session.id, sequence: holder.sequence, mode: mode))
        }
        let key = Recalls.Key(inode: inode, session: session.id)
        if let recall = recalls.recall(inode, session.id), mode <= recall.target { endRecall(key) }
        if holder.mode.allowsWriting { recalls.removeGlimpse(key) }
        waiting.wake(inode)
        if mode == .none, orphans.contains(inode), !leases.isHeld(inode), graceEnd == nil { endedOrphans.append(inode) }
    }

    func releaseLeases(_ message: ReleaseLeasesRequest, _ request: RequestID, _ connection: ConnectionID) {
        guard let session = caller(message.caller.session, request, connection) else { return }
        for lease in message.leases where leases.holder(lease.inode, session.id)?.sequence == lease.sequence {
            lower(lease.inode, session, to: lease.mode)
        }
        reply(request, Empty())
    }
}
