import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire
import Synchronization

extension NodeCore {
    /// Chunks that no file refers to any more. Only the leader asks; their data IDs are never used again.
    func delete(_ message: ChunkListRequest, _ responder: any Responder) {
        if let verdict = admission.admitEpoch(message.epoch) {
            return postpone(verdict, chunk: message.chunks.first ?? .none, responder: responder) { [self] in
                delete(message, responder)
            }
        }
        var single = message.chunks
        let boundary = single.partition { $0.index == ChunkListRequest.everyIndex }
        let contents = single[boundary...].map(\.data)
        delete(Array(single[..<boundary])) { [self] status in
            guard status == .ok else { return responder.reply(status) }
            delete(contents: contents[...]) { responder.reply($0) }
        }
    }

    /// `completion` gets ok, or the first failure; from any thread.
    private func delete(_ chunks: [ChunkID], completion: @escaping @Sendable (WireStatus) -> Void) {
        guard !chunks.isEmpty else { return completion(.ok) }
        let map = map
        let remaining = SharedCountdown(chunks.count)
        let outcome = DeletionOutcome()
        for chunk in chunks {
            // A copy that is under way would bring the chunk back.
            pulls.whenIdle(chunk) { [self] in
                threads.submit(chunk) { [self] store in
                    do throws(ChunkStoreError) { try store.delete(chunk, in: map.partition(of: chunk)) } catch {
                        noteFailure(error)
                        outcome.fail(error)
                    }
                    if remaining.countDown() { completion(outcome.status) }
                }
            }
        }
    }

    /// Whole files, one after the other, a bounded number of chunks at a time.
    private func delete(contents: ArraySlice<DataID>, completion: @escaping @Sendable (WireStatus) -> Void) {
        guard let data = contents.first else { return completion(.ok) }
        let partitionCount = map.partitions.count
        threads.scan { [self] store in
            var found: [ChunkID] = []
            do throws(ChunkStoreError) {
                for partition in 0..<partitionCount where found.count < ChunkListRequest.chunksMax {
                    found += try NodeCore.chunks(of: data, in: PartitionID(UInt16(partition)), store)
                }
            } catch {
                noteFailure(error)
                return completion(error.status)
            }
            let (chunks, rest) = (found, found.isEmpty ? contents.dropFirst() : contents)
            post { [self] in
                delete(chunks) { [self] status in
                    guard status == .ok else { return completion(status) }
                    post { [self] in delete(contents: rest, completion: completion) }
                }
            }
        }
    }

    /// Some of the chunks of `data` that the partition has; none if it has none.
    private static func chunks(
        of data: DataID, in partition: PartitionID, _ store: ChunkStore
    ) throws(ChunkStoreError) -> [ChunkID] {
        guard data != .none else { return [] }
        let before = ChunkID(data: DataID(data.rawValue - 1), index: .max)
        return try store.scan(partition, after: before, limit: 256).map(\.chunk).filter { $0.data == data }
    }
}

/// The first failure among several deletions.
private final class DeletionOutcome: Sendable {
    private let first = Mutex<ChunkStoreError?>(nil)
    func fail(_ error: ChunkStoreError) { first.withLock { $0 = $0 ?? error } }
    var status: WireStatus { first.withLock { $0?.status ?? .ok } }
}
