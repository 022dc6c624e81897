import ShoalChunkStore
import ShoalSimulation
import ShoalTypes
import Testing

@Suite("Chunk store: holes")
struct HoleTests {
    private func punch(_ store: ChunkStore, _ chunk: ChunkID, _ first: Int, _ count: Int) throws -> Int {
        try store.punch(
            chunk, in: chunk.partition, offset: first * blockBytes, length: count * blockBytes, version: 9,
            sequence: LeaseSequence(1))
    }

    private func write(_ store: ChunkStore, _ chunk: ChunkID, _ first: Int, _ count: Int, _ stamp: UInt64) throws -> Int
    {
        try store.writing(chunk, at: first * blockBytes, blocks(count, stamp: stamp))
    }

    @Test("a write counts each block once, however often it is repeated", arguments: [8, 100])
    func allocation(place: Int) throws {
        let store = try StoreFixture().store
        let chunk = ChunkID(1)
        #expect(try write(store, chunk, place, 4, 1) == 4)
        #expect(try write(store, chunk, place, 4, 1) == 4)
        #expect(try write(store, chunk, place + 2, 4, 2) == 6)
        #expect(try write(store, chunk, 0, 1, 3) == 7)
        // Zeros that somebody wrote are data.
        #expect(try write(store, chunk, 2, 1, 0) == 8)
        let layout = try #require(try store.layout(chunk, in: chunk.partition))
        #expect(layout.blockCount == place + 6)
        #expect((0..<layout.blockCount).filter { !layout.holes.contains($0) } == [0, 2] + Array(place..<place + 6))
    }

    @Test("a punched range reads as zeros, takes no space, and is data again when it is written", arguments: [14, 200])
    func punching(length: Int) throws {
        let fixture = try StoreFixture()
        let chunk = ChunkID(1)
        _ = try write(fixture.store, chunk, 0, length, 7)
        #expect(try punch(fixture.store, chunk, 3, 5) == length - 5)
        #expect(try punch(fixture.store, chunk, 3, 5) == length - 5)
        try fixture.closeAndReopen()
        let (bytes, bad) = try fixture.store.readAll(chunk)
        #expect(bad == nil)
        #expect(bytes == blocks(3, stamp: 7) + blocks(5, stamp: 0) + blocks(length - 8, stamp: 7))
        #expect(try write(fixture.store, chunk, 4, 2, 0) == length - 3)
        // What reaches the end is cut off, and nothing is left of a chunk that was punched from its start.
        #expect(try punch(fixture.store, chunk, length - 2, 500) == length - 5)
        #expect(try fixture.store.stat(chunk, in: chunk.partition)?.length == (length - 2) * blockBytes)
        #expect(try punch(fixture.store, chunk, 0, 1 << 10) == 0)
        #expect(try fixture.store.stat(chunk, in: chunk.partition) == nil)
    }

    @Test("a punch under an old lease is refused, and one outside of every chunk size too")
    func refusals() throws {
        let store = try StoreFixture().store
        let chunk = ChunkID(1)
        try store.write(chunk, at: 0, blocks(4, stamp: 1), sequence: 5)
        #expect(throws: ChunkStoreError.staleSequence(LeaseSequence(5))) { try punch(store, chunk, 0, 2) }
        for (offset, length) in [(0, 0), (1, 4096), (4096, 100), (-4096, 8192), (1 << 26, 4096)] {
            #expect(throws: ChunkStoreError.badRange) {
                try store.punch(
                    chunk, in: chunk.partition, offset: offset, length: length, version: 9, sequence: LeaseSequence(9))
            }
        }
    }

    @Test("the chunks of a data ID are listed in order, page by page, with the blocks that take space")
    func listing() throws {
        let store = try StoreFixture().store
        let indices: [UInt32] = [0, 1, 5, 6, 7, 100, 4000, 4001, 70_000, .max - 1]
        for index in indices { _ = try write(store, ChunkID(3, index), 20, Int(index % 5) + 1, 1) }
        _ = try write(store, ChunkID(2, 3), 0, 1, 1)
        _ = try write(store, ChunkID(4, 3), 0, 1, 1)
        _ = try punch(store, ChunkID(3, 4001), 20, 1)
        let partitions = (0..<4).map { PartitionID($0) }
        for limit in [1, 3, 100] {
            var found: [ChunkList.Entry] = []
            var from: UInt32? = 0
            while let start = from {
                let list = try store.list(DataID(3), start..<UInt32.max, in: partitions, limit: limit)
                #expect(list.entries.count <= limit)
                found += list.entries
                from = list.next
            }
            #expect(found.map(\.index) == indices)
            let expected = indices.map { $0 == 4001 ? 1 : $0 % 5 + 1 }
            #expect(found.map(\.allocatedBlocks) == expected)
        }
        let some = try store.list(DataID(3), 5..<100, in: partitions, limit: 100)
        #expect(some.entries.map(\.index) == [5, 6, 7] && some.next == nil)
    }
}
