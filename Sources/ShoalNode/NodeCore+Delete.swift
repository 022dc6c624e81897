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
        delete(message.chunks) { responder.reply($0) }
    }

    /// Whatever this node has of content that no file refers to any more.
    func deleteContent(_ message: ContentListRequest, _ responder: any Responder) {
        let first = ChunkID(data: message.contents.first ?? .none, index: 0)
        if let verdict = admission.admitEpoch(message.epoch) {
            return postpone(verdict, chunk: first, responder: responder) { [self] in
                deleteContent(message, responder)
            }
        }
        let partitionCount = map.partitions.count
        // Writes that were admitted before come first: nobody sends any for these data IDs after.
        threads.scanAfterBarrier { [self] store in
            let found: Result<[ChunkID], ChunkStoreError>
            do throws(ChunkStoreError) {
                found = .success(try NodeCore.chunks(of: message.contents, in: partitionCount, store))
            } catch {
                found = .failure(error)
            }
            post { [self] in
                switch found {
                case .success(let chunks): delete(chunks) { responder.reply($0) }
                case .failure(let error):
                    noteFailure(error)
                    responder.reply(error.status)
                }
            }
        }
    }

    /// One seek of the index per partition and data ID, and one step per chunk that is there.
    private static func chunks(
        of contents: [DataID], in partitionCount: Int, _ store: ChunkStore
    ) throws(ChunkStoreError) -> [ChunkID] {
        var found: [ChunkID] = []
        for data in contents where data != .none {
            let before = ChunkID(data: DataID(data.rawValue - 1), index: .max)
            for partition in 0..<partitionCount {
                var after = before
                while true {
                    let records = try store.scan(PartitionID(UInt16(partition)), after: after, limit: 16)
                    let own = records.prefix { $0.chunk.data == data }
                    found += own.map(\.chunk)
                    guard own.count == 16, let last = own.last else { break }
                    after = last.chunk
                }
            }
        }
        return found
    }

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
}

/// The first failure among several deletions.
private final class DeletionOutcome: Sendable {
    private let first = Mutex<ChunkStoreError?>(nil)
    func fail(_ error: ChunkStoreError) { first.withLock { $0 = $0 ?? error } }
    var status: WireStatus { first.withLock { $0?.status ?? .ok } }
}
