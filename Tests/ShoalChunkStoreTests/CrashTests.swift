import ShoalChunkStore
import ShoalSimulation
import ShoalTypes
import Testing
import ShoalTestSupport

@Suite("Chunk store: crashes")
struct CrashTests {
    @Test(
        "after any crash, synced bytes are there, unsynced sectors are old or new, and every checksum fits",
        arguments: seeds(250))
    func randomOperations(seed: UInt64) throws {
        var run = try RandomRun(seed: seed)
        for _ in 0..<120 { try run.step() }
        run.fixture.power.arm(after: nil)
        try run.checkAll()
    }
}

/// Random operations on a simulated machine, each checked against the model.
struct RandomRun {
    static let chunkLog2: UInt8 = 19
    let seed: UInt64
    let fixture: StoreFixture
    var random: SeededGenerator
    var models: [ChunkID: ChunkModel]
    let chunks: [ChunkID]
    var stamp: UInt64 = 1
    var now: Int64 = 0
    var steps = 0
    var lossUnreported = false
    var trace: [String] = []

    init(seed: UInt64) throws {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        fixture = try StoreFixture(sectorBytes: seed % 2 == 0 ? 512 : 4096)
        chunks = (1...6).map { ChunkID($0) }
        models = Dictionary(uniqueKeysWithValues: chunks.map { ($0, ChunkModel()) })
    }

    mutating func step() throws {
        steps += 1
        if Int.random(in: 0..<8, using: &random) == 0 {
            fixture.power.arm(after: Int.random(in: 0..<40, using: &random))
        }
        do {
            try act()
            if Int.random(in: 0..<12, using: &random) == 0 { try crash() }
        } catch  where fixture.power.isOff {
            try crash()
        }
    }

    private mutating func act() throws {
        let chunk = chunks.randomElement(using: &random)!
        stamp += 1
        trace.append("\(steps)")
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<37: try write(chunk)
        case 37..<45: try punch(chunk)
        case 45..<55:
            let length = Int.random(in: 0...(1 << 19) / blockBytes, using: &random) * blockBytes
            models[chunk]!.attempt(ChunkModel.truncate(length))
            trace.append("truncate \(chunk) \(length)")
            try fixture.store.truncate(
                chunk, in: chunk.partition, length: length, version: stamp, sequence: LeaseSequence(1))
        case 55..<60:
            models[chunk]!.attempt(ChunkModel.truncate(0))
            trace.append("delete \(chunk)")
            try fixture.store.delete(chunk, in: chunk.partition)
        case 60..<72:
            trace.append("sync \(chunk)")
            try fixture.store.sync(chunk)
            models[chunk]!.settle()
        case 72..<76:
            trace.append("sync all")
            try fixture.store.sync(chunks.map { ($0, $0.partition) })
            for chunk in chunks { models[chunk]!.settle() }
        case 76..<88:
            trace.append("check \(chunk)")
            try check(chunk)
        case 88..<98:
            now += Int64.random(in: 0...2, using: &random)
            trace.append("maintain \(now)")
            _ = try fixture.store.maintain(now: MonotonicInstant(now * 1_000_000_000))
        default:
            trace.append("close")
            try fixture.closeAndReopen()
            for chunk in chunks { models[chunk]!.settle() }
        }
    }

    private mutating func write(_ chunk: ChunkID) throws {
        let total = (1 << Int(Self.chunkLog2)) / blockBytes
        let count = [1, 1, 2, 8, 20, 64].randomElement(using: &random)!
        let first = Bool.random(using: &random) ? 0 : Int.random(in: 0...total - count, using: &random)
        trace.append("write \(chunk) \(first)+\(count) stamp \(stamp)")
        models[chunk]!.attempt(ChunkModel.write(offset: first * blockBytes, count: count * blockBytes, stamp: stamp))
        try fixture.store.write(
            chunk, at: first * blockBytes, blocks(count, stamp: stamp), log2: Self.chunkLog2, version: stamp)
    }

    private mutating func punch(_ chunk: ChunkID) throws {
        let total = (1 << Int(Self.chunkLog2)) / blockBytes
        let count = [1, 2, 8, 20, 64, total].randomElement(using: &random)!
        let first = Bool.random(using: &random) ? 0 : Int.random(in: 0...total - count, using: &random)
        trace.append("punch \(chunk) \(first)+\(count)")
        models[chunk]!.attempt(ChunkModel.punch(offset: first * blockBytes, count: count * blockBytes))
        try fixture.store.punch(
            chunk, in: chunk.partition, offset: first * blockBytes, length: count * blockBytes, version: stamp,
            sequence: LeaseSequence(1))
    }

    /// Loses power, or only the process, at this moment; then everything must be as the model allows.
    private mutating func crash() throws {
        // In the middle of an operation only a loss of power is simulated: a process does not die between two sectors.
        let isKill = !fixture.power.isOff && Bool.random(using: &random)
        trace.append(isKill ? "kill" : "lose power")
        fixture.power.arm(after: nil)
        if isKill {
            try fixture.kill()
            #expect(fixture.store.wasShutDownCleanlyOrSameBoot == !lossUnreported)
            try checkAll()
            for chunk in chunks { models[chunk]!.settle() }
            return
        }
        func keep() -> Double { [0, 0.5, 0.9, 1].randomElement(using: &random)! }
        // The power may fail again while the store recovers.
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            try fixture.losePower(
                keep: keep(), using: &random, cutRecoveryAfter: Int.random(in: 0..<15, using: &random))
        }
        try fixture.losePower(keep: keep(), using: &random)
        // Intact after all: the power failed between a clean end and the next start.
        let isIntact = fixture.store.wasShutDownCleanlyOrSameBoot
        #expect(!(isIntact && lossUnreported), "seed \(seed): a loss is forgotten")
        lossUnreported = !isIntact
        for chunk in chunks {
            let found = try read(chunk)
            try #require(
                models[chunk]!.allows(found),
                "seed \(seed): chunk \(chunk) after a crash: \(difference(chunk, found)) \(trace.suffix(60))")
            if isIntact { try #require(found == models[chunk]!.current, "seed \(seed): lost, but said to be intact") }
            models[chunk]!.adopt(found)
        }
        if lossUnreported && Bool.random(using: &random) {
            try fixture.store.confirmLossReported()
            lossUnreported = false
        }
    }

    private func difference(_ chunk: ChunkID, _ found: ChunkModel.State) -> String {
        let states = models[chunk]!.states
        func stamp(_ state: ChunkModel.State, _ sector: Int) -> UInt64 { sector < state.count ? state[sector] : 0 }
        let wrong = found.indices.first { sector in !states.contains { stamp($0, sector) == found[sector] } }
        guard let wrong else { return "length \(found.count) of \(states.map(\.count))" }
        return "sector \(wrong) holds \(found[wrong]) of \(states.map { stamp($0, wrong) })"
    }

    private func read(_ chunk: ChunkID) throws -> ChunkModel.State {
        let (bytes, bad) = try fixture.store.readAll(chunk, count: 1 << 19)
        try #require(
            bad == nil, "seed \(seed): chunk \(chunk) block \(bad ?? 0) fails its checksum: \(trace.suffix(60))")
        return try #require(ChunkModel.stamps(of: bytes), "seed \(seed): chunk \(chunk) holds a mixed sector")
    }

    private func check(_ chunk: ChunkID) throws {
        let found = try read(chunk)
        try #require(
            found == models[chunk]!.current, "seed \(seed): chunk \(chunk) reads wrong: \(trace.suffix(60))")
        let record = try fixture.store.stat(chunk, in: chunk.partition)
        try #require((record?.length ?? 0) == found.count * ChunkModel.sectorBytes)
        // No block with content counts as a hole.
        guard let layout = try fixture.store.layout(chunk, in: chunk.partition) else { return }
        let sectors = blockBytes / ChunkModel.sectorBytes
        for block in 0..<layout.blockCount where layout.holes.contains(block) {
            try #require(found[block * sectors..<(block + 1) * sectors].allSatisfy { $0 == 0 }, "seed \(seed)")
        }
    }

    func checkAll() throws {
        for chunk in chunks { try check(chunk) }
        let existing = chunks.filter { !models[$0]!.current.isEmpty }
        try #require(try fixture.store.usage().chunks == UInt64(existing.count), "seed \(seed): wrong count")
        for partition in 0..<4 {
            let partition = PartitionID(UInt16(partition))
            let listed = try fixture.store.scan(partition, after: nil, limit: 100)
            try #require(listed.map(\.chunk) == existing.filter { $0.partition == partition })
        }
    }
}
