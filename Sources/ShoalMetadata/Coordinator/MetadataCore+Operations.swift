import ShoalTypes
import ShoalWire

/// How every namespace operation is run: what it needs, whom that disturbs, then all of it in one batch.
extension MetadataCore {
    func run<Op: LeasedOperation>(_ operation: Op, _ request: RequestID, _ connection: ConnectionID) {
        let caller = operation.caller
        guard let session = self.caller(caller.session, request, connection) else { return }
        if caller.isRetry, caller.change > 0 {
            if let earlier = waiting.waiting(for: session, change: caller.change) {
                // Its first copy still waits and has done nothing yet: it goes on, and answers this one.
                reply(earlier.request, .notReady)
                earlier.request = request
                return
            }
            if Op.isChange, answerAgain(operation, request, session) { return }
        }
        start(operation, request, session)
    }

    /// An operation of the server itself: nobody is told how it ended.
    func runOwn<Op: LeasedOperation>(_ operation: Op) { start(operation, .own, ownSession) }

    private func start<Op: LeasedOperation>(_ operation: Op, _ request: RequestID, _ session: Session) {
        guard case .wait(let obstacles) = attempt(operation, request, session, nil) else { return }
        guard session.waitingCount < limits.waitingPerSessionMax else { return reply(request, .notReady) }
        let waiter = WaitingOperation(
            number: waiting.nextNumber(), session: session, change: operation.caller.change, request: request
        ) { [unowned self, unowned session] waiter in
            attempt(operation, waiter.request, session, waiter)
        }
        wait(waiter, obstacles)
    }

    private func wait(_ waiter: WaitingOperation, _ obstacles: Obstacles) {
        waiter.blocks = obstacles.blocks
        waiter.watches = obstacles.watches
        if waiter.names != obstacles.names { waiter.forgotten = [] }
        waiter.names = obstacles.names
        waiting.insert(waiter)
        for (inode, holder, target) in obstacles.recalls {
            recall(inode, holder, to: target, names: obstacles.names[inode] ?? [], isCold: false)
        }
        for (inode, holder) in obstacles.glimpses { glimpse(inode, holder, for: waiter) }
    }

    /// A request that has been taken out of the queue; it keeps its place if it has to go on waiting.
    func tryAgain(_ waiter: WaitingOperation) {
        let blocked = waiter.blocks
        switch waiter.attempt(waiter) {
        case .done:
            for inode in blocked { waiting.wake(inode) }
        case .wait(let obstacles):
            wait(waiter, obstacles)
            for inode in blocked where !waiter.blocks.contains(inode) { waiting.wake(inode) }
        }
    }

    /// Executes the operation and answers it, or says what it has to wait for.
    private func attempt<Op: LeasedOperation>(
        _ operation: Op, _ request: RequestID, _ session: Session, _ waiter: WaitingOperation?
    ) -> Attempt {
        var transaction = namespace.begin()
        var context = OperationContext(
            session: session.id, now: wallClock, chunkBytesLog2: limits.chunkBytesLog2)
        do throws(MetadataError) {
            let needs = try operation.needs(&transaction)
            if let status = operation.refusal(self, session) {
                reply(request, status)
                return .done
            }
            if let acquisition = operation.acquisition, isOverLimit(session, acquisition.inode) {
                reply(request, .notReady)
                return .done
            }
            let obstacles = obstacles(operation.acquisition, needs, session, waiter, &context)
            guard obstacles.isEmpty else { return .wait(obstacles) }
            for case .lastName(let inode) in needs {
                addUse(of: inode, by: session, isUnused: operation.unused == inode, &context)
            }
            complete(&context, for: Op.operation)
            var answer = try operation.execute(&transaction, context)
            try transaction.charge(enforcing: true)
            let isChange = Op.isChange
            if isChange {
                let change = operation.caller.change
                if change > 0 {
                    let record = ReplyRecord(
                        change: change, operation: Op.operation.rawValue, message: answer.encoded())
                    transaction.put(ReplyRecord.key(session.id, change: change), record.stored())
                }
                if let status = commit(transaction) {
                    reply(request, status)
                    return .done
                }
            }
            for (directory, name) in operation.namesTakenAlong { waiting.mayKnow(name, in: directory, session.id) }
            if let removed = operation.removed(by: answer) { lostName(removed, session, context) }
            operation.attachGrants(to: &answer, self, session, isRetry: false)
            reply(request, answer, isChange: isChange)
        } catch {
            reply(request, failed(error))
        }
        return .done
    }

    /// What stands in the way of an operation. Fills in what writers have answered.
    private func obstacles(
        _ acquisition: LeaseAcquisition?, _ needs: [LeaseNeed], _ session: Session,
        _ waiter: WaitingOperation?, _ context: inout OperationContext
    ) -> Obstacles {
        var found = Obstacles()
        for need in needs {
            switch need {
            case .lastName(let inode), .changeAnyName(let inode):
                found.blocks.append(inode)
                leases.forEach(of: inode, besides: session.id, above: .pin) { holder in
                    found.recalls.append((inode, holder, .pin))
                }
            case .change(let inode):
                found.blocks.append(inode)
                leases.forEach(of: inode, besides: session.id, above: .names) { holder in
                    found.recalls.append((inode, holder, .names))
                }
            case .changeNames(let directory, let names):
                found.blocks.append(directory)
                found.names[directory] = names
                leases.forEach(of: directory, besides: session.id, above: .pin) { holder in
                    let key = Recalls.Key(inode: directory, session: holder.session)
                    let hasForgotten = waiter?.forgotten.contains(key) ?? false
                    if holder.mode > .names || !hasForgotten { found.recalls.append((directory, holder, .names)) }
                }
            case .observe(let inode):
                for writer in leases.writers(of: inode, besides: session.id) {
                    if found.watches.last != inode { found.watches.append(inode) }
                    let told = waiter?.glimpses[Recalls.Key(inode: inode, session: writer.session)]
                    if let told, told.sequence == writer.sequence {
                        context.note(told.reply, of: inode, isWhole: writer.mode == .write)
                    } else {
                        found.glimpses.append((inode, writer))
                    }
                }
            }
        }
        if let acquisition { addObstacles(to: acquisition, session, waiter, &found) }
        return found
    }

    /// Who may have open what loses its last name. A pin says so; whoever had more than a pin has been asked.
    private func addUse(
        of inode: InodeID, by session: Session, isUnused: Bool, _ context: inout OperationContext
    ) {
        let isHeldElsewhere = leases.isHeld(inode, besides: session.id, above: .none)
        // A writer may have buffered what those who have the file open are to read: it keeps its lease till that is
        // written.
        let isUsed = !isUnused || isHeldElsewhere && held(inode, session).mode.allowsWriting
        if isUsed { context.inUseByRequester.append(inode) }
        if isUsed || isHeldElsewhere { context.inUse.append(inode) }
    }

    private func complete(_ context: inout OperationContext, for operation: Operation) {
        switch operation {
        case .prepareUpload: context.sequence = nextSequence()
        case .statFileSystem: (context.bytesTotal, context.bytesFree) = space()
        default: break
        }
    }

    /// The inode has lost a name, perhaps its last. Then leases end: all of an inode that is gone; of an orphan the
    /// requester's, unless it may have the file open.
    private func lostName(_ removed: FileAttributes, _ session: Session, _ context: OperationContext) {
        let inode = removed.inode
        guard removed.linkCount == 0 else { return }
        uncountedFiles.remove(inode)
        guard context.inUse.contains(inode) else {
            for holder in leases.holders(of: inode) {
                if let session = sessions[holder.session] { lower(inode, session, to: .none) }
            }
            return
        }
        orphans.insert(inode)
        if context.inUseByRequester.contains(inode) {
            _ = give(.pin, of: inode, to: session)
        } else {
            lower(inode, session, to: .none)
        }
        if !leases.isHeld(inode) { endedOrphans.append(inode) }
    }

    /// Answers a retry of a change that was executed before. Returns whether it was.
    private func answerAgain<Op: LeasedOperation>(_ operation: Op, _ request: RequestID, _ session: Session) -> Bool {
        let change = operation.caller.change
        var transaction = namespace.begin()
        do throws(MetadataError) {
            let key = ReplyRecord.key(session.id, change: change)
            guard let record = try transaction.record(ReplyRecord.self, key), record.change >= change else {
                return false
            }
            guard record.change == change, record.operation == Op.operation.rawValue else {
                // Too many changes since: whether it was executed cannot be told any more.
                reply(request, .failed(.inputOutput))
                return true
            }
            var answer: Op.Answer
            do { answer = try Op.Answer(decoding: record.message) } catch { throw .corrupt("a stored reply") }
            try operation.refresh(&answer, &transaction)
            operation.attachGrants(to: &answer, self, session, isRetry: true)
            reply(request, answer, isChange: true)
        } catch {
            reply(request, failed(error))
        }
        return true
    }
}
