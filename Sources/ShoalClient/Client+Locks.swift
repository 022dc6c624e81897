import ShoalRPC
import ShoalTypes
import ShoalWire

/// Record locks and flock: the server decides, this mount remembers what it was given. No request stays open while
/// somebody waits: the server says "queued" at once and sends a notice later.
extension Client {
    /// Gives the range a mode, or unlocks it (nil). Completes with `.tryAgain` if it conflicts and nobody waits,
    /// `.deadlock`, `.noLocks`, `.interrupted`; `.inputOutput` on a file whose locks were lost with a session.
    /// - Returns: what `interrupt` takes.
    @discardableResult
    package func setLock(
        _ target: LockTarget, _ range: LockRange, _ mode: LockMode?, file: OpenFileID, process: UInt32, waits: Bool,
        completion: @escaping Completion<Void>
    ) -> LockCall {
        let call = LockCall(
            target: target, file: file, range: range, mode: mode, process: process, waits: waits && mode != nil,
            ticket: locks.nextTicket(), deadline: scheduler.now + limits.metadataDeadline, completion: completion)
        if locks.lostFiles.contains(file) {
            finishLock(call, .failure(.inputOutput))
        } else if mode == nil, !mayHoldLocks(target, range) {
            finishLock(call, .success(()))
        } else {
            submitLock(call)
        }
        return call
    }

    /// fcntl(2) F_GETLK: the lowest lock in the way; nil if there is none.
    package func testLock(
        _ target: LockTarget, _ range: LockRange, _ mode: LockMode,
        completion: @escaping Completion<TestLockReply.Conflict?>
    ) {
        metadata.request(
            .testLock, isChange: false,
            { caller in
                var message = TestLockRequest()
                message.session = caller.session
                message.target = target
                message.range = range
                message.mode = mode
                return message
            }
        ) { reply in
            switch reply.decode(TestLockReply.self) {
            case .success(let answer): completion(.success(answer.conflict))
            case .failure(let status): completion(.failure(status.fileError))
            }
        }
    }

    /// A process has closed one of its descriptors of the file: all its record locks there go (fcntl(2)).
    package func ownerClosed(_ id: InodeID, _ owner: LockOwner, completion: @escaping Completion<Void>) {
        unlockAll(LockTarget(inode: id, kind: .record, owner: owner), completion: completion)
    }

    /// The last descriptor of an open file is gone: the locks that belong to the file and to no process (OFD locks,
    /// flock) go. An owner that asked through other files as well is a process, whose descriptors announce their end
    /// themselves.
    package func fileReleased(_ file: OpenFileID, completion: @escaping Completion<Void>) {
        locks.lostFiles.remove(file)
        var left = 1
        let part: Completion<Void> = { _ in
            left -= 1
            if left == 0 { completion(.success(())) }
        }
        for target in locks.targets(of: file) {
            let others = locks.update(target) { owner in
                owner.files.remove(file)
                return owner.files.count
            }
            guard others == 0 else { continue }
            left += 1
            unlockAll(target, completion: part)
        }
        part(.success(()))
    }

    /// Whether the file's locks were lost with a session: its use fails until it is closed, since others may have been
    /// given them.
    package func hasLostLocks(_ file: OpenFileID) -> Bool {
        !locks.lostFiles.isEmpty && locks.lostFiles.contains(file)
    }

    /// A signal has come for the process that waits. If the lock is granted before the server hears of it, the call
    /// succeeds.
    package func interrupt(_ call: LockCall) {
        guard call.waits, call.state != .done else { return }
        call.isInterrupted = true
        switch call.state {
        case .unsent where call.mayHaveRun && metadata.state == .open: break  // It is about to be sent again.
        case .unsent: abandonLock(call, .interrupted)
        case .queued where metadata.state != .open:
            // The server forgets its waiters with their connection, and what it granted meanwhile when we do not
            // claim it.
            abandonLock(call, .interrupted)
        case .queued: cancelLock(call)
        case .sent, .cancelling, .done: break
        }
    }
}
