import ShoalRPC
import Logging
import ShoalChunkStore
import ShoalTypes

/// Reads every chunk in the background, at a bounded rate, and has bad ones mended: bit rot is found while another
/// replica still has the bytes.
final class Scrub: @unchecked Sendable {  // confined to the loop
    private static let pageChunks = 64
    private unowned let core: NodeCore
    private var position = (partition: 0, after: ChunkID?.none)

    init(core: NodeCore) { self.core = core }

    func start() {
        guard core.limits.scrubBytesPerSecond > 0 else { return }
        schedule(after: core.limits.scrubStart)
    }

    private func schedule(after delay: Interval) {
        core.scheduler.schedule(after: delay) { [weak self] in self?.step() }
    }

    private func step() {
        guard !core.isStopping else { return }
        guard core.admission.isRegistered, position.partition < core.map.partitions.count else {
            position = (0, nil)
            return schedule(after: core.limits.scrubPause)
        }
        let partition = PartitionID(UInt16(position.partition))
        let after = position.after
        guard core.map[partition].state(of: core.admission.node) == .inSync else {
            position = (position.partition + 1, nil)
            return schedule(after: .milliseconds(1))
        }
        core.threads.scan { [self, core] store in
            let result: Result<[ChunkRecord], ChunkStoreError>
            do throws(ChunkStoreError) {
                result = .success(try store.scan(partition, after: after, limit: Scrub.pageChunks))
            } catch { result = .failure(error) }
            core.post { [self] in
                switch result {
                case .success(let records):
                    let isLast = records.count < Scrub.pageChunks
                    position = isLast ? (position.partition + 1, nil) : (position.partition, records.last?.chunk)
                    check(records[...])
                case .failure(let error):
                    core.logger.error("the scrub cannot read the index: \(error)")
                    schedule(after: core.limits.scrubPause)
                }
            }
        }
    }

    private func check(_ records: ArraySlice<ChunkRecord>) {
        guard !core.isStopping else { return }
        guard let record = records.first else { return schedule(after: .milliseconds(1)) }
        core.repair.check(record.chunk) { [self] _ in
            let pause = Int64(record.length) * 1_000_000_000 / Int64(core.limits.scrubBytesPerSecond)
            core.scheduler.schedule(after: Interval(nanoseconds: max(1, pause))) { [weak self] in
                self?.check(records.dropFirst())
            }
        }
    }
}
