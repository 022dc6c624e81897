import ShoalRPC
import Logging
import ShoalChunkStore
import ShoalTypes

/// Frees the space of partitions that the map no longer places on this node, one at a time, in the background.
final class ForeignPartitions: @unchecked Sendable {  // confined to the loop
    private static let pageChunks = 256
    private unowned let core: NodeCore
    private var queue: [PartitionID] = []
    private var isRunning = false

    init(core: NodeCore) { self.core = core }

    /// Looks at what has gone since `old`; at everything foreign with the first map.
    func mapChanged(from old: ClusterMap, to new: ClusterMap) {
        let node = core.admission.node
        for index in new.partitions.indices {
            guard new.partitions[index].state(of: node) == nil else { continue }
            let wasOurs = index >= old.partitions.count || old.partitions[index].state(of: node) != nil
            if wasOurs { queue.append(PartitionID(UInt16(index))) }
        }
        if !isRunning { next() }
    }

    private func next() {
        isRunning = false
        guard let partition = queue.popLast(), !core.isStopping else { return }
        isRunning = true
        clean(partition)
    }

    private func isForeign(_ partition: PartitionID) -> Bool {
        !core.isStopping && core.map[partition].state(of: core.admission.node) == nil
    }

    private func clean(_ partition: PartitionID) {
        guard isForeign(partition) else { return next() }
        core.threads.scanAfterBarrier { [self, core] store in
            let result: Result<[ChunkRecord], ChunkStoreError>
            do throws(ChunkStoreError) {
                result = .success(try store.scan(partition, after: nil, limit: ForeignPartitions.pageChunks))
            } catch { result = .failure(error) }
            core.post { [self] in
                guard case .success(let records) = result, !records.isEmpty, isForeign(partition) else { return next() }
                core.logger.info("dropping \(records.count) chunks of partition \(partition), which has moved away")
                let remaining = SharedCountdown(records.count)
                for record in records {
                    core.threads.submit(record.chunk) { [self, core] store in
                        do throws(ChunkStoreError) { try store.delete(record.chunk, in: partition) } catch {
                            core.noteFailure(error)
                        }
                        if remaining.countDown() { core.post { [self] in clean(partition) } }
                    }
                }
            }
        }
    }
}
