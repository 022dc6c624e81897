import ShoalTypes

/// The keys of the index; big-endian numbers, so that they sort as the numbers do. The table is in
/// docs/formats/chunk-store.md.
///
/// ```
/// tag u8, partition u16, dataID u64, index u32 [, region u16]
/// ```
enum IndexKey {
    enum Tag: UInt8 {
        /// Region 0 is the chunk's header, region n + 1 the checksums of its blocks 64 n ..< 64 (n + 1).
        case chunk = 1
        /// The bytes of a small chunk; no region.
        case inline = 2
        /// A dirty mark of one region.
        case mark = 3
        /// A file that is being created or deleted; no region.
        case file = 4
        /// How many chunks a shard has added; the key is the tag and the shard's number, u16.
        case count = 5
    }

    private static func key(_ tag: Tag, _ partition: PartitionID, _ chunk: ChunkID, region: UInt16?) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 17) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            raw[0] = tag.rawValue
            raw.storeBytes(of: partition.rawValue.bigEndian, toByteOffset: 1, as: UInt16.self)
            raw.storeBytes(of: chunk.data.rawValue.bigEndian, toByteOffset: 3, as: UInt64.self)
            raw.storeBytes(of: chunk.index.bigEndian, toByteOffset: 11, as: UInt32.self)
            count = 15
            if let region {
                raw.storeBytes(of: region.bigEndian, toByteOffset: 15, as: UInt16.self)
                count = 17
            }
        }
    }

    static func header(_ chunk: ChunkID, in partition: PartitionID) -> [UInt8] {
        key(.chunk, partition, chunk, region: 0)
    }
    static func region(_ region: Int, of chunk: ChunkID, in partition: PartitionID) -> [UInt8] {
        key(.chunk, partition, chunk, region: UInt16(region + 1))
    }
    /// Past the last region of the chunk.
    static func regionsEnd(of chunk: ChunkID, in partition: PartitionID) -> [UInt8] {
        key(.chunk, partition, chunk, region: UInt16.max)
    }
    static func inline(_ chunk: ChunkID, in partition: PartitionID) -> [UInt8] {
        key(.inline, partition, chunk, region: nil)
    }
    static func mark(_ region: Int, of chunk: ChunkID, in partition: PartitionID) -> [UInt8] {
        key(.mark, partition, chunk, region: UInt16(region))
    }
    static func file(_ chunk: ChunkID, in partition: PartitionID) -> [UInt8] {
        key(.file, partition, chunk, region: nil)
    }
    static func count(shard: Int) -> [UInt8] {
        [Tag.count.rawValue, UInt8(truncatingIfNeeded: shard >> 8), UInt8(truncatingIfNeeded: shard)]
    }
    static func decodeCount(_ key: UnsafeRawBufferPointer) -> Int? {
        key.count == 3 ? Int(key[1]) << 8 | Int(key[2]) : nil
    }
    /// The keys with this tag are `all(tag) ..< end(tag)`.
    static func all(_ tag: Tag) -> [UInt8] { [tag.rawValue] }
    static func end(_ tag: Tag) -> [UInt8] { [tag.rawValue + 1] }
    /// Before the first key of a partition's chunks.
    static func partition(_ partition: PartitionID) -> [UInt8] {
        [Tag.chunk.rawValue, UInt8(partition.rawValue >> 8), UInt8(truncatingIfNeeded: partition.rawValue)]
    }
    /// After the last key of a partition's chunks.
    static func partitionEnd(_ partition: PartitionID) -> [UInt8] {
        partition.rawValue == UInt16.max ? end(.chunk) : self.partition(partition.next)
    }

    /// The parts of a chunk's key; the region is nil where the key has none.
    static func decode(_ key: UnsafeRawBufferPointer) -> (partition: PartitionID, chunk: ChunkID, region: Int?)? {
        guard key.count == 15 || key.count == 17 else { return nil }
        let partition = PartitionID(UInt16(bigEndian: key.loadUnaligned(fromByteOffset: 1, as: UInt16.self)))
        let data = DataID(UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 3, as: UInt64.self)))
        let index = UInt32(bigEndian: key.loadUnaligned(fromByteOffset: 11, as: UInt32.self))
        let region =
            key.count == 17 ? Int(UInt16(bigEndian: key.loadUnaligned(fromByteOffset: 15, as: UInt16.self))) : nil
        return (partition, ChunkID(data: data, index: index), region)
    }
}
