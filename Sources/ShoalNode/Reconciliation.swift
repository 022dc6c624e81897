import Logging
import ShoalRPC
import ShoalTypes
import ShoalWire

/// After a session was fenced: makes the replicas of the chunks that it wrote last equal again, to the first in-sync
/// replica. Until then their reads and writes wait on every node that knows of the fence.
///
/// The first replica asks the others to compare (`reconcileChunks`); another replica compares its chunks with the
/// first and copies what differs. The comparison carries the epoch of the fence, so from then on neither side takes a
/// late write.
final class Reconciliation: @unchecked Sendable {  // confined to the loop
    private struct Entry {
        /// The batch that is at work on it; 0 for none.
        var batch = 0
        /// Asked for again during a run, which may have looked too early.
        var mustRunAgain = false
        var isRunning: Bool { batch != 0 }
        var waiting: [Debt] = []
        var beingServed: [Debt] = []
    }

    /// An answer owed once all chunks of a request are done.
    private final class Debt {
        private var remaining: Int
        private let responder: any Responder
        init(_ count: Int, _ responder: any Responder) {
            remaining = count
            self.responder = responder
        }
        func settle() {
            remaining -= 1
            if remaining == 0 { responder.reply(.ok) }
        }
    }

    private static let batchesMax = 4
    private unowned let core: NodeCore
    private var entries: [ChunkID: Entry] = [:]
    private var idle: [ChunkID] = []
    private var batchesRunning = 0
    private var lastBatch = 0

    init(core: NodeCore) { self.core = core }

    /// Chunks that a newly fenced session wrote here.
    func begin(_ chunks: [ChunkID]) {
        for chunk in chunks where isShared(chunk) { add(chunk, for: nil) }
        run()
    }

    /// Another node knows of chunks that may differ here.
    func reconcile(_ message: ChunkListRequest, _ responder: any Responder) {
        if let verdict = core.admission.admitEpoch(message.epoch) {
            return core.postpone(verdict, chunk: message.chunks.first ?? .none, responder: responder) { [self] in
                reconcile(message, responder)
            }
        }
        let chunks = message.chunks.filter { isShared($0) }
        guard !chunks.isEmpty else { return responder.reply(.ok) }
        guard entries.count + chunks.count <= core.limits.writtenChunksMax else { return responder.reply(.notReady) }
        let debt = Debt(chunks.count, responder)
        for chunk in chunks { add(chunk, for: debt) }
        run()
    }

    /// Chunks that are no longer this node's business are done.
    func mapChanged() {
        for chunk in entries.keys.sorted() where !isShared(chunk) { finish(chunk) }
    }

    private func isShared(_ chunk: ChunkID) -> Bool {
        let partition = core.map.partition(of: chunk)
        return core.admission.isWritable(partition) && core.map[partition].writable.count > 1
    }

    private func add(_ chunk: ChunkID, for debt: Debt?) {
        core.admission.unreconciled.insert(chunk)
        var entry = entries[chunk] ?? Entry()
        if let debt { entry.waiting.append(debt) }
        if entries[chunk] == nil { idle.append(chunk) } else if entry.isRunning { entry.mustRunAgain = true }
        entries[chunk] = entry
    }

    private func run() {
        while batchesRunning < Reconciliation.batchesMax, !idle.isEmpty, !core.isStopping {
            var byFirst: [NodeID: [ChunkID]] = [:]
            let next = Array(idle.suffix(core.limits.reconcileChunksMax))
            idle.removeLast(next.count)
            lastBatch += 1
            for chunk in next {
                guard var entry = entries[chunk], !entry.isRunning else { continue }
                guard let first = core.map[core.map.partition(of: chunk)].inSync.first else {
                    finish(chunk)
                    continue
                }
                entry.batch = lastBatch
                entry.beingServed += entry.waiting
                entry.waiting = []
                entries[chunk] = entry
                byFirst[first, default: []].append(chunk)
            }
            for (first, chunks) in byFirst.sorted(by: { $0.key < $1.key }) {
                batchesRunning += 1
                if first == core.admission.node {
                    askOthers(chunks, batch: lastBatch)
                } else {
                    follow(first, chunks, batch: lastBatch)
                }
            }
        }
    }

    /// This node decides: the others compare with it.
    private func askOthers(_ chunks: [ChunkID], batch: Int) {
        var byNode: [NodeID: [ChunkID]] = [:]
        for chunk in chunks {
            for replica in core.map[core.map.partition(of: chunk)].writable where replica.node != core.admission.node {
                byNode[replica.node, default: []].append(chunk)
            }
        }
        let gathering = Gathering(byNode.count) { [self] isDone in end(chunks, batch, isDone: isDone) }
        for (node, chunks) in byNode.sorted(by: { $0.key < $1.key }) {
            guard let peer = core.peers.peer(node, map: core.map) else {
                gathering.add(false)
                continue
            }
            let message = ChunkListRequest(epoch: core.map.epoch, chunks: chunks)
            peer.call(.reconcileChunks, message, deadline: core.limits.peerDeadline) { reply in
                gathering.add(reply.status == .ok)
            }
        }
    }

    /// Another node decides: compare with it, copy what differs.
    private func follow(_ first: NodeID, _ chunks: [ChunkID], batch: Int) {
        guard let peer = core.peers.peer(first, map: core.map) else { return end(chunks, batch, isDone: false) }
        let message = ChunkListRequest(epoch: core.map.epoch, chunks: chunks)
        peer.call(.statChunks, message, deadline: core.limits.peerDeadline) { [self] reply in
            guard case .success(let answer) = reply.decode(ChunkDigestReply.self), !core.isStopping else {
                return end(chunks, batch, isDone: false)
            }
            core.localDigests(chunks) { [self, core] result in
                core.post { [self] in
                    guard case .success(let local) = result else { return end(chunks, batch, isDone: false) }
                    copy(
                        ChunkDifference.between(
                            local: local.compactMap { $0 }.sorted { $0.chunk < $1.chunk },
                            source: answer.digests.sorted { $0.chunk < $1.chunk }),
                        of: chunks, from: first, batch: batch)
                }
            }
        }
    }

    private func copy(_ different: [ChunkID], of chunks: [ChunkID], from first: NodeID, batch: Int) {
        if !different.isEmpty {
            core.logger.info("replicas differ after the end of a session", metadata: ["chunks": "\(different.count)"])
        }
        let gathering = Gathering(different.count) { [self] isDone in end(chunks, batch, isDone: isDone) }
        for chunk in different {
            let partition = core.map.partition(of: chunk)
            core.pulls.pull(
                chunk, in: partition, from: first,
                isValid: { [self] in
                    !core.isStopping && entries[chunk]?.batch == batch && core.map[partition].inSync.first == first
                }
            ) { outcome in
                if case .failed = outcome { gathering.add(false) } else { gathering.add(true) }
            }
        }
    }

    private func end(_ chunks: [ChunkID], _ batch: Int, isDone: Bool) {
        batchesRunning -= 1
        for chunk in chunks {
            guard var entry = entries[chunk], entry.batch == batch else { continue }
            entry.batch = 0
            if isDone {
                for debt in entry.beingServed { debt.settle() }
                entry.beingServed = []
            }
            if isDone, !entry.mustRunAgain {
                entries[chunk] = entry
                finish(chunk)
            } else {
                entry.mustRunAgain = false
                entries[chunk] = entry
                idle.append(chunk)
            }
        }
        if isDone { return run() }
        core.scheduler.schedule(after: core.limits.retryPause) { [weak self] in self?.run() }
    }

    private func finish(_ chunk: ChunkID) {
        guard let entry = entries.removeValue(forKey: chunk) else { return }
        for debt in entry.beingServed + entry.waiting { debt.settle() }
        core.admission.unreconciled.remove(chunk)
        core.release(chunk)
    }
}

/// Waits for several outcomes, on the loop.
final class Gathering {
    private var remaining: Int
    private var isDone = true
    private let completion: (Bool) -> Void

    /// `completion` gets true if every outcome was; at once for none.
    init(_ count: Int, completion: @escaping (Bool) -> Void) {
        remaining = count
        self.completion = completion
        if count == 0 { completion(true) }
    }

    func add(_ outcome: Bool) {
        isDone = isDone && outcome
        remaining -= 1
        if remaining == 0 { completion(isDone) }
    }
}
