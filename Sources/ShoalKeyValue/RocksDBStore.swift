import CRocksDB

/// The production engine: RocksDB with its write-ahead log on.
///
/// A commit returns when the log record is in the kernel, so it survives the end of the process; `sync()` brings the
/// log to the disk. After a loss of power the store comes back as some prefix of its commits that contains every synced
/// one: a torn log tail is dropped (point-in-time recovery).
package final class RocksDBStore: KeyValueStore, @unchecked Sendable {
    // RocksDB handles may be used from any thread, and nothing here changes after init except in `close`, which the
    // owner calls once, after its last use of the store.
    private var database: OpaquePointer?
    private let options: OpaquePointer
    private let cache: OpaquePointer
    private let read: OpaquePointer
    private let write: OpaquePointer
    private let writeSynced: OpaquePointer

    /// Opens or creates the database in `directory`, whose parent must exist.
    /// - Throws: `.locked` if another process, or this one, has it open.
    package init(directory: String, options limits: RocksDBOptions = .metadata) throws(KeyValueError) {
        cache = rocksdb_cache_create_lru(limits.blockCacheBytes)
        options = Self.makeOptions(limits, cache: cache)
        read = rocksdb_readoptions_create()
        write = rocksdb_writeoptions_create()
        writeSynced = rocksdb_writeoptions_create()
        rocksdb_writeoptions_set_sync(writeSynced, 1)
        do throws(KeyValueError) {
            database = try Self.checked { rocksdb_open(self.options, directory, &$0) }
        } catch {
            destroyOptions()
            throw error
        }
    }

    deinit { close() }

    private var handle: OpaquePointer {
        guard let database else { preconditionFailure("the store is used after close()") }
        return database
    }

    package func get(_ key: [UInt8]) throws(KeyValueError) -> [UInt8]? {
        let slice = try key.withUnsafeCharacters { (base, count) throws(KeyValueError) in
            try Self.checked { rocksdb_get_pinned(handle, read, base, count, &$0) }
        }
        guard let slice else { return nil }
        defer { rocksdb_pinnableslice_destroy(slice) }
        var count = 0
        let value = rocksdb_pinnableslice_value(slice, &count)
        return Array(UnsafeRawBufferPointer(start: value, count: count))
    }

    package func scan(
        from lower: [UInt8], to upper: [UInt8], _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(KeyValueError) {
        let bounds = rocksdb_readoptions_create()
        defer { rocksdb_readoptions_destroy(bounds) }
        // The iterator keeps a pointer to the upper bound: both stay inside the closure.
        try upper.withUnsafeCharacters { (base, count) throws(KeyValueError) in
            rocksdb_readoptions_set_iterate_upper_bound(bounds, base, count)
            let iterator = rocksdb_create_iterator(handle, bounds)
            defer { rocksdb_iter_destroy(iterator) }
            lower.withUnsafeCharacters { rocksdb_iter_seek(iterator, $0, $1) }
            while rocksdb_iter_valid(iterator) != 0 {
                var keyCount = 0
                var valueCount = 0
                let key = rocksdb_iter_key(iterator, &keyCount)
                let value = rocksdb_iter_value(iterator, &valueCount)
                let proceed = body(
                    UnsafeRawBufferPointer(start: key, count: keyCount),
                    UnsafeRawBufferPointer(start: value, count: valueCount))
                if !proceed { break }
                rocksdb_iter_next(iterator)
            }
            try Self.checked { rocksdb_iter_get_error(iterator, &$0) }
        }
    }

    package func commit(_ batch: WriteBatch, sync: Bool) throws(KeyValueError) {
        let native = rocksdb_writebatch_create()
        defer { rocksdb_writebatch_destroy(native) }
        for change in batch.changes {
            switch change {
            case .put(let key, let value):
                key.withUnsafeCharacters { keyBase, keyCount in
                    value.withUnsafeCharacters { rocksdb_writebatch_put(native, keyBase, keyCount, $0, $1) }
                }
            case .delete(let key):
                key.withUnsafeCharacters { rocksdb_writebatch_delete(native, $0, $1) }
            }
        }
        try Self.checked { rocksdb_write(handle, sync ? writeSynced : write, native, &$0) }
    }

    package func sync() throws(KeyValueError) {
        try Self.checked { rocksdb_flush_wal(handle, 1, &$0) }
    }

    package func close() {
        guard let database else { return }
        self.database = nil
        rocksdb_close(database)
        destroyOptions()
    }

    /// Bytes of memory that RocksDB says it uses: block cache, memtables and table readers.
    package var memoryBytes: Int {
        let properties = ["rocksdb.cur-size-all-mem-tables", "rocksdb.estimate-table-readers-mem"]
        return properties.reduce(Int(rocksdb_cache_get_usage(cache))) { sum, name in
            var value: UInt64 = 0
            return rocksdb_property_int(handle, name, &value) == 0 ? sum + Int(value) : sum
        }
    }

    private func destroyOptions() {
        rocksdb_readoptions_destroy(read)
        rocksdb_writeoptions_destroy(write)
        rocksdb_writeoptions_destroy(writeSynced)
        rocksdb_options_destroy(options)
        rocksdb_cache_destroy(cache)
    }
}

extension [UInt8] {
    /// The bytes as C `char`s.
    fileprivate func withUnsafeCharacters<Result, Failure: Error>(
        _ body: (UnsafePointer<CChar>?, Int) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafeBufferPointer { (bytes) throws(Failure) in
            try bytes.withMemoryRebound(to: CChar.self) { (characters) throws(Failure) in
                try body(characters.baseAddress, characters.count)
            }
        }
    }
}
