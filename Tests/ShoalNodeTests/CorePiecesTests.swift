import ShoalNode
import ShoalTypes
import ShoalWire
import Synchronization
import Testing
import ShoalTestSupport

@Suite("The pure pieces of a node")
struct CorePiecesTests {
    @Test("Written chunks are remembered over one rotation, and given out once")
    func writtenChunks() {
        var written = WrittenChunks(chunksMax: 100, bytesMax: 10_000)
        let chunks = (0..<4 as Range<UInt32>).map { ChunkID(data: DataID(1), index: $0) }
        written.record(chunks[0], by: SessionID(1), LeaseSequence(1), 0..<1)
        written.record(chunks[3], by: SessionID(2), LeaseSequence(1), 0..<1)
        written.rotate()
        written.record(chunks[1], by: SessionID(1), LeaseSequence(1), 0..<1)
        #expect(written.take(SessionID(1)) == [chunks[0], chunks[1]])
        #expect(written.take(SessionID(1)).isEmpty)
        written.rotate()
        #expect(written.take(SessionID(2)).isEmpty)
    }

    @Test(
        "What was changed last under a lease that stands is kept; nothing of one that was fenced, nor of what it replaced"
    )
    func changedBlocks() {
        var written = WrittenChunks(chunksMax: 100, bytesMax: 10_000)
        let chunk = ChunkID(data: DataID(1), index: 0)
        let (older, newer) = (LeaseSequence(5), LeaseSequence(9))
        written.record(chunk, by: SessionID(1), older, 4..<6)
        written.rotate()
        written.record(chunk, by: SessionID(1), older, 100..<101)
        let known = written.blocks(of: chunk, since: older)
        #expect(known?.unchanged(in: 0..<8) == [0..<4, 6..<8] && known?.contains(100) == true, "over a rotation")
        #expect(written.blocks(of: chunk, since: newer) == nil, "the source has a newer one")

        written.record(chunk, by: SessionID(2), newer, 5..<6)
        #expect(written.blocks(of: chunk, since: newer)?.contains(4) == false, "of the newest lease only")
        #expect(written.take(SessionID(2)) == [chunk])
        #expect(written.blocks(of: chunk, since: older) == nil, "what it replaced here, the others may still have")

        written.record(chunk, by: SessionID(1), LeaseSequence(11), 3..<Int.max)
        #expect(written.blocksOfMissing(chunk)?.unchanged(in: 0..<9) == [0..<3], "cut there")
        _ = written.take(SessionID(7))
        #expect(written.blocksOfMissing(chunk) == nil, "who was fenced may have removed it elsewhere")
        #expect(written.blocks(of: chunk, since: newer) != nil)
        written.forgetBlocks(of: chunk)
        #expect(written.blocks(of: chunk, since: .none) == nil)
    }

    @Test("Requests per second are the mean of the last whole seconds")
    func requestRate() {
        var rate = RequestRate(windowSeconds: 2)
        func second(_ count: Int64) -> MonotonicInstant { MonotonicInstant(count * 1_000_000_000) }
        for _ in 0..<10 { rate.count(at: second(10)) }
        #expect(rate.perSecond(at: second(10)) == 0)
        #expect(rate.perSecond(at: second(11)) == 5)
        for _ in 0..<4 { rate.count(at: second(11)) }
        #expect(rate.perSecond(at: second(12)) == 7)
        #expect(rate.perSecond(at: second(14)) == 0)
    }

    @Test("The difference of two replicas is what one lacks, has in excess, or has otherwise")
    func difference() {
        let seed = testSeed("difference")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            func digests() -> [ChunkID: ChunkDigest] {
                var result: [ChunkID: ChunkDigest] = [:]
                for index in 0..<8 as Range<UInt32> where Bool.random(using: &random) {
                    let chunk = ChunkID(data: DataID(1), index: index)
                    result[chunk] = ChunkDigest(
                        chunk: chunk, version: UInt64.random(in: 1...2, using: &random), sequence: .none, length: 4096,
                        checksum: UInt32.random(in: 1...2, using: &random))
                }
                return result
            }
            let local = digests()
            let source = digests()
            let expected = Set(local.keys).union(source.keys).filter { chunk in
                guard let own = local[chunk], let other = source[chunk] else { return true }
                return !own.hasSameContent(as: other)
            }
            let found = ChunkDifference.between(
                local: local.values.sorted { $0.chunk < $1.chunk }, source: source.values.sorted { $0.chunk < $1.chunk }
            )
            #expect(found == expected.sorted(), "seed \(seed)")
        }
    }

    @Test("An identity survives being written and read; any changed byte is noticed")
    func identity() throws {
        let identity = NodeIdentity(cluster: ClusterID(0xABCD), node: NodeID(12))
        #expect(try NodeIdentity(parsing: identity.encoded) == identity)
        for index in identity.encoded.indices {
            var bytes = identity.encoded
            bytes[index] ^= 0x04
            #expect(throws: NodeIdentity.ParseError.self) { try NodeIdentity(parsing: bytes) }
        }
        #expect(throws: NodeIdentity.ParseError.self) { try NodeIdentity(parsing: []) }
    }

    @Test("Progress: a chunk is current once fetched, or compared and found equal, and not before")
    func progress() {
        var map = AdmissionTests.map(5, .syncing, changedAt: 5)
        var progress = ResyncProgress()
        #expect(progress.update(map, node: AdmissionTests.me) == [PartitionID(0)])
        let partition = PartitionID(0)
        let chunks = (0..<6 as Range<UInt32>).map { ChunkID(data: DataID(1), index: $0) }
        #expect(!progress.isCurrent(chunks[0], in: partition))
        progress.markCurrent(chunks[4], in: partition)
        #expect(progress.isCurrent(chunks[4], in: partition))
        #expect(progress.advance(partition, to: chunks[2], different: [chunks[1]]) == [chunks[1]])
        #expect(progress.isCurrent(chunks[0], in: partition))
        #expect(!progress.isCurrent(chunks[1], in: partition))
        #expect(!progress.isCurrent(chunks[3], in: partition))
        #expect(!progress.hasFetchedAll(partition))
        progress.markCurrent(chunks[1], in: partition)
        #expect(progress.hasFetchedAll(partition) && !progress.isCaughtUp(partition))
        // Fetched ahead by a write: its older difference does not count.
        #expect(progress.advance(partition, to: nil, different: [chunks[4], chunks[5]]) == [chunks[5]])
        progress.markCurrent(chunks[5], in: partition)
        #expect(progress.isCaughtUp(partition))
        // Unrelated changes of the map leave it alone, one of the partition starts it again.
        map.epoch = Epoch(6)
        #expect(progress.update(map, node: AdmissionTests.me).isEmpty && progress.isCaughtUp(partition))
        map.partitions[0].changedAt = Epoch(7)
        #expect(progress.update(map, node: AdmissionTests.me) == [partition])
        #expect(!progress.isCurrent(chunks[0], in: partition))
    }

    @Test("A work thread runs everything that was submitted, in order, before it ends")
    func workThread() {
        let thread = WorkThread()
        let seen = Mutex<[Int]>([])
        for index in 0..<10_000 { thread.submit { seen.withLock { $0.append(index) } } }
        thread.close()
        #expect(seen.withLock { $0 } == Array(0..<10_000))
    }

    @Test("Payload buffers come back to the pool, which keeps no more than its bound")
    func payloads() {
        let pool = PayloadPool(idleBytesMax: 8192)
        let bytes = [UInt8](repeating: 7, count: 5000)
        for _ in 0..<3 {
            let payload = bytes.withUnsafeBytes { pool.copy($0) }
            #expect(payload.bytes.elementsEqual(bytes))
            #expect(pool.lentBytes == 8192)
        }
        #expect(pool.lentBytes == 0)
    }
}
