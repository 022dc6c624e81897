import ShoalTypes

@testable import ShoalMetadata

/// Locks as the man pages tell of them, byte by byte: the last of its bytes stands for the rest of the file.
struct LockModel {
    static let bytes = 24

    struct Waiter {
        let id: LockWaitID
        let file: LockTable.File
        let wish: LockWish
    }
    /// Of each byte, who has it how.
    var files: [LockTable.File: [[LockHolder: LockMode]]] = [:]
    var waiters: [Waiter] = []

    static func range(_ first: Int, _ last: Int) -> LockRange {
        LockRange(first: UInt64(first), last: last == bytes - 1 ? LockRange.bytesMax : UInt64(last))
    }
    private func indexes(_ range: LockRange) -> Range<Int> {
        Int(range.first)..<(range.last == LockRange.bytesMax ? LockModel.bytes : Int(range.last) + 1)
    }
    func bytes(of file: LockTable.File) -> [[LockHolder: LockMode]] {
        files[file] ?? Array(repeating: [:], count: LockModel.bytes)
    }

    func blockers(_ wish: LockWish, _ file: LockTable.File) -> Set<LockHolder> {
        let all = bytes(of: file)
        var found: Set<LockHolder> = []
        for index in indexes(wish.range) {
            for (holder, mode) in all[index] where holder != wish.holder {
                if mode == .exclusive || wish.mode == .exclusive { found.insert(holder) }
            }
        }
        return found
    }

    private mutating func set(_ range: LockRange, _ holder: LockHolder, _ mode: LockMode?, _ file: LockTable.File) {
        var all = bytes(of: file)
        for index in indexes(range) { all[index][holder] = mode }
        files[file] = all
    }

    private mutating func grantWaiters(_ file: LockTable.File) -> [LockWaitID] {
        var granted: [LockWaitID] = []
        var isDone = false
        while !isDone {
            isDone = true
            for waiter in waiters where waiter.file == file && blockers(waiter.wish, file).isEmpty {
                set(waiter.wish.range, waiter.wish.holder, waiter.wish.mode, file)
                waiters.removeAll { $0.id == waiter.id }
                granted.append(waiter.id)
                isDone = false
            }
        }
        return granted
    }

    private func reaches(_ target: LockHolder, from holder: LockHolder, _ seen: inout Set<LockHolder>) -> Bool {
        if holder == target { return true }
        guard seen.insert(holder).inserted else { return false }
        for waiter in waiters where waiter.wish.holder == holder && waiter.file.kind == .record {
            for next in blockers(waiter.wish, waiter.file) where reaches(target, from: next, &seen) { return true }
        }
        return false
    }

    mutating func lock(
        _ wish: LockWish, _ file: LockTable.File, _ wait: LockWaitID?
    ) -> (LockTable.Outcome, [LockWaitID]) {
        var all = blockers(wish, file)
        if all.isEmpty {
            set(wish.range, wish.holder, wish.mode, file)
            return (.granted, grantWaiters(file))
        }
        var granted: [LockWaitID] = []
        if file.kind == .whole {
            set(.whole, wish.holder, nil, file)
            granted = grantWaiters(file)
            all = blockers(wish, file)
        }
        guard let wait else { return (.busy, granted) }
        var seen: Set<LockHolder> = []
        if file.kind == .record, all.contains(where: { reaches(wish.holder, from: $0, &seen) }) {
            return (.deadlock, granted)
        }
        waiters.append(Waiter(id: wait, file: file, wish: wish))
        return (.queued, granted)
    }

    mutating func unlock(_ range: LockRange, _ holder: LockHolder, _ file: LockTable.File) -> [LockWaitID] {
        set(range, holder, nil, file)
        return grantWaiters(file)
    }

    mutating func removeAll(of session: SessionID) -> [LockWaitID] {
        waiters.removeAll { $0.id.session == session }
        var granted: [LockWaitID] = []
        for file in files.keys.sorted() {
            files[file] = files[file]?.map { $0.filter { $0.key.session != session } }
            granted += grantWaiters(file)
        }
        return granted
    }

    /// The other one's table, in the same shape.
    static func bytes(of locks: RecordLocks) -> [[LockHolder: LockMode]] {
        var all: [[LockHolder: LockMode]] = Array(repeating: [:], count: bytes)
        for (holder, holding) in locks.holdings {
            for span in holding.spans.spans {
                let last = span.range.last == LockRange.bytesMax ? bytes - 1 : Int(span.range.last)
                for index in Int(span.range.first)...last { all[index][holder] = span.mode }
            }
        }
        return all
    }
}
