import ShoalTypes

/// The index's record of a chunk.
///
/// Value, little-endian, 24 bytes: format u8 (1), kind u8 (0 inline, 1 file), chunkBytesLog2 u8, zero u8, length u32,
/// version u64, sequence u64. An inline chunk's block checksums follow, u32 each, and, if it has holes, their word, u64.
/// A file's holes are in its regions' records.
struct ChunkHeader: Equatable {
    static let bytes = 24
    private static let format: UInt8 = 1

    var isFile: Bool
    var chunkBytesLog2: UInt8
    /// Bytes, whole blocks, never 0.
    var length: Int
    var version: UInt64
    var sequence: LeaseSequence
    var holes = HoleMap()

    /// Blocks that take space.
    var allocatedBlocks: Int { blockCount - holes.count }
    var blockCount: Int { length / Geometry.blockBytes }

    func encoded(inlineChecksums: [UInt32] = []) -> [UInt8] {
        let word = isFile ? 0 : holes[region: 0]
        let count = Self.bytes + inlineChecksums.count * 4 + (word == 0 ? 0 : 8)
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            raw[0] = Self.format
            raw[1] = isFile ? 1 : 0
            raw[2] = chunkBytesLog2
            raw[3] = 0
            raw.storeBytes(of: UInt32(length).littleEndian, toByteOffset: 4, as: UInt32.self)
            raw.storeBytes(of: version.littleEndian, toByteOffset: 8, as: UInt64.self)
            raw.storeBytes(of: sequence.rawValue.littleEndian, toByteOffset: 16, as: UInt64.self)
            Checksums.store(inlineChecksums[...], to: raw, at: Self.bytes)
            if word != 0 {
                raw.storeBytes(of: word.littleEndian, toByteOffset: count - 8, as: UInt64.self)
            }
            initialized = count
        }
    }

    /// nil if the value is not a header of this format.
    init?(_ value: UnsafeRawBufferPointer) {
        guard value.count >= Self.bytes, value[0] == Self.format, value[1] <= 1, value[3] == 0 else { return nil }
        isFile = value[1] == 1
        chunkBytesLog2 = value[2]
        length = Int(UInt32(littleEndian: value.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        version = UInt64(littleEndian: value.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        sequence = LeaseSequence(UInt64(littleEndian: value.loadUnaligned(fromByteOffset: 16, as: UInt64.self)))
        guard Geometry.chunkBytesLog2Range.contains(chunkBytesLog2), length > 0, length % Geometry.blockBytes == 0,
            length <= 1 << Int(chunkBytesLog2)
        else { return nil }
        let plain = Self.bytes + (isFile ? 0 : blockCount * 4)
        if value.count == plain { return }
        guard !isFile, value.count == plain + 8, blockCount <= Checksums.regionBlocks else { return nil }
        holes[region: 0] = UInt64(littleEndian: value.loadUnaligned(fromByteOffset: plain, as: UInt64.self))
    }

    init(isFile: Bool, chunkBytesLog2: UInt8, length: Int, version: UInt64, sequence: LeaseSequence) {
        self.isFile = isFile
        self.chunkBytesLog2 = chunkBytesLog2
        self.length = length
        self.version = version
        self.sequence = sequence
    }
}
