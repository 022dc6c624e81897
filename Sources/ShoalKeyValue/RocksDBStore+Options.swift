import CRocksDB
import Glibc

extension RocksDBStore {
    static func makeOptions(_ limits: RocksDBOptions, cache: OpaquePointer) -> OpaquePointer {
        let options: OpaquePointer = rocksdb_options_create()
        rocksdb_options_set_create_if_missing(options, 1)
        rocksdb_options_set_wal_recovery_mode(options, CInt(rocksdb_point_in_time_recovery))
        rocksdb_options_set_max_total_wal_size(options, UInt64(limits.logBytesMax))
        rocksdb_options_set_write_buffer_size(options, limits.memtableBytes)
        rocksdb_options_set_max_write_buffer_number(options, CInt(limits.memtablesMax))
        rocksdb_options_set_max_open_files(options, CInt(limits.openFilesMax))
        rocksdb_options_set_max_background_jobs(options, CInt(limits.backgroundJobs))
        rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1)
        // Write-back in small steps: otherwise a sync of the log waits behind a whole table file.
        rocksdb_options_set_bytes_per_sync(options, 1 << 20)
        rocksdb_options_set_compression(options, CInt(rocksdb_lz4_compression))
        rocksdb_options_set_bottommost_compression(options, CInt(rocksdb_zstd_compression))
        // RocksDB's own log: warnings only (2), two files of 1 MiB, no statistics.
        rocksdb_options_set_info_log_level(options, 2)
        rocksdb_options_set_max_log_file_size(options, 1 << 20)
        rocksdb_options_set_keep_log_file_num(options, 2)
        rocksdb_options_set_stats_dump_period_sec(options, 0)
        rocksdb_options_set_max_manifest_file_size(options, 16 << 20)
        if let blobBytesMin = limits.blobBytesMin {
            rocksdb_options_set_enable_blob_files(options, 1)
            rocksdb_options_set_min_blob_size(options, UInt64(blobBytesMin))
            rocksdb_options_set_blob_file_size(options, 64 << 20)
            rocksdb_options_set_blob_compression_type(options, CInt(rocksdb_lz4_compression))
            rocksdb_options_set_enable_blob_gc(options, 1)
            rocksdb_options_set_blob_gc_force_threshold(options, 0.5)
        }
        let table = makeTableOptions(cache: cache)
        defer { rocksdb_block_based_options_destroy(table) }
        rocksdb_options_set_block_based_table_factory(options, table)
        return options
    }

    private static func makeTableOptions(cache: OpaquePointer) -> OpaquePointer {
        let table: OpaquePointer = rocksdb_block_based_options_create()
        rocksdb_block_based_options_set_block_cache(table, cache)
        rocksdb_block_based_options_set_block_size(table, 8192)
        rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(10))
        rocksdb_block_based_options_set_format_version(table, 5)
        rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1)
        rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1)
        return table
    }

    /// Calls `body` with RocksDB's error slot and turns a message in it into a `KeyValueError`.
    static func checked<Result>(_ body: (inout UnsafeMutablePointer<CChar>?) -> Result) throws(KeyValueError) -> Result
    {
        var message: UnsafeMutablePointer<CChar>?
        let result = body(&message)
        guard let message else { return result }
        defer { free(message) }
        throw error(String(cString: message))
    }

    /// RocksDB's C interface tells kinds of errors apart by their text only.
    static func error(_ message: String) -> KeyValueError {
        if message.contains("LOCK: ") || message.contains("lock hold by current process") { return .locked(message) }
        if message.contains("No space left on device") || message.hasPrefix("IO error: No space") {
            return .noSpace(message)
        }
        if message.hasPrefix("Corruption") { return .corrupt(message) }
        return .inputOutput(message)
    }
}
