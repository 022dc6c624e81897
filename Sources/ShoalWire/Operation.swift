/// What a frame asks for. The number is the wire format: never reuse one.
package enum Operation: UInt16, Sendable, CaseIterable {
    // Any peer.
    case hello = 1

    // Client or command -> metadata server: sessions and the map.
    case openSession = 10
    case heartbeat = 11
    case closeSession = 12
    case reclaimLeases = 13
    case fetchMap = 14
    case reportNode = 15
    case clusterStatus = 16

    // Client -> metadata server: the namespace.
    case lookup = 20
    case getAttributes = 21
    case setAttributes = 22
    case readDirectory = 23
    case create = 24
    case link = 25
    case unlink = 26
    case removeDirectory = 27
    case rename = 28
    case readLink = 29
    case statFileSystem = 30
    case syncMetadata = 31
    case setExtendedAttribute = 32
    case getExtendedAttribute = 33
    case listExtendedAttributes = 34
    case removeExtendedAttribute = 35

    // Client -> metadata server: record locks and flock.
    case setLock = 36
    case testLock = 37
    case cancelLock = 38
    case reclaimLocks = 39

    // Client -> metadata server: leases and content.
    case acquireLease = 40
    case releaseLeases = 41
    case commitWrite = 42
    case commitWrites = 43
    case setAccessTimes = 44

    // Client -> metadata server: two-phase upload.
    case prepareUpload = 45
    case publishUpload = 46
    case abandonUpload = 47

    // Metadata server -> client.
    case recall = 50
    case glimpse = 51
    case locksGranted = 52

    // Metadata server -> client and node.
    case mapChanged = 55

    // Node -> metadata server.
    case registerNode = 60
    case nodeHeartbeat = 61
    case partitionsSynced = 62
    case nodeLeaving = 63

    // Metadata server -> node.
    case deleteChunks = 70

    // Client -> node.
    case readChunk = 80
    case writeChunk = 81
    case truncateChunk = 82
    case syncChunks = 83
    case statChunks = 84
    /// A reader found bytes that do not match their checksums: verify these chunks, and mend what is bad.
    case verifyChunks = 85
    case chunkLayout = 86
    case punchChunk = 87
    /// Make a chunk equal to a chunk of another file, without moving it through the client.
    case copyChunk = 88
    case listChunks = 89

    // Client or command -> metadata server: quotas and the trash.
    case setQuota = 100
    case listQuotas = 101
    case removeQuota = 102
    case setTrash = 104
    case listTrash = 105
    case emptyTrash = 106

    // Node -> node.
    case partitionDigest = 90
    case reconcileChunks = 91
}
