import ShoalTypes

extension NamespaceTransaction {
    /// Forgets up to `limit` uploads of a session that has ended, and queues their chunks.
    /// - Returns: how many; fewer than `limit` means that none are left.
    package mutating func abandonUploads(of session: SessionID, limit: Int = 256) throws(MetadataError) -> Int {
        var uploads: [(DataID, UploadRecord)] = []
        let range = Keys.range(.upload, session.rawValue)
        try scan(from: range.lower, to: range.upper) { key, value throws(MetadataError) in
            uploads.append((DataID(Keys.field(key, at: 9)), try UploadRecord(stored: value)))
            return uploads.count < limit
        }
        for (data, upload) in uploads { abandon(upload, session, data) }
        return uploads.count
    }

    mutating func abandon(_ upload: UploadRecord, _ session: SessionID, _ data: DataID) {
        delete(Keys.upload(session, data))
        let content = FileAttributes(size: upload.size, data: data, chunkBytesLog2: upload.chunkBytesLog2)
        reclaim(content)
    }
}
