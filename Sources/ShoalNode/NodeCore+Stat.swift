import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire
import Synchronization

extension NodeCore {
    /// The chunks as they are after every request that was admitted before.
    func stat(_ message: ChunkListRequest, _ responder: any Responder) {
        if let verdict = admission.admitEpoch(message.epoch) {
            return postpone(verdict, chunk: message.chunks.first ?? .none, responder: responder) { [self] in
                stat(message, responder)
            }
        }
        localDigests(message.chunks) { result in
            switch result {
            case .success(let digests):
                responder.reply(ChunkDigestReply(digests: digests.compactMap { $0 }))
            case .failure(let error): responder.reply(error.status)
            }
        }
    }

    /// One digest per chunk, nil for a chunk that does not exist. `completion` runs on a thread of the chunks', or
    /// here.
    func localDigests(
        _ chunks: [ChunkID], completion: @escaping @Sendable (Result<[ChunkDigest?], ChunkStoreError>) -> Void
    ) {
        guard !chunks.isEmpty else { return completion(.success([])) }
        let map = map
        let byShard = Dictionary(grouping: chunks.indices) { threads.store.shard(of: chunks[$0]) }
        let gathered = GatheredDigests(count: chunks.count)
        let remaining = SharedCountdown(byShard.count)
        for indices in byShard.values {
            threads.submit(chunks[indices[0]]) { store in
                for index in indices {
                    do throws(ChunkStoreError) {
                        let record = try store.stat(chunks[index], in: map.partition(of: chunks[index]))
                        gathered.set(index, record.map { ChunkDigest($0) })
                    } catch {
                        gathered.fail(error)
                    }
                }
                if remaining.countDown() { completion(gathered.result) }
            }
        }
    }
}

/// Digests that several shard threads put together.
private final class GatheredDigests: Sendable {
    private let state: Mutex<Result<[ChunkDigest?], ChunkStoreError>>
    init(count: Int) { state = Mutex(.success(Array(repeating: nil, count: count))) }
    var result: Result<[ChunkDigest?], ChunkStoreError> { state.withLock { $0 } }

    func set(_ index: Int, _ digest: ChunkDigest?) {
        state.withLock { state in
            guard case .success(var digests) = state else { return }
            state = .success([])  // so that `digests` is the only reference, and is changed in place
            digests[index] = digest
            state = .success(digests)
        }
    }

    func fail(_ error: ChunkStoreError) { state.withLock { $0 = .failure(error) } }
}

extension ChunkDigest {
    init(_ record: ChunkRecord) {
        self.init(
            chunk: record.chunk, version: record.version, sequence: record.sequence, length: UInt32(record.length),
            checksum: record.checksum, chunkBytesLog2: record.chunkBytesLog2)
    }
}

extension ChunkID {
    static let none = ChunkID(data: .none, index: 0)
}
