import ShoalRPC
import ShoalTypes

/// Names that the kernel shows without asking, while a directory's lease stands under which they are true.
///
/// The kernel can be told to forget a name (`FUSE_NOTIFY_INVAL_ENTRY`), which takes the directory's lock and detaches what
/// is mounted below the name: right for a name that has changed, wrong for any other. So single names are recalled, and
/// when a whole directory has to be given up, the mount waits until what the kernel was given has ended by itself. It also
/// waits no longer than that for the lock, which may be held by a call that waits for the very mount that asks.
extension Client {
    /// For how long the kernel may show `name` as `inode`, or as absent; zero if it has to ask each time.
    ///
    /// For answers to LOOKUP only, which the kernel takes in under the directory's lock. The directory must have been calm
    /// for four times as long, so that who changes a name is not held up for long, nor often.
    package func kernelLearns(_ name: FileName, in parent: InodeID, as inode: InodeID?) -> Interval {
        let never = Interval(nanoseconds: 0)
        guard dropKernelNames != nil, let directory = inodes.existing(parent), mayRead(directory),
            !trashDirectories.contains(parent),
            isKnown(name, in: directory, as: inode),
            namesMoving.isEmpty || namesMoving[Place(directory: parent, name: name)] == nil
        else { return never }
        let now = scheduler.now
        let calm = directory.kernelNames.calm(at: now, atFirst: limits.nameCalmAtFirst)
        let most = min(calm, inode == nil ? limits.absentNameCalmMax : limits.nameCalmMax)
        let validity = min(Interval(nanoseconds: most.nanoseconds / 4), metadata.leasesEnd - now)
        guard validity >= limits.nameValidityMin, mayShowMoreNames(at: now) else { return never }
        let end = now + validity + limits.nameValidityMargin
        let isDirectory = inode.map { inodes.existing($0)?.isDirectory ?? true } ?? false
        let settled = isDirectory ? now + limits.nameValidityMargin : now
        directory.kernelNames.show(name, until: end, settled: settled, now: now)
        forgetEndedNames(of: directory)
        kernelNamesEnd = max(kernelNamesEnd, end)
        return validity
    }

    /// As many as are remembered, in the time that the longest lasts; what has ended by then is forgotten.
    private func mayShowMoreNames(at now: MonotonicInstant) -> Bool {
        if now - namesShown.since > longestShown { namesShown = (now, 0) }
        namesShown.count += 1
        return namesShown.count <= limits.namesMax
    }

    private var longestShown: Interval {
        Interval(nanoseconds: limits.nameCalmMax.nanoseconds / 4 + limits.nameValidityMargin.nanoseconds)
    }

    /// The directory has been given a name to show: what is known of that is forgotten soon after the name has ended.
    private func forgetEndedNames(of directory: Inode) {
        guard showingDirectories.insert(directory.id).inserted, showingDirectories.count == 1 else { return }
        forgetEndedNamesLater()
    }

    private func forgetEndedNamesLater() {
        scheduler.schedule(after: longestShown) { [self] in
            for id in showingDirectories {
                let directory = inodes.existing(id)
                directory?.kernelNames.prune(at: scheduler.now)
                if directory?.kernelNames.isEmpty ?? true { showingDirectories.remove(id) }
            }
            if !showingDirectories.isEmpty { forgetEndedNamesLater() }
        }
    }

    private func isKnown(_ name: FileName, in directory: Inode, as inode: InodeID?) -> Bool {
        if let known = directory.names[name] { return known == inode }
        return inode == nil && directory.namesAreComplete
    }

    /// Runs `body`, which sends a rename. The kernel moves what it knows of the name along with it, once that is
    /// answered: it is taken to have done so from the moment that the rename is sent, under a lease on the new directory,
    /// and learns nothing of the name until `kernelHasMoved`.
    func kernelMoves(_ place: Place, to new: Place, _ body: @escaping () -> Void) {
        namesMoving[place, default: 0] += 1
        guard let end = inodes.existing(place.directory)?.kernelNames.end(of: place.name), end > scheduler.now else {
            return body()
        }
        let directory = inodes.inode(new.directory)
        let move = { [self] in
            let settled = inodes.existing(place.directory)?.kernelNames.settled([place.name])
            directory.kernelNames.show(
                new.name, until: end, settled: settled ?? MonotonicInstant(0), now: scheduler.now)
            forgetEndedNames(of: directory)
            body()
        }
        // The lease, even if it is being lowered, stays until the name ends.
        if directory.grant.mode >= .names, metadata.leasesAreUsable { return move() }
        withLease(.read, on: directory, failure: { _ in body() }) { done in
            move()
            done()
        }
    }

    /// Runs `body` when the kernel shows no name any more that it was given.
    func whenNamesHaveEnded(_ body: @escaping () -> Void) {
        guard dropKernelNames != nil, kernelNamesEnd > scheduler.now else { return body() }
        scheduler.schedule(after: kernelNamesEnd - scheduler.now, body)
    }

    /// The rename has been answered by the server; `kernelNames` has the new name since it was sent. A question for the old
    /// name that was put before may still come, and its answer be taken for the entry that has moved.
    func kernelHasMoved(_ place: Place) {
        scheduler.schedule(after: limits.nameValidityMargin) { [self] in
            guard let count = namesMoving[place] else { return }
            namesMoving[place] = count > 1 ? count - 1 : nil
        }
    }

    /// Whether a recall may go on to give the names up, or the lease; if not, it is called again.
    func kernelNamesAreGone(_ inode: Inode, _ recall: RecallInProgress) -> Bool {
        let now = scheduler.now
        guard inode.kernelNames.end > now else { return true }
        guard recall.mode >= .names else {
            proceedWithRecall(inode, at: inode.kernelNames.end)
            return false
        }
        let settled = inode.kernelNames.settled(recall.names)
        guard settled <= now else {
            proceedWithRecall(inode, at: settled)
            return false
        }
        let (names, number) = inode.kernelNames.leave(recall.names, at: now)
        if !names.isEmpty, let end = names.compactMap(inode.kernelNames.end(of:)).max() {
            proceedWithRecall(inode, at: end)
            dropKernelNames?(inode.id, names) { [self] in
                inode.kernelNames.left(names, number: number)
                if inode.recall != nil { proceedWithRecall(inode) }
            }
        }
        return !recall.names.contains { inode.kernelNames.isShown($0, at: now) }
    }

    func proceedWithRecall(_ inode: Inode, at time: MonotonicInstant) {
        scheduler.schedule(after: time - scheduler.now) { [self] in
            if inode.recall != nil { proceedWithRecall(inode) }
        }
    }
}
