import ShoalTypes
import ShoalWire

/// Asking sessions to give leases back, and writers for their sizes. Every question has an end: an answer, or that of
/// the session, which is expired after `recallTermsMax` terms even if it still sends heartbeats.
extension MetadataCore {
    /// Asks for the lease down to `target`. One recall of a lease is under way at a time; who needs more asks again
    /// then.
    func recall(
        _ inode: InodeID, _ holder: LeaseHolder, to target: LeaseMode, names: [FileName] = [], isCold: Bool
    ) {
        let key = Recalls.Key(inode: inode, session: holder.session)
        guard recalls.recalls[key] == nil, let session = sessions[holder.session] else { return }
        if isCold { session.coldRecallsInFlight += 1 }
        recalls.set(
            key,
            Recalls.Recall(
                sequence: holder.sequence, target: target, names: target == .names ? names : [], firstAskedAt: now,
                isCold: isCold))
        sendRecall(key)
    }

    private func sendRecall(_ key: Recalls.Key) {
        guard var recall = recalls.recalls[key], recall.question == nil,
            let connection = sessions[key.session]?.answeringConnection
        else { return }
        let question = nextQuestion()
        recall.question = question
        recalls.set(key, recall)
        let message = RecallRequest(
            inode: key.inode, sequence: recall.sequence, mode: recall.target, names: recall.names)
        act(.ask(connection, question, .recall(message)))
    }

    func endRecall(_ key: Recalls.Key) {
        guard let recall = recalls.removeRecall(key) else { return }
        if recall.isCold { sessions[key.session]?.coldRecallsInFlight -= 1 }
        waiting.wake(key.inode)
    }

    /// An answer that keeps more than was asked for is asked again at the next tick.
    func recallAnswered(
        _ key: Recalls.Key, _ recall: Recalls.Recall, _ status: WireStatus, _ message: UnsafeRawBufferPointer
    ) {
        guard status == .ok, let session = sessions[key.session] else { return }
        let answer: RecallReply
        do { answer = try RecallReply(decoding: message) } catch { return }
        if leases.holder(key.inode, key.session)?.sequence == recall.sequence {
            if answer.remaining <= recall.target { waiting.forgot(recall.names, key) }
            lower(key.inode, session, to: answer.remaining)
            // It held no more than that already.
            if answer.remaining == recall.target, recalls.recall(key.inode, key.session) != nil { endRecall(key) }
        } else {
            endRecall(key)
        }
    }

    /// Asks the writer, unless a question that left after `waiter` arrived is under way.
    func glimpse(_ inode: InodeID, _ writer: LeaseHolder, for waiter: WaitingOperation) {
        let key = Recalls.Key(inode: inode, session: writer.session)
        guard recalls.glimpses[key] == nil else { return }
        recalls.set(
            key, Recalls.Glimpse(sequence: writer.sequence, firstAskedAt: now, answersUpTo: waiter.number))
        sendGlimpse(key)
    }

    private func sendGlimpse(_ key: Recalls.Key) {
        guard var glimpse = recalls.glimpses[key], glimpse.question == nil,
            let connection = sessions[key.session]?.answeringConnection
        else { return }
        let question = nextQuestion()
        glimpse.question = question
        glimpse.answersUpTo = waiting.newest
        recalls.set(key, glimpse)
        act(.ask(connection, question, .glimpse(GlimpseRequest(inode: key.inode, sequence: glimpse.sequence))))
    }

    /// Those who arrived after the question had left ask anew.
    func glimpseAnswered(
        _ key: Recalls.Key, _ glimpse: Recalls.Glimpse, _ status: WireStatus, _ message: UnsafeRawBufferPointer
    ) {
        guard status == .ok else { return }
        let answer: GlimpseReply
        do { answer = try GlimpseReply(decoding: message) } catch { return }
        for waiter in waiting.watching(key.inode, upTo: glimpse.answersUpTo) {
            waiter.glimpses[key] = (glimpse.sequence, answer)
        }
        recalls.removeGlimpse(key)
        waiting.wake(key.inode)
        if answer.isIdle, let writer = leases.holder(key.inode, key.session), writer.sequence == glimpse.sequence,
            writer.mode.allowsWriting
        {
            recall(key.inode, writer, to: writer.idleMode, isCold: false)
        }
    }

    /// The session answers again: what it owes is asked for again.
    func askAgain(_ session: Session) {
        for key in recalls.recallsInOrder where key.session == session.id {
            if leases.holder(key.inode, key.session)?.sequence == recalls.recalls[key]?.sequence {
                sendRecall(key)
            } else {
                endRecall(key)
            }
        }
        for key in recalls.glimpsesInOrder where key.session == session.id {
            if leases.holder(key.inode, key.session)?.sequence == recalls.glimpses[key]?.sequence {
                sendGlimpse(key)
            } else {
                recalls.removeGlimpse(key)
                waiting.wake(key.inode)
            }
        }
    }

    func tickRecalls() {
        guard !recalls.isEmpty else { return }
        let patience = limits.term * limits.recallTermsMax
        for key in recalls.recallsInOrder {
            guard let recall = recalls.recalls[key], let session = sessions[key.session] else { continue }
            if now - recall.firstAskedAt > patience {
                expire(session, .recallUnanswered(key.inode))
            } else {
                sendRecall(key)
            }
        }
        for key in recalls.glimpsesInOrder {
            guard let glimpse = recalls.glimpses[key], let session = sessions[key.session] else { continue }
            if now - glimpse.firstAskedAt > patience {
                expire(session, .recallUnanswered(key.inode))
            } else {
                sendGlimpse(key)
            }
        }
    }
}
