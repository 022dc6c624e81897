import ShoalRPC
import ShoalTypes

/// Requests that cannot be served yet, in order of arrival: those that named a newer map, and those whose chunk is
/// being copied or reconciled. Each is tried again from the start, or answered `.notReady` when its time is up.
struct WaitingRequests {
    struct Entry {
        let deadline: MonotonicInstant
        let responder: any Responder
        let retry: () -> Void
    }
    private var forMap: [(epoch: Epoch, entry: Entry)] = []
    private var forChunk: [ChunkID: [Entry]] = [:]
    private(set) var count = 0

    mutating func add(_ entry: Entry, epoch: Epoch) {
        forMap.append((epoch, entry))
        count += 1
    }

    mutating func add(_ entry: Entry, chunk: ChunkID) {
        forChunk[chunk, default: []].append(entry)
        count += 1
    }

    var newestEpochAwaited: Epoch? { forMap.map(\.epoch).max() }
    var chunks: [ChunkID] { forChunk.keys.sorted() }

    mutating func takeForMap(upTo epoch: Epoch) -> [Entry] {
        let due = forMap.filter { $0.epoch <= epoch }
        forMap.removeAll { $0.epoch <= epoch }
        count -= due.count
        return due.map(\.entry)
    }

    mutating func takeAllForMap() -> [Entry] { takeForMap(upTo: Epoch(.max)) }

    mutating func take(_ chunk: ChunkID) -> [Entry] {
        let due = forChunk.removeValue(forKey: chunk) ?? []
        count -= due.count
        return due
    }

    mutating func takeExpired(at now: MonotonicInstant) -> [Entry] {
        guard count > 0 else { return [] }
        var expired = forMap.filter { $0.entry.deadline <= now }.map(\.entry)
        forMap.removeAll { $0.entry.deadline <= now }
        for (chunk, entries) in forChunk where entries.contains(where: { $0.deadline <= now }) {
            expired += entries.filter { $0.deadline <= now }
            let remaining = entries.filter { $0.deadline > now }
            forChunk[chunk] = remaining.isEmpty ? nil : remaining
        }
        count -= expired.count
        return expired
    }
}
