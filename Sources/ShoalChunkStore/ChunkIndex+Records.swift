import ShoalTypes

extension ChunkIndex {
    /// Up to `limit` chunks of a partition after `after`, each as it is at one moment.
    func records(_ partition: PartitionID, after: ChunkID?, limit: Int) throws(ChunkStoreError) -> [ChunkRecord] {
        var records: [ChunkRecord] = []
        var open: (chunk: ChunkID, header: ChunkHeader, checksums: [UInt32])?
        var damaged: ChunkStoreError?
        func finish() {
            guard let done = open else { return }
            open = nil
            guard done.checksums.count == done.header.blockCount else {
                damaged = .corrupt(
                    done.chunk, detail: "\(done.checksums.count) checksums for \(done.header.blockCount) blocks")
                return
            }
            records.append(ChunkRecord(chunk: done.chunk, header: done.header, checksums: done.checksums))
        }
        let lower = after.map { IndexKey.regionsEnd(of: $0, in: partition) } ?? IndexKey.partition(partition)
        try scan(from: lower, to: IndexKey.partitionEnd(partition)) { key, value in
            guard let (_, chunk, region) = IndexKey.decode(key), let region else { return true }
            if region > 0 {
                guard var same = open, same.chunk == chunk else { return true }
                open = nil  // so that `same` has the only reference to the checksums
                _ = same.header.append(region: value, to: &same.checksums)
                open = same
                return true
            }
            finish()
            if damaged != nil || records.count >= limit { return false }
            guard let header = ChunkHeader(value) else {
                damaged = .corrupt(chunk, detail: "its header cannot be read")
                return false
            }
            var checksums: [UInt32] = []
            if !header.isFile {
                header.appendInline(value, to: &checksums)
            }
            open = (chunk, header, checksums)
            return true
        }
        if records.count < limit { finish() }
        if let damaged { throw damaged }
        return records
    }
}
