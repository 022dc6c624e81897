import ShoalTypes
import ShoalWire

extension MessageSample {
    static let locks = [
        MessageSample(of: SetLockRequest.self) {
            $0.session = $1.id()
            $0.target = $1.lockTarget()
            $0.range = $1.lockRange()
            $0.mode = $1.optional { $0.one(of: LockMode.allCases) }
            $0.process = $1.number()
            $0.ticket = $1.number()
        },
        MessageSample { SetLockReply(isGranted: $0.flag()) },
        MessageSample(of: TestLockRequest.self) {
            $0.session = $1.id()
            $0.target = $1.lockTarget()
            $0.range = $1.lockRange()
            $0.mode = $1.one(of: LockMode.allCases)
        },
        MessageSample {
            TestLockReply(
                conflict: $0.optional { random in
                    TestLockReply.Conflict(
                        range: random.lockRange(), mode: random.one(of: LockMode.allCases), process: random.number())
                })
        },
        MessageSample { CancelLockRequest(session: $0.id(), ticket: $0.number()) },
        MessageSample { CancelLockReply(wasWaiting: $0.flag()) },
        MessageSample {
            ReclaimLocksRequest(
                session: $0.id(),
                locks: $0.list { random in
                    HeldLock(
                        target: random.lockTarget(), range: random.lockRange(),
                        mode: random.one(of: LockMode.allCases), process: random.number())
                })
        },
        MessageSample { LocksGrantedNotice(tickets: $0.list { $0.number() }) },
    ]
}

extension SeededGenerator {
    mutating func lockTarget() -> LockTarget {
        LockTarget(inode: id(), kind: one(of: LockKind.allCases), owner: id())
    }
    mutating func lockRange() -> LockRange {
        let first = UInt64.random(in: 0...LockRange.bytesMax, using: &self)
        return LockRange(first: first, last: UInt64.random(in: first...LockRange.bytesMax, using: &self))
    }
}
