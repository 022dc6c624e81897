import ShoalTypes
import ShoalWire

/// Parts of files, for sessions that write one file at the same time and in different places.
///
/// Parts do not overlap, in whole chunks, so that each chunk has one writer at a time, as ever, and nodes need not know of
/// them. A part that has an end lies below the size that the server has, and nobody can make the file shorter while there are
/// parts; one without an end has the size for its own. So each holder knows how far what it may use reaches, and what the
/// file as a whole is like (size, times) is asked of all of them.
extension MetadataCore {
    /// What keeps the session from the lease, and whom it has to be asked back from.
    func addObstacles(
        to acquisition: LeaseAcquisition, _ session: Session, _ waiter: WaitingOperation?, _ found: inout Obstacles
    ) {
        let inode = acquisition.inode
        let own = leases.holder(inode, session.id)
        let isBeingRecalled = recalls.recall(inode, session.id) != nil
        if !isBeingRecalled, acquisition.mode == .pin || allows(own, acquisition) { return }
        found.blocks.append(inode)
        noteInterest(acquisition, session)
        found.isBehindAnother =
            isBeingRecalled || waiting.isBlocked(inode, for: session.id, before: waiter?.number ?? .max)
        guard !found.isBehindAnother else { return }
        let offer = offer(acquisition, session)
        let target: LeaseMode = offer.mode == .read ? .read : .pin
        for holder in leases.holders(of: inode) {
            if holder.session == session.id {
                // What it knows under a lease of the whole ends before others may write beside it, and a part ends before
                // it is given another, which has other chunks in it or all.
                let isOver = offer.mode == .part ? holder.mode > .pin : holder.mode == .part
                if isOver { found.recalls.append((inode, holder, .pin)) }
            } else if !leases.isCompatible(holder, inode, with: offer.mode, of: offer.extent) {
                found.recalls.append((inode, holder, holder.mode == .part ? .pin : target))
            }
        }
    }

    private func allows(_ holder: LeaseHolder?, _ acquisition: LeaseAcquisition) -> Bool {
        guard let holder else { return false }
        let extent = leases.part(acquisition.inode, holder.session)?.extent ?? .whole
        return Grant(mode: holder.mode, extent: extent).allows(acquisition.mode, of: acquisition.extent)
    }

    /// Remembered where there is somebody else who writes.
    private func noteInterest(_ acquisition: LeaseAcquisition, _ session: Session) {
        let (inode, extent) = (acquisition.inode, acquisition.extent)
        guard acquisition.mode == .write || interests.isWriter(session.id, of: inode), extent != .whole else { return }
        guard interests.isContended(inode) || leases.isWritten(inode, besides: session.id) else { return }
        interests.note(extent, of: inode, by: session.id, now: now)
    }

    /// A part, if somebody else has lately wanted to write other chunks and the session no more than some; as much as is in
    /// nobody's way.
    func offer(_ acquisition: LeaseAcquisition, _ session: Session) -> LeaseOffer {
        let wanted = acquisition.extent
        let asked = LeaseOffer(inode: acquisition.inode, mode: acquisition.mode, extent: .whole)
        let isWriter = acquisition.mode == .write || interests.isWriter(session.id, of: acquisition.inode)
        guard isWriter, acquisition.mode >= .read, wanted != .whole, interests.isContended(acquisition.inode) else {
            return asked
        }
        let others = interests.others(acquisition.inode, besides: session.id, now: now)
        guard others.contains(where: { !$0.1.overlaps(wanted) }), let file = attributes(of: acquisition.inode),
            file.data != .none
        else { return asked }
        let chunksInFile = UInt32(clamping: file.size >> UInt64(file.chunkBytesLog2))
        var extent = LeaseExtent.whole
        for (other, interest) in others where leases.part(acquisition.inode, other) == nil {
            if interest.first >= wanted.end { extent.end = min(extent.end, interest.first) }
            // Who is below goes on upwards, for all that is known.
            if interest.end <= wanted.first { extent.first = wanted.first }
        }
        for holder in leases.holders(of: acquisition.inode) where holder.session != session.id {
            guard let held = leases.part(acquisition.inode, holder.session)?.extent else { continue }
            if held.first >= wanted.end { extent.end = min(extent.end, held.first) }
            if held.end <= wanted.first { extent.first = max(extent.first, held.end) }
        }
        if !extent.hasNoEnd { extent.end = min(extent.end, chunksInFile) }
        if extent.end < wanted.end { extent.end = .max }
        if extent == .whole { return asked }
        // Bytes past the end that nobody acknowledged are cut by a writer of the whole.
        if extent.hasNoEnd, file.reservedSize > file.size || uncountedFiles.contains(acquisition.inode) { return asked }
        return LeaseOffer(inode: acquisition.inode, mode: .part, extent: extent)
    }

    private func attributes(of inode: InodeID) -> FileAttributes? {
        let transaction = namespace.begin()
        do throws(MetadataError) { return try transaction.inode(inode)?.attributes } catch {
            _ = failed(error)
            return nil
        }
    }

    /// Gives what is offered, now that nothing stands against it.
    func give(_ acquisition: LeaseAcquisition, to session: Session, _ attributes: FileAttributes) -> Grant {
        if allows(leases.holder(acquisition.inode, session.id), acquisition) {
            return held(acquisition.inode, session)
        }
        let offer = offer(acquisition, session)
        guard offer.mode == .part else {
            let isUnclean =
                offer.mode == .write
                && (attributes.reservedSize > attributes.size || uncountedFiles.contains(offer.inode))
            return give(offer.mode, of: offer.inode, to: session, tailUnclean: isUnclean)
        }
        let part = LeasePart(extent: offer.extent, allocatedBytes: attributes.allocatedBytes)
        return give(.part, of: offer.inode, to: session, part: part)
    }

    /// The commit of a part's holder as one of the whole file: the size is that of who has the end, times only go on, and
    /// what the file takes changes by what has changed here.
    func whole(_ commit: WriteCommit, _ part: LeasePart, _ file: FileAttributes) -> WriteCommit {
        var whole = commit
        if !part.extent.hasNoEnd {
            whole.size = file.size
            whole.reservedSize = file.reservedSize
            whole.neededSize = file.reservedSize
        }
        let before = part.allocatedBytes ?? commit.allocatedBytes
        let sum = file.allocatedBytes + commit.allocatedBytes
        whole.allocatedBytes = min(sum - min(sum, before), Geometry.fileBytesMax)
        whole.modifyTime = max(file.modifyTime, commit.modifyTime)
        whole.changeTime = max(file.changeTime, commit.changeTime)
        return whole
    }

    /// What a holder of a part has committed.
    func noteCommitted(_ commit: WriteCommit, by session: Session) {
        guard var part = leases.part(commit.inode, session.id), let holder = leases.holder(commit.inode, session.id)
        else { return }
        part.allocatedBytes = commit.allocatedBytes
        _ = leases.set(commit.inode, holder, part: part)
    }
}
