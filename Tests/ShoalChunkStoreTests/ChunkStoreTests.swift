import ShoalChunkStore
import ShoalSimulation
import ShoalTypes
import Synchronization
import Testing
import ShoalTestSupport

@Suite("Chunk store")
struct ChunkStoreTests {
    private let chunk = ChunkID(1)

    @Test(
        "a chunk of up to 64 KiB makes no file; one block more moves it to a file, with its synced bytes",
        arguments: [0.0, 1.0])
    func migration(keep: Double) throws {
        var random = SeededGenerator(seed: 1)
        let fixture = try StoreFixture()
        try fixture.store.write(chunk, at: 0, blocks(16, stamp: 1))
        try fixture.store.sync(chunk)
        #expect(try fixture.disk.chunkFiles().isEmpty)
        try fixture.store.write(chunk, at: 16 * blockBytes, blocks(1, stamp: 2))
        #expect(try fixture.disk.chunkFiles().count == 1)
        #expect(try fixture.store.readAll(chunk).bytes == blocks(16, stamp: 1) + blocks(1, stamp: 2))
        try fixture.losePower(keep: keep, using: &random)
        let (bytes, bad) = try fixture.store.readAll(chunk)
        #expect(bad == nil)
        #expect(Array(bytes.prefix(16 * blockBytes)) == blocks(16, stamp: 1))
    }

    @Test("truncation to a small length stays a file, and growing over a hole reads zeros")
    func truncateAndGrow() throws {
        let fixture = try StoreFixture()
        try fixture.store.write(chunk, at: 0, blocks(100, stamp: 1))
        try fixture.store.truncate(
            chunk, in: chunk.partition, length: blockBytes, version: 2, sequence: LeaseSequence(1))
        try fixture.store.write(chunk, at: 50 * blockBytes, blocks(1, stamp: 3))
        let expected = blocks(1, stamp: 1) + blocks(49, stamp: 0) + blocks(1, stamp: 3)
        #expect(try fixture.store.readAll(chunk).bytes == expected)
        #expect(try fixture.disk.chunkFiles().count == 1)
        try fixture.closeAndReopen()
        let (bytes, bad) = try fixture.store.readAll(chunk)
        #expect(bytes == expected && bad == nil)
    }

    @Test("reads of a part return that part and its checksums; past the end there is a hole", arguments: [4, 100])
    func partialReads(count: Int) throws {
        let fixture = try StoreFixture()
        try fixture.store.write(chunk, at: 0, blocks(count - 1, stamp: 1) + blocks(1, stamp: 2))
        let (bytes, bad) = try fixture.store.readAll(chunk, offset: (count - 2) * blockBytes, count: 8 * blockBytes)
        #expect(bad == nil)
        #expect(bytes == blocks(1, stamp: 1) + blocks(1, stamp: 2))
        #expect(try fixture.store.readAll(chunk, offset: count * blockBytes, count: blockBytes).bytes.isEmpty)
        #expect(try fixture.store.readAll(ChunkID(99)).bytes.isEmpty)
    }

    @Test("writes, truncations of a lower lease sequence are refused; version only grows, and setVersion sets it")
    func sequences() throws {
        let fixture = try StoreFixture()
        try fixture.store.write(chunk, at: 0, blocks(32, stamp: 1), version: 5, sequence: 7)
        #expect(throws: ChunkStoreError.staleSequence(LeaseSequence(7))) {
            try fixture.store.write(chunk, at: 0, blocks(1, stamp: 2), version: 6, sequence: 6)
        }
        #expect(throws: ChunkStoreError.staleSequence(LeaseSequence(7))) {
            try fixture.store.truncate(chunk, in: chunk.partition, length: 0, version: 6, sequence: LeaseSequence(6))
        }
        try fixture.store.write(chunk, at: 0, blocks(1, stamp: 2), version: 4, sequence: 8)
        let record = try #require(try fixture.store.stat(chunk, in: chunk.partition))
        #expect(record.version == 5 && record.sequence == LeaseSequence(8) && record.length == 32 * blockBytes)
        try fixture.store.setVersion(chunk, in: chunk.partition, version: 3, sequence: LeaseSequence(2))
        try fixture.closeAndReopen()
        #expect(try fixture.store.stat(chunk, in: chunk.partition)?.version == 3)
        #expect(throws: ChunkStoreError.noChunk) {
            try fixture.store.setVersion(ChunkID(9), in: PartitionID(0), version: 1, sequence: LeaseSequence(1))
        }
    }

    @Test("ranges that are not whole blocks inside the chunk are refused")
    func badRanges() throws {
        let store = try StoreFixture().store
        for (offset, count, log2) in [
            (1, 1, 20), (0, 0, 20), (255 * blockBytes, 2, 20), (-blockBytes, 1, 20), (0, 1, 27),
        ] {
            #expect(throws: ChunkStoreError.badRange) {
                try store.write(chunk, at: offset, blocks(count, stamp: 1), log2: UInt8(log2))
            }
        }
        #expect(throws: ChunkStoreError.badRange) {
            try store.truncate(chunk, in: chunk.partition, length: 100, version: 1, sequence: LeaseSequence(1))
        }
    }

    @Test("equal content has equal digests, whatever way it was written; other content has not")
    func digests() throws {
        let (first, second) = (try StoreFixture().store, try StoreFixture().store)
        try first.write(chunk, at: 0, blocks(40, stamp: 1))
        for block in (0..<40).reversed() { try second.write(chunk, at: block * blockBytes, blocks(1, stamp: 1)) }
        let (one, two) = (
            try first.scan(chunk.partition, after: nil, limit: 9),
            try second.scan(chunk.partition, after: nil, limit: 9)
        )
        #expect(one == two && one.count == 1)
        #expect(try first.stat(chunk, in: chunk.partition) == one[0])
        try second.write(chunk, at: 3 * blockBytes, blocks(1, stamp: 2))
        #expect(try second.stat(chunk, in: chunk.partition)?.checksum != one[0].checksum)
    }

    @Test("a partition is listed in order, in pieces, small chunks and files alike")
    func listing() throws {
        let store = try StoreFixture().store
        let all = (1...40).map { ChunkID(UInt64($0 * 37 % 41), UInt32($0 % 3)) }
        for (number, chunk) in all.enumerated() {
            try store.write(chunk, at: 0, blocks(number % 4 == 0 ? 20 : 1, stamp: 1))
        }
        for partition in (0..<4).map({ PartitionID(UInt16($0)) }) {
            var listed: [ChunkID] = []
            while true {
                let piece = try store.scan(partition, after: listed.last, limit: 3)
                listed += piece.map(\.chunk)
                if piece.count < 3 { break }
            }
            #expect(listed == all.filter { $0.partition == partition }.sorted())
        }
        #expect(try store.usage().chunks == 40)
    }

    @Test("more chunks than may be open or dirty are all there, synced or not")
    func eviction() throws {
        var random = SeededGenerator(seed: 1)
        let fixture = try StoreFixture()
        let chunks = (1...30).map { ChunkID(UInt64($0)) }
        for chunk in chunks { try fixture.store.write(chunk, at: 0, blocks(20, stamp: chunk.data.rawValue)) }
        for chunk in chunks.shuffled(using: &random) {
            try fixture.store.write(chunk, at: 5 * blockBytes, blocks(1, stamp: 99))
        }
        try fixture.store.sync(chunks.map { ($0, $0.partition) })
        try fixture.losePower(keep: 0, using: &random)
        for chunk in chunks {
            let (bytes, bad) = try fixture.store.readAll(chunk)
            let stamp = chunk.data.rawValue
            #expect(bad == nil)
            #expect(bytes == blocks(5, stamp: stamp) + blocks(1, stamp: 99) + blocks(14, stamp: stamp))
        }
    }

    @Test("only the first change of a synced region waits for a sync, and idle chunks lose their marks")
    func marks() throws {
        let fixture = try StoreFixture()
        try fixture.store.write(chunk, at: 0, blocks(128, stamp: 1))
        try fixture.closeAndReopen()
        let before = fixture.index.syncCount
        for round in 0..<10 { try fixture.store.write(chunk, at: 4096 * round, blocks(2, stamp: UInt64(10 + round))) }
        #expect(fixture.index.syncCount == before + 1)
        try fixture.store.write(chunk, at: 70 * blockBytes, blocks(1, stamp: 2))
        #expect(fixture.index.syncCount == before + 2)
        for second in 0..<4 { _ = try fixture.store.maintain(now: MonotonicInstant(Int64(second) * 1_000_000_000)) }
        let idle = fixture.index.syncCount
        try fixture.store.write(chunk, at: 0, blocks(1, stamp: 3))
        #expect(fixture.index.syncCount == idle + 1)
    }

    @Test("recovery looks at what was dirty and no more")
    func recoveryIsProportional() throws {
        let fixture = try StoreFixture()
        for data in 1...10 { try fixture.store.write(ChunkID(UInt64(data)), at: 0, blocks(20, stamp: 1)) }
        try fixture.closeAndReopen()
        try fixture.store.write(ChunkID(3), at: 0, blocks(1, stamp: 2))
        try fixture.kill()
        guard case .recovered(let chunks, let resealed, let removed, let dropped)? = fixture.events.all.last else {
            Issue.record("no recovery reported")
            return
        }
        #expect((chunks, resealed, removed, dropped) == (1, 0, 0, 0))
    }

    @Test("concurrent syncs share their work, and every one of them covers its own chunk")
    func groupCommit() async throws {
        let fixture = try StoreFixture(limits: .production)
        let store = fixture.store
        let chunks = (0..<32).map { ChunkID(UInt64($0 + 1)) }
        for chunk in chunks { try store.write(chunk, at: 0, blocks(20, stamp: 1)) }
        let before = fixture.index.syncCount
        try await withThrowingTaskGroup(of: Void.self) { group in
            for chunk in chunks { group.addTask { try store.sync(chunk) } }
            try await group.waitForAll()
        }
        #expect(fixture.index.syncCount - before <= chunks.count)
        var random = SeededGenerator(seed: 1)
        try fixture.losePower(keep: 0, using: &random)
        for chunk in chunks { #expect(try fixture.store.readAll(chunk).bytes == blocks(20, stamp: 1)) }
    }

    @Test("shards, syncs and maintenance work at the same time, and every byte is there afterwards")
    func parallel() async throws {
        let directory = TemporaryDirectory()
        var limits = ChunkStoreLimits.production
        limits.dirtyChunksMax = 8
        limits.openChunksPerShardMax = 2
        limits.markIdle = .seconds(0)
        let store = try ChunkStore.open(directory: directory.path + "/chunks", limits: limits)
        let expected = try await withThrowingTaskGroup(of: [ChunkID: UInt64].self) { group in
            for shard in 0..<store.shardCount {
                group.addTask {
                    var random = SeededGenerator(seed: UInt64(shard))
                    let chunks = (1...80).map { ChunkID(UInt64($0)) }.filter { store.shard(of: $0) == shard }
                    var stamps: [ChunkID: UInt64] = [:]
                    for round in 1...300 {
                        let chunk = chunks.randomElement(using: &random)!
                        switch Int.random(in: 0..<10, using: &random) {
                        case 0:
                            try store.delete(chunk, in: chunk.partition)
                            stamps[chunk] = nil
                        case 1: try store.sync(chunk)
                        case 2: _ = try store.maintain(now: MonotonicInstant(Int64(round)))
                        default:
                            try store.write(chunk, at: 0, blocks(20, stamp: UInt64(round)))
                            stamps[chunk] = UInt64(round)
                        }
                    }
                    return stamps
                }
            }
            return try await group.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
        }
        #expect(try store.usage().chunks == UInt64(expected.count))
        try store.close()
        let again = try ChunkStore.open(directory: directory.path + "/chunks", limits: limits)
        for (chunk, stamp) in expected {
            let (bytes, bad) = try again.readAll(chunk)
            #expect(bad == nil && bytes == blocks(20, stamp: stamp))
        }
        try again.close()
    }

    @Test("on the real disk: what was written is there after a clean end, and after an end without close")
    func realDisk() throws {
        let directory = TemporaryDirectory()
        let copy = TemporaryDirectory()
        let chunks = (1...20).map { ChunkID(UInt64($0)) }
        do {
            let store = try ChunkStore.open(directory: directory.path + "/chunks")
            for chunk in chunks { try store.write(chunk, at: 0, blocks(Int(chunk.data.rawValue) * 3, stamp: 1)) }
            try store.sync(chunks.map { ($0, $0.partition) })
            #expect(throws: ChunkStoreError.self) { try ChunkStore.open(directory: directory.path + "/chunks") }
            try store.delete(chunks[0], in: chunks[0].partition)
            try store.delete(chunks[19], in: chunks[19].partition)
            try store.write(chunks[10], at: 4096, blocks(1, stamp: 2))
            // What kill -9 leaves.
            try #require(runShell("cp -r '\(directory.path)/chunks' '\(copy.path)/chunks'"))
            try store.close()
        }
        for path in [directory.path, copy.path] {
            let store = try ChunkStore.open(directory: path + "/chunks")
            #expect(store.wasShutDownCleanlyOrSameBoot)
            for chunk in chunks[1..<19] {
                let (bytes, bad) = try store.readAll(chunk)
                #expect(bad == nil && bytes.count == Int(chunk.data.rawValue) * 3 * blockBytes)
            }
            #expect(try store.readAll(chunks[10], offset: 4096, count: 4096).bytes == blocks(1, stamp: 2))
            #expect(try store.readAll(chunks[0]).bytes.isEmpty)
            #expect(try store.usage().chunks == 18)
            try store.close()
        }
    }
}
