import CFuse3
import Synchronization

extension fuse_lowlevel_ops {
    /// INIT: what the kernel and we agree on.
    mutating func addNegotiation() {
        `init` = { userdata, connection in
            FuseSession.of(userdata).negotiate(&connection!.pointee)
        }
    }
}

extension FuseSession {
    /// - Requests of 1 MiB; reads and readahead in parallel; parallel lookups in one directory.
    /// - No splice (it gains nothing here), no write-back cache (no recall could reach what the kernel holds).
    /// - The kernel clears setuid bits itself; it has the permission checks anyway.
    /// - With ACLs, the umask comes along with the request instead of being applied: a default ACL may take its place.
    func negotiate(_ connection: inout fuse_conn_info) {
        var wanted = [
            FUSE_CAP_ASYNC_READ, FUSE_CAP_ASYNC_DIO, FUSE_CAP_PARALLEL_DIROPS, FUSE_CAP_ATOMIC_O_TRUNC,
        ].reduce(0) { $0 | UInt32($1) }
        if options.servesLocks { wanted |= UInt32(FUSE_CAP_POSIX_LOCKS) | UInt32(FUSE_CAP_FLOCK_LOCKS) }
        if options.listsAttributes { wanted |= UInt32(FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO) }
        if options.checksPages { wanted |= UInt32(FUSE_CAP_AUTO_INVAL_DATA) }
        let lists = options.hasAccessControlLists ? UInt32(FUSE_CAP_POSIX_ACL | FUSE_CAP_DONT_MASK) : 0
        connection.want = connection.capable & (wanted | lists)
        connection.max_write = UInt32(FuseMountOptions.requestBytesMax)
        // The same as the mount option, or libfuse refuses.
        connection.max_read = UInt32(FuseMountOptions.requestBytesMax)
        connection.max_readahead = UInt32(FuseMountOptions.requestBytesMax)
        connection.max_background = options.backgroundRequestsMax
        connection.congestion_threshold = options.backgroundRequestsMax * 3 / 4
        connection.time_gran = 1
        isReadAheadDue.store(true, ordering: .relaxed)
    }
}
