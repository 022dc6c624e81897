import ShoalTypes

extension ChunkIndex {
    /// The chunks of one data ID with an index in `indices`, of the given partitions, ascending; at most about `limit`.
    func list(
        _ data: DataID, _ indices: Range<UInt32>, in partitions: [PartitionID], limit: Int
    ) throws(ChunkStoreError) -> ChunkList {
        var list = ChunkList()
        if indices.isEmpty || partitions.isEmpty { return list }
        // Chunks are spread evenly, so a partition with far more than its share is one to stop at.
        let share = max(16, limit / partitions.count * 2)
        var end = indices.upperBound
        for partition in partitions {
            let (found, stop) = try listOne(data, indices.lowerBound..<end, in: partition, limit: share)
            list.entries += found
            if let stop { end = min(end, stop) }
        }
        list.entries.sort { $0.index < $1.index }
        if list.entries.count > limit { end = min(end, list.entries[limit].index) }
        if let cut = list.entries.firstIndex(where: { $0.index >= end }) {
            list.entries.removeLast(list.entries.count - cut)
        }
        list.next = end < indices.upperBound ? end : nil
        return list
    }

    private func listOne(
        _ data: DataID, _ indices: Range<UInt32>, in partition: PartitionID, limit: Int
    ) throws(ChunkStoreError) -> ([ChunkList.Entry], stop: UInt32?) {
        var entries: [ChunkList.Entry] = []
        var stop: UInt32?
        var blockCount = 0
        var damaged: ChunkStoreError?
        try scan(
            from: IndexKey.header(ChunkID(data: data, index: indices.lowerBound), in: partition),
            to: IndexKey.header(ChunkID(data: data, index: indices.upperBound), in: partition)
        ) { key, value in
            guard let (_, chunk, region) = IndexKey.decode(key), let region else { return true }
            if region > 0 {
                guard let last = entries.indices.last, entries[last].index == chunk.index else { return true }
                let blocks = Checksums.blocks(ofRegion: region - 1, blockCount: blockCount)
                var checksums: [UInt32] = []
                if let word = RegionRecord.decode(value, count: blocks.count, to: &checksums) {
                    entries[last].allocatedBlocks -= UInt32(word.nonzeroBitCount)
                }
                return true
            }
            guard entries.count < limit else {
                stop = chunk.index
                return false
            }
            guard let header = ChunkHeader(value) else {
                damaged = .corrupt(chunk, detail: "its header cannot be read")
                return false
            }
            blockCount = header.blockCount
            entries.append(ChunkList.Entry(index: chunk.index, allocatedBlocks: UInt32(header.allocatedBlocks)))
            return true
        }
        if let damaged { throw damaged }
        return (entries, stop)
    }
}
