import Logging
import ShoalTypes
import ShoalWire

/// Locks over lost connections, restarts of the server, and the end of the session.
extension Client {
    /// For the server after a reconnection. What is being given up right now is not claimed: the server may have done
    /// it, and somebody else may have it.
    func heldLocks() -> [HeldLock] {
        for call in locks.calls + locks.queued.values { lowerClaims(by: call) }
        var held: [HeldLock] = []
        for (target, owner) in locks.owners {
            for span in owner.spans.spans {
                held.append(HeldLock(target: target, range: span.range, mode: span.mode, process: owner.process))
            }
        }
        return held
    }

    /// The call may have been executed, and nobody will say so: what it takes away is taken away here.
    func lowerClaims(by call: LockCall) {
        guard call.mayHaveRun else { return }
        locks.update(call.target) { owner in
            if call.mode == .shared {
                owner.spans.downgrade(call.range)
            } else if call.mode == nil || call.target.kind == .whole {
                owner.spans.set(call.range, nil)
            }
        }
    }

    /// The session is open (again): what waited in the server's queue takes its place there anew, and what was under
    /// way is sent again, both by arrival.
    func resumeLocks() {
        for call in locks.queued.values.sorted(by: { $0.ticket < $1.ticket }) {
            if call.isInterrupted {
                abandonLock(call, .interrupted)
                continue
            }
            locks.queued[call.ticket] = nil
            call.state = .unsent
            locks.update(call.target) { owner in
                owner.queuedCount -= 1
                let place = owner.calls.firstIndex { $0.ticket > call.ticket } ?? owner.calls.endIndex
                owner.calls.insert(call, at: place)
            }
        }
        for call in locks.calls { advanceLocks(call.target) }
    }

    /// The session has expired, and every lock with it. The files that had some are of no use until they are closed.
    func loseLocks() {
        for (target, owner) in locks.owners where !owner.spans.isEmpty {
            logger.error("inode \(target.inode): locks were lost with the session; their files fail until closed")
            locks.lostFiles.formUnion(owner.files)
            locks.update(target) { $0.spans = LockSpans() }
        }
        for call in locks.calls + locks.queued.values.sorted(by: { $0.ticket < $1.ticket }) {
            if let file = call.file, hasLostLocks(file) {
                dropLock(call)
                finishLock(call, .failure(.inputOutput))
            } else if call.mode == nil {
                dropLock(call)
                finishLock(call, .success(()))
            } else if call.state == .sent {
                call.state = .unsent
            }
        }
    }
}
