import ShoalChecksum
import ShoalTypes

extension Shard {
    /// Fills `buffer` from `offset`, with what the chunk has there; bytes are not verified here. Returns the bytes
    /// filled.
    func read(
        _ chunk: ChunkID, in partition: PartitionID, offset: Int, into buffer: UnsafeMutableRawBufferPointer,
        checksums: inout [UInt32]
    ) throws(ChunkStoreError) -> Int {
        checksums.removeAll(keepingCapacity: true)
        guard offset >= 0, offset % Geometry.blockBytes == 0, buffer.count % Geometry.blockBytes == 0 else {
            throw .badRange
        }
        switch try find(chunk, in: partition) {
        case .absent:
            return 0
        case .inline(let header, let all):
            let bytes = try inlineBytes(chunk, in: partition)
            let target = range(offset, buffer, header, all, &checksums)
            let present = bytes.withUnsafeBytes { bytes in
                let part = UnsafeRawBufferPointer(rebasing: bytes[min(offset, bytes.count)...].prefix(target.count))
                target.copyMemory(from: part)
                return part.count
            }
            zero(target[present...])
            return target.count
        case .file(let open):
            let target = range(offset, buffer, open.header, open.checksums, &checksums)
            if target.isEmpty { return 0 }
            let present: Int
            do throws(DiskError) { present = try open.file.read(at: offset, into: target) } catch {
                throw ChunkStoreError(error)
            }
            // A file that is too short fails its checksums, like any other wrong bytes.
            zero(target[present...])
            return target.count
        }
    }

    /// The part of `buffer` that lies inside the chunk; appends its checksums.
    private func range(
        _ offset: Int, _ buffer: UnsafeMutableRawBufferPointer, _ header: ChunkHeader, _ all: [UInt32],
        _ checksums: inout [UInt32]
    ) -> UnsafeMutableRawBufferPointer {
        let count = max(0, min(buffer.count, header.length - offset))
        if count > 0 {
            let first = offset / Geometry.blockBytes
            checksums.append(contentsOf: all[first..<first + count / Geometry.blockBytes])
        }
        return UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
    }

    private func zero(_ rest: Slice<UnsafeMutableRawBufferPointer>) {
        UnsafeMutableRawBufferPointer(rebasing: rest).initializeMemory(as: UInt8.self, repeating: 0)
    }

    func stat(_ chunk: ChunkID, in partition: PartitionID) throws(ChunkStoreError) -> ChunkRecord? {
        let found: (header: ChunkHeader, checksums: [UInt32])?
        if let open = cache.find(chunk) {
            found = (open.header, open.checksums)
        } else {
            found = try lookUp(chunk, in: partition)
        }
        guard let found else { return nil }
        return ChunkRecord(chunk: chunk, header: found.header, checksums: found.checksums)
    }

    func layout(_ chunk: ChunkID, in partition: PartitionID) throws(ChunkStoreError) -> ChunkLayout? {
        if let open = cache.find(chunk) {
            return ChunkLayout(blockCount: open.header.blockCount, holes: open.header.holes)
        }
        guard let (header, _) = try lookUp(chunk, in: partition) else { return nil }
        return ChunkLayout(blockCount: header.blockCount, holes: header.holes)
    }

    /// Reads the whole chunk; the byte ranges of the blocks that do not match their checksums. All of it if the file is
    /// missing.
    func verify(_ chunk: ChunkID, in partition: PartitionID) throws(ChunkStoreError) -> [Range<Int>] {
        guard let record = try lookUp(chunk, in: partition) else { return [] }
        var bad: [Range<Int>] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(record.0.length, Geometry.requestBytesMax), alignment: Geometry.blockBytes)
        defer { buffer.deallocate() }
        var checksums: [UInt32] = []
        for offset in stride(from: 0, to: record.0.length, by: buffer.count) {
            do throws(ChunkStoreError) {
                _ = try read(chunk, in: partition, offset: offset, into: buffer, checksums: &checksums)
            } catch {
                guard case .corrupt = error else { throw error }
                return [0..<record.0.length]
            }
            for (block, expected) in checksums.enumerated() {
                let lower = block * Geometry.blockBytes
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[lower..<lower + Geometry.blockBytes])
                if CRC32C.checksum(bytes) == expected { continue }
                let range = offset + lower..<offset + lower + Geometry.blockBytes
                if let last = bad.last, last.upperBound == range.lowerBound {
                    bad[bad.count - 1] = last.lowerBound..<range.upperBound
                } else {
                    bad.append(range)
                }
            }
        }
        return bad
    }
}

extension ChunkRecord {
    init(chunk: ChunkID, header: ChunkHeader, checksums: [UInt32]) {
        self.init(
            chunk: chunk, version: header.version, sequence: header.sequence, length: header.length,
            checksum: Checksums.digest(checksums), chunkBytesLog2: header.chunkBytesLog2)
    }
}
