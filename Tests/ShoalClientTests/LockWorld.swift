import ShoalRPC
import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing
import ShoalTestSupport

@testable import ShoalClient

/// Processes on three mounts that lock, unlock and are interrupted, while connections break and the server restarts
/// within the session term. Who has been told of a lock has it until it begins to give it back: two such never conflict.
final class LockWorld {
    private struct Process {
        let mount: Int
        let target: LockTarget
        var held: LockMode?
        var call: LockCall?
        var isUnlocking = false
        var deadline = MonotonicInstant(0)
    }
    private let cluster: Cluster
    private var clients: [Client] = []
    private var processes: [Process] = []
    private var random: SeededGenerator
    private var calmUntil = MonotonicInstant(0)
    private let allowed: Set<FileError> = [.tryAgain, .deadlock, .interrupted]

    init(seed: UInt64) throws {
        cluster = try Cluster(seed: seed)
        random = SeededGenerator(seed: seed)
        for name in ["a", "b", "c"] { clients.append(try cluster.client(name)) }
        for number in 0..<9 {
            let kind: LockKind = number % 4 == 3 ? .whole : .record
            let target = LockTarget(inode: InodeID(3), kind: kind, owner: LockOwner(UInt64(number / 3)))
            processes.append(Process(mount: number % 3, target: target))
        }
        cluster.board.delay = 20...3000
    }

    func run(steps: Int) throws {
        for _ in 0..<steps {
            let number = Int.random(in: 0..<processes.count, using: &random)
            switch Int.random(in: 0..<24, using: &random) {
            case 0..<16: act(number)
            case 16..<20:
                if let call = processes[number].call { clients[processes[number].mount].interrupt(call) }
            case 20: cluster.board.cut(SimulatedMetadata.address, of: ["a", "b", "c"].randomElement(using: &random))
            case 21 where cluster.scheduler.now >= calmUntil && Int.random(in: 0..<4, using: &random) == 0:
                // Another one only when the grace of this one is over.
                calmUntil = cluster.scheduler.now + .seconds(12)
                cluster.metadata.restart(after: .milliseconds(Int64.random(in: 1...500, using: &random)))
            default: break
            }
            cluster.scheduler.run(for: .microseconds(Int64.random(in: 10...20_000, using: &random)))
        }
        finish()
    }

    private func act(_ number: Int) {
        let process = processes[number]
        guard process.call == nil, !process.isUnlocking else { return }
        let client = clients[process.mount]
        let file = OpenFileID(UInt64(number))
        if process.held != nil, Bool.random(using: &random) {
            processes[number].held = nil
            processes[number].isUnlocking = true
            let done: Completion<Void> = { [self] result in
                processes[number].isUnlocking = false
                if case .failure(let error) = result { Issue.record("an unlock failed: \(error)") }
            }
            if process.target.kind == .record, Bool.random(using: &random) {
                client.ownerClosed(process.target.inode, process.target.owner, completion: done)
            } else {
                client.setLock(
                    process.target, .whole, nil, file: file, process: 1, waits: false, completion: done)
            }
            return
        }
        let mode: LockMode = Bool.random(using: &random) ? .exclusive : .shared
        // A conversion to a shared lock lowers what is held; a flock's to an exclusive one gives it up first.
        if mode == .shared, process.held != nil { processes[number].held = .shared }
        if mode == .exclusive, process.target.kind == .whole { processes[number].held = nil }
        var isDone = false
        let call = client.setLock(
            process.target, .whole, mode, file: file, process: 1, waits: Bool.random(using: &random)
        ) { [self] result in
            isDone = true
            processes[number].call = nil
            switch result {
            case .success: took(number, mode)
            case .failure(let error):
                if !allowed.contains(error) { Issue.record("a lock failed: \(error)") }
            }
        }
        if !isDone { processes[number].call = call }
    }

    private func took(_ number: Int, _ mode: LockMode) {
        processes[number].held = mode
        let process = processes[number]
        for (other, rival) in processes.enumerated() where other != number {
            guard rival.target.kind == process.target.kind, let held = rival.held else { continue }
            #expect(!held.conflicts(with: mode), "\(number) and \(other) hold it")
        }
    }

    /// Everybody unlocks when they can: every wait ends, and nothing is left.
    private func finish() {
        let end = cluster.scheduler.now + .seconds(200)
        while cluster.scheduler.now < end {
            for number in processes.indices where processes[number].call == nil && !processes[number].isUnlocking {
                let process = processes[number]
                guard process.held != nil else { continue }
                processes[number].held = nil
                processes[number].isUnlocking = true
                clients[process.mount].setLock(
                    process.target, .whole, nil, file: OpenFileID(UInt64(number)), process: 1, waits: false
                ) { [self] _ in processes[number].isUnlocking = false }
            }
            for number in processes.indices {
                // Two that share and both wait for more, of which one holds a flock too: only a signal helps.
                guard let call = processes[number].call, Int.random(in: 0..<50, using: &random) == 0 else { continue }
                clients[processes[number].mount].interrupt(call)
            }
            cluster.scheduler.run(for: .milliseconds(100))
            if processes.allSatisfy({ $0.call == nil && !$0.isUnlocking && $0.held == nil }) { break }
        }
        #expect(processes.allSatisfy { $0.call == nil && !$0.isUnlocking }, "somebody waits for ever")
        cluster.scheduler.run(for: .seconds(20))
        for client in clients { #expect(client.locks.owners.isEmpty && client.locks.queued.isEmpty) }
        for kind in LockKind.allCases {
            var result: Result<Void, FileError>?
            clients[0].setLock(
                LockTarget(inode: InodeID(3), kind: kind, owner: LockOwner(99)), .whole, .exclusive,
                file: OpenFileID(99), process: 1, waits: false
            ) { result = $0 }
            cluster.scheduler.run(for: .seconds(10)) { result != nil }
            #expect(throws: Never.self, "a lock was left behind") { try result?.get() }
        }
    }
}
