import Glibc
import ShoalChecksum
import ShoalChunkStore
import ShoalKeyValue
import ShoalSimulation
import ShoalTypes
import Synchronization
import Testing
import ShoalTestSupport

let blockBytes = Geometry.blockBytes

/// A chunk store on a simulated machine.
final class StoreFixture {
    let power = Power()
    let disk: SimulatedDisk
    let index: SimulatedIndex
    let limits: ChunkStoreLimits
    private(set) var store: ChunkStore
    let events = EventLog()

    init(limits: ChunkStoreLimits = .simulation, sectorBytes: Int = 512) throws {
        disk = SimulatedDisk(power: power, sectorBytes: sectorBytes)
        index = SimulatedIndex(power: power)
        self.limits = limits
        store = try Self.open(disk, index, limits, events)
    }

    private static func open(
        _ disk: SimulatedDisk, _ index: SimulatedIndex, _ limits: ChunkStoreLimits, _ events: EventLog
    ) throws(ChunkStoreError) -> ChunkStore {
        try ChunkStore.open(
            directory: "/store", limits: limits, disk: disk,
            openIndex: { (_) throws(KeyValueError) in try index.open() }, report: { events.add($0) })
    }

    func reopen() throws { store = try Self.open(disk, index, limits, events) }

    func losePower(keep: Double, using random: inout SeededGenerator) throws {
        try disk.losePower(keep: keep, using: &random)
        index.losePower(keep: keep, using: &random)
        try reopen()
    }

    /// The same, but the power fails again after some changes that recovery makes.
    func losePower(keep: Double, using random: inout SeededGenerator, cutRecoveryAfter changes: Int) throws {
        try disk.losePower(keep: keep, using: &random)
        index.losePower(keep: keep, using: &random)
        power.arm(after: changes)
        do {
            try reopen()
        } catch {
            guard power.isOff else { throw error }
        }
    }

    func kill() throws {
        try disk.killProcess()
        try reopen()
    }

    func closeAndReopen() throws {
        try store.close()
        try reopen()
    }
}

final class EventLog: Sendable {
    private let events = Mutex<[ChunkStoreEvent]>([])
    func add(_ event: ChunkStoreEvent) { events.withLock { $0.append(event) } }
    var all: [ChunkStoreEvent] { events.withLock { $0 } }
    /// Starts that found the store not closed.
    var recoveries: Int {
        all.count { event in
            if case .recovered = event { true } else { false }
        }
    }
}

extension ChunkID {
    init(_ data: UInt64, _ index: UInt32 = 0) { self.init(data: DataID(data), index: index) }
    var partition: PartitionID { PartitionID(UInt16(placementHash % 4)) }
}

extension ChunkStore {
    func write(
        _ chunk: ChunkID, at offset: Int, _ bytes: [UInt8], log2: UInt8 = 20, version: UInt64 = 1, sequence: UInt64 = 1
    ) throws {
        _ = try writing(chunk, at: offset, bytes, log2: log2, version: version, sequence: sequence)
    }

    /// As `write`, with the blocks of the chunk that take space then.
    func writing(
        _ chunk: ChunkID, at offset: Int, _ bytes: [UInt8], log2: UInt8 = 20, version: UInt64 = 1, sequence: UInt64 = 1
    ) throws -> Int {
        try bytes.withUnsafeBytes { bytes in
            try write(
                chunk, in: chunk.partition, chunkBytesLog2: log2, offset: offset, bytes: bytes,
                checksums: CRC32C.blocks(of: bytes, blockBytes: blockBytes), version: version,
                sequence: LeaseSequence(sequence))
        }
    }

    /// The chunk's bytes from `offset`, and the index of the first block that does not match its checksum.
    func readAll(_ chunk: ChunkID, offset: Int = 0, count: Int = 1 << 20) throws -> (bytes: [UInt8], bad: Int?) {
        var bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            memset(buffer.baseAddress!, 0xEE, count)
            initialized = count
        }
        var checksums: [UInt32] = []
        let filled = try bytes.withUnsafeMutableBytes {
            try read(chunk, in: chunk.partition, offset: offset, into: $0, checksums: &checksums)
        }
        bytes.removeLast(count - filled)
        let bad = bytes.withUnsafeBytes { CRC32C.firstMismatch(in: $0, blockBytes: blockBytes, checksums: checksums) }
        return (bytes, bad)
    }

    func sync(_ chunk: ChunkID) throws { try sync([(chunk, chunk.partition)]) }
}

/// `count` blocks whose every 8 bytes are `stamp`.
func blocks(_ count: Int, stamp: UInt64) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count * blockBytes) { buffer, initialized in
        UnsafeMutableRawBufferPointer(buffer).withMemoryRebound(to: UInt64.self) { $0.update(repeating: stamp) }
        initialized = count * blockBytes
    }
}

/// The seed of a random test: SHOAL_TEST_SEED, or a fixed one for each case.
func seeds(_ count: Int) -> [UInt64] {
    if let seed = requestedSeed() { return [seed] }
    return (1...UInt64(count)).map { $0 }
}
