import Glibc
import ShoalChecksum
import ShoalChunkStore
import ShoalSimulation
import ShoalTypes
import Testing
import ShoalTestSupport

@Suite("Chunk store: faults")
struct FaultTests {
    @Test(
        "every flipped bit of a clean chunk is reported, before and after a crash, until it is repaired",
        arguments: seeds(10))
    func bitRot(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let fixture = try StoreFixture()
        let content = blocks(128, stamp: 7)
        for data in 1...4 { try fixture.store.write(ChunkID(UInt64(data)), at: 0, content) }
        try fixture.closeAndReopen()
        var flipped: [ChunkID: Set<Int>] = [:]
        for _ in 0..<6 {
            let data = UInt64.random(in: 1...4, using: &random)
            let byte = Int.random(in: 0..<content.count, using: &random)
            let path = try #require(try fixture.disk.chunkFiles().first { $0.hasSuffix("/\(data)-0") })
            guard flipped[ChunkID(data), default: []].insert(byte / blockBytes).inserted else { continue }
            try fixture.disk.flipBit(path, byte: byte, bit: Int.random(in: 0..<8, using: &random))
        }
        // A chunk that is written elsewhere, and a crash, must not hide it.
        for data in 5...6 { try fixture.store.write(ChunkID(UInt64(data)), at: 0, content) }
        for round in 0..<2 {
            for data in 1...4 {
                let chunk = ChunkID(UInt64(data))
                let bad = try fixture.store.verify(chunk, in: chunk.partition)
                let badBlocks = Set(bad.flatMap { $0.lowerBound / blockBytes..<$0.upperBound / blockBytes })
                #expect(badBlocks == flipped[chunk, default: []], "seed \(seed)")
                #expect(try fixture.store.readAll(chunk).bad == flipped[chunk]?.min())
            }
            if round == 0 { try fixture.losePower(keep: 0.5, using: &random) }
        }
        for (chunk, bad) in flipped {
            let before = try fixture.store.stat(chunk, in: chunk.partition)
            for block in bad { try fixture.store.repair(chunk, block: block, content) }
            #expect(try fixture.store.verify(chunk, in: chunk.partition).isEmpty)
            #expect(try fixture.store.stat(chunk, in: chunk.partition) == before)
        }
    }

    @Test("repairing one block and crashing does not bless its broken neighbour")
    func repairKeepsNeighbours() throws {
        var random = SeededGenerator(seed: 1)
        let fixture = try StoreFixture()
        let (chunk, content) = (ChunkID(1), blocks(64, stamp: 3))
        try fixture.store.write(chunk, at: 0, content)
        try fixture.closeAndReopen()
        let path = try #require(try fixture.disk.chunkFiles().first)
        try fixture.disk.flipBit(path, byte: 0, bit: 0)
        try fixture.disk.flipBit(path, byte: 5 * blockBytes, bit: 3)
        try fixture.store.repair(chunk, block: 0, content)
        try fixture.losePower(keep: 1, using: &random)
        #expect(try fixture.store.verify(chunk, in: chunk.partition) == [5 * blockBytes..<6 * blockBytes])
    }

    @Test("a missing file is corruption, reported by every read, and repair makes it anew")
    func missingFile() throws {
        let fixture = try StoreFixture()
        let (chunk, content) = (ChunkID(1), blocks(32, stamp: 3))
        try fixture.store.write(chunk, at: 0, content)
        try fixture.store.close()
        try fixture.disk.unlink(try #require(try fixture.disk.chunkFiles().first))
        try fixture.reopen()
        #expect(throws: ChunkStoreError.corrupt(chunk, detail: "its file is missing")) {
            try fixture.store.readAll(chunk)
        }
        #expect(try fixture.store.verify(chunk, in: chunk.partition) == [0..<content.count])
        try fixture.store.repair(chunk, block: 3, content)
        #expect(try fixture.store.readAll(chunk).bad == 0)
        for block in 0..<32 { try fixture.store.repair(chunk, block: block, content) }
        try fixture.closeAndReopen()
        #expect(try fixture.store.readAll(chunk).bytes == content)
    }

    @Test("a failed sync fails, and so does everything that writes afterwards; reads go on", arguments: [true, false])
    func failedSync(ofIndex: Bool) throws {
        let fixture = try StoreFixture()
        let content = blocks(32, stamp: 1)
        try fixture.store.write(ChunkID(1), at: 0, content)
        if ofIndex { fixture.index.fail(syncs: true) } else { try fixture.disk.fail(syncs: true) }
        #expect(throws: ChunkStoreError.self) { try fixture.store.sync(ChunkID(1)) }
        fixture.index.fail(syncs: false)
        try fixture.disk.fail(syncs: false)
        #expect(throws: ChunkStoreError.self) { try fixture.store.sync(ChunkID(1)) }
        #expect(throws: ChunkStoreError.self) { try fixture.store.write(ChunkID(2), at: 0, content) }
        #expect(throws: ChunkStoreError.self) { try fixture.store.close() }
        #expect(try fixture.store.readAll(ChunkID(1)).bytes == content)
        #expect(fixture.events.all.contains { if case .failed = $0 { true } else { false } })
        try fixture.kill()
        try fixture.store.write(ChunkID(2), at: 0, content)
        try fixture.store.sync(ChunkID(2))
    }

    @Test("at the watermark writes are refused and repairs are not; deletions make room again")
    func watermark() throws {
        let fixture = try StoreFixture()
        try fixture.disk.limit(bytes: 4 << 20)
        let content = blocks(64, stamp: 1)
        var written = 0
        #expect(throws: ChunkStoreError.noSpace) {
            for data in 1...100 {
                try fixture.store.write(ChunkID(UInt64(data)), at: 0, content)
                written += 1
            }
        }
        #expect(written >= 10 && written <= 12, "3 MiB before the reserve of 1 MiB, not \(written) * 256 KiB")
        #expect(try fixture.store.usage().bytesFree < content.count)
        try fixture.store.repair(ChunkID(200), block: 0, content)
        for data in 1...4 { try fixture.store.delete(ChunkID(UInt64(data)), in: ChunkID(UInt64(data)).partition) }
        while try fixture.store.maintain(now: MonotonicInstant(0)) {}
        try fixture.store.write(ChunkID(300), at: 0, content)
    }

    @Test("a disk that fills up in the middle of a write leaves old and new blocks, all with their checksums")
    func fullDisk() throws {
        let fixture = try StoreFixture()
        try fixture.store.write(ChunkID(1), at: 0, blocks(32, stamp: 1))
        try fixture.disk.limit(bytes: (try fixture.disk.usedBytes) + 10_000)
        // The gauge has seen a larger disk and asks again only later.
        for (chunk, first) in [(ChunkID(1), 16), (ChunkID(2), 0)] {
            #expect(throws: ChunkStoreError.noSpace) {
                try fixture.store.write(chunk, at: first * blockBytes, blocks(64, stamp: 2))
            }
        }
        let (bytes, bad) = try fixture.store.readAll(ChunkID(1))
        #expect(bad == nil)
        #expect(Set(try #require(ChunkModel.stamps(of: bytes))).isSubset(of: [1, 2]))
        #expect(bytes.count == 32 * blockBytes)
        #expect(try fixture.store.stat(ChunkID(2), in: ChunkID(2).partition) == nil)
        try fixture.disk.limit(bytes: nil)
        try fixture.store.write(ChunkID(2), at: 0, blocks(64, stamp: 3))
        try fixture.closeAndReopen()
        #expect(try fixture.store.readAll(ChunkID(2)).bad == nil)
    }

    @Test("a disk without room for one more byte does not make a clean shutdown an unclean one")
    func fullDiskAtTheEnd() throws {
        let fixture = try StoreFixture()
        try fixture.store.write(ChunkID(1), at: 0, blocks(32, stamp: 1))
        try fixture.store.sync([(ChunkID(1), ChunkID(1).partition)])
        try fixture.disk.limit(bytes: try fixture.disk.usedBytes)
        for _ in 0..<3 {
            try fixture.closeAndReopen()
            #expect(fixture.events.recoveries == 0)
            #expect(try fixture.store.readAll(ChunkID(1)).bad == nil)
        }
        try fixture.kill()
        #expect(fixture.events.recoveries == 1, "and an unclean one is still seen")
        try fixture.disk.limit(bytes: nil)
        try fixture.closeAndReopen()
        #expect(fixture.events.recoveries == 1)
    }

    @Test("a directory of another format is refused", arguments: ["shoal chunk store 2\n", "", "\u{0}\u{1}x"])
    func wrongFormat(text: String) throws {
        let fixture = try StoreFixture()
        try fixture.store.close()
        try fixture.disk.unlink("/store/format")
        let file = try fixture.disk.open("/store/format", create: true)
        try Array(text.utf8).withUnsafeBytes { try file.write(at: 0, $0) }
        let error = #expect(throws: ChunkStoreError.self) { try fixture.reopen() }
        guard case .badFormat = error else {
            Issue.record("not .badFormat: \(String(describing: error))")
            return
        }
    }

    @Test("a directory with chunks but without a format is refused")
    func missingFormat() throws {
        let fixture = try StoreFixture()
        try fixture.store.close()
        try fixture.disk.unlink("/store/format")
        let error = #expect(throws: ChunkStoreError.self) { try fixture.reopen() }
        guard case .badFormat = error else {
            Issue.record("not .badFormat: \(String(describing: error))")
            return
        }
    }
}

extension ChunkStore {
    /// Writes block `block` of `content` as a repair.
    func repair(_ chunk: ChunkID, block: Int, _ content: [UInt8]) throws {
        let offset = block * blockBytes
        try Array(content[offset..<offset + blockBytes]).withUnsafeBytes { bytes in
            try replaceBlocks(
                chunk, in: chunk.partition, chunkBytesLog2: 20, offset: offset, bytes: bytes,
                checksums: [CRC32C.checksum(bytes)])
        }
    }
}
