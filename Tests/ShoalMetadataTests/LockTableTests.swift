import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

@Suite("Record locks and flock: the table")
struct LockTableTests {
    private let file = LockTable.File(inode: InodeID(9), kind: .record)
    private func holder(_ number: UInt64) -> LockHolder {
        LockHolder(session: SessionID(1 + number % 2), owner: LockOwner(number))
    }
    private func wish(_ number: UInt64, _ mode: LockMode, _ range: LockRange = .whole) -> LockWish {
        LockWish(holder: holder(number), range: range, mode: mode, process: UInt32(number))
    }
    private func wait(_ number: UInt64, _ ticket: UInt64) -> LockWaitID {
        LockWaitID(session: holder(number).session, ticket: ticket)
    }

    @Test("random locks, upgrades, unlocks, waits, cancels and ends of sessions agree with a model byte by byte")
    func model() {
        var random = SeededGenerator(seed: testSeed())
        for _ in 0..<30 { compare(&random, steps: 300) }
    }

    private func compare(_ random: inout SeededGenerator, steps: Int) {
        let table = TableUnderTest()
        var model = LockModel()
        let files = [file, LockTable.File(inode: InodeID(9), kind: .whole), .init(inode: InodeID(10), kind: .record)]
        var ticket: UInt64 = 0
        for step in 0..<steps {
            table.granted = []
            let file = files[Int.random(in: 0..<3, using: &random)]
            let who = holder(UInt64.random(in: 0..<6, using: &random))
            let first = Int.random(in: 0..<LockModel.bytes, using: &random)
            let last = Int.random(in: first..<LockModel.bytes, using: &random)
            let range = file.kind == .whole ? .whole : LockModel.range(first, last)
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<11:
                ticket += 1
                let mode: LockMode = Bool.random(using: &random) ? .shared : .exclusive
                let wait = Bool.random(using: &random) ? LockWaitID(session: who.session, ticket: ticket) : nil
                let wish = LockWish(holder: who, range: range, mode: mode, process: 1)
                let outcome = table.lock(wish, on: file, wait: wait)
                let expected = model.lock(wish, file, wait)
                #expect(outcome == expected.0, "step \(step)")
                #expect(table.granted == expected.1, "step \(step)")
            case 11..<17:
                #expect(table.unlock(range, of: who, on: file))
                let expected = model.unlock(range, who, file)
                #expect(table.granted == expected, "step \(step)")
            case 17..<19:
                guard let waiter = model.waiters.randomElement(using: &random) else { continue }
                model.waiters.removeAll { $0.id == waiter.id }
                #expect(table.cancel(waiter.id))
                #expect(!table.cancel(waiter.id))
            default:
                guard Int.random(in: 0..<5, using: &random) == 0 else { continue }
                table.removeAll(of: who.session)
                let expected = model.removeAll(of: who.session)
                #expect(table.granted == expected, "step \(step)")
            }
            for file in files { #expect(LockModel.bytes(of: table.table.locks(of: file)) == model.bytes(of: file)) }
            #expect(table.table.waiterCount == model.waiters.count)
            table.table.checkInvariants()
        }
        for session in [SessionID(1), SessionID(2)] { table.removeAll(of: session) }
        #expect(table.table.isEmpty)
    }

    @Test("whoever has waited longest is granted first")
    func fairness() {
        let table = TableUnderTest()
        #expect(table.lock(wish(0, .exclusive), on: file, wait: nil) == .granted)
        for number in 1...100 as ClosedRange<UInt64> {
            let outcome = table.lock(
                wish(number, .exclusive), on: file, wait: wait(number, number))
            #expect(outcome == .queued)
        }
        for number in 0...100 as ClosedRange<UInt64> {
            table.granted = []
            #expect(table.unlock(.whole, of: holder(number), on: file))
            #expect(table.granted == (number < 100 ? [wait(number + 1, number + 1)] : []))
        }
        #expect(table.table.isEmpty)
    }

    @Test("two who share a record lock and both want it alone: the second is told of the deadlock, the first gets it")
    func upgrade() {
        let table = TableUnderTest()
        for number in [0, 1] as [UInt64] {
            #expect(table.lock(wish(number, .shared), on: file, wait: nil) == .granted)
        }
        #expect(table.lock(wish(0, .exclusive), on: file, wait: wait(0, 1)) == .queued)
        #expect(table.lock(wish(1, .exclusive), on: file, wait: wait(1, 2)) == .deadlock)
        #expect(table.unlock(.whole, of: holder(1), on: file))
        #expect(table.granted == [wait(0, 1)])
    }

    @Test("a conversion of a flock releases first: two who share one and both want it alone get it in turn")
    func flockUpgrade() {
        let file = LockTable.File(inode: InodeID(9), kind: .whole)
        let table = TableUnderTest()
        for number in [0, 1] as [UInt64] {
            #expect(table.lock(wish(number, .shared), on: file, wait: nil) == .granted)
        }
        #expect(table.lock(wish(0, .exclusive), on: file, wait: wait(0, 1)) == .queued)
        #expect(table.lock(wish(1, .exclusive), on: file, wait: wait(1, 2)) == .granted)
        #expect(table.unlock(.whole, of: holder(1), on: file))
        #expect(table.granted == [wait(0, 1)])
        // Without waiting it may end with nothing.
        #expect(table.unlock(.whole, of: holder(0), on: file))
        for number in [0, 1] as [UInt64] {
            #expect(table.lock(wish(number, .shared), on: file, wait: nil) == .granted)
        }
        #expect(table.lock(wish(0, .exclusive), on: file, wait: nil) == .busy)
        #expect(table.lock(wish(1, .exclusive), on: file, wait: nil) == .granted)
    }

    @Test("a circle of any length is found, through as many files")
    func circle() {
        let table = TableUnderTest()
        let count: UInt64 = 500
        func file(_ number: UInt64) -> LockTable.File { .init(inode: InodeID(100 + number), kind: .record) }
        for number in 0..<count {
            #expect(table.lock(wish(number, .exclusive), on: file(number), wait: nil) == .granted)
        }
        for number in 0..<count {
            let outcome = table.lock(
                wish(number, .exclusive), on: file((number + 1) % count), wait: wait(number, number + 1))
            #expect(outcome == (number == count - 1 ? .deadlock : .queued))
        }
    }

    @Test("past its limits the table refuses, and an unlock that would split a lock too")
    func limits() {
        var limits = LockLimits()
        limits.locksPerFileMax = 3
        limits.waitersPerSessionMax = 1
        let table = TableUnderTest(limits)
        for place in [0, 10, 20] as [UInt64] {
            let range = LockRange(first: place, last: place + 4)
            #expect(table.lock(wish(0, .exclusive, range), on: file, wait: nil) == .granted)
        }
        let fourth = LockRange(first: 30, last: 31)
        #expect(table.lock(wish(0, .exclusive, fourth), on: file, wait: nil) == .overLimit)
        let middle = LockRange(first: 2, last: 2)
        #expect(!table.unlock(middle, of: holder(0), on: file))
        #expect(table.lock(wish(0, .shared, middle), on: file, wait: nil) == .overLimit)
        #expect(table.lock(wish(2, .shared), on: file, wait: wait(2, 1)) == .queued)
        #expect(table.lock(wish(4, .shared), on: file, wait: wait(4, 2)) == .overLimit)
        #expect(table.unlock(.whole, of: holder(0), on: file))
        #expect(table.granted == [wait(2, 1)])
    }
}

/// A table that collects the waits which end, so that a request is one expression.
private final class TableUnderTest {
    var table: LockTable
    var granted: [LockWaitID] = []
    init(_ limits: LockLimits = .production) { table = LockTable(limits: limits) }

    func lock(_ wish: LockWish, on file: LockTable.File, wait: LockWaitID?) -> LockTable.Outcome {
        table.lock(wish, on: file, wait: wait, granted: &granted)
    }
    func unlock(_ range: LockRange, of holder: LockHolder, on file: LockTable.File) -> Bool {
        table.unlock(range, of: holder, on: file, granted: &granted)
    }
    func cancel(_ id: LockWaitID) -> Bool { table.cancel(id) }
    func removeAll(of session: SessionID) { table.removeAll(of: session, granted: &granted) }
}
