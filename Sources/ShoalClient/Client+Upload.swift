import ShoalChecksum
import ShoalRPC
import ShoalTypes
import ShoalWire

/// Two-phase upload: chunks are written and synced under a data ID that nobody else knows, then one commit publishes
/// it.
package final class Upload {
    private let client: Client
    private let prepared: PrepareUploadReply
    private var version: UInt64 = 0
    private var written: UInt64 = 0
    private var chunks: Set<UInt32> = []

    private init(client: Client, prepared: PrepareUploadReply) {
        self.client = client
        self.prepared = prepared
    }

    package static func prepare(_ client: Client, size: UInt64, completion: @escaping Completion<Upload>) {
        client.metadata.request(
            .prepareUpload, isChange: true, { PrepareUploadRequest(caller: $0, size: size) }
        ) { reply in
            switch reply.decode(PrepareUploadReply.self) {
            case .success(let prepared): completion(.success(Upload(client: client, prepared: prepared)))
            case .failure(let status): completion(.failure(status.fileError))
            }
        }
    }

    /// The next bytes of the file: up to 1 MiB, whole blocks except at the end of the file. One call at a time.
    package func append(_ bytes: [UInt8], completion: @escaping Completion<Void>) {
        let block = Geometry.blockBytes
        var padded = bytes
        let rest = padded.count % block
        if rest > 0 { padded += [UInt8](repeating: 0, count: block - rest) }
        let log2 = UInt64(prepared.chunkBytesLog2)
        let chunk = ChunkID(data: prepared.data, index: UInt32(truncatingIfNeeded: written >> log2))
        let offset = Int(written & ((1 << log2) - 1))
        guard offset + padded.count <= 1 << log2, padded.count <= Geometry.requestBytesMax else {
            return completion(.failure(.invalidArgument))
        }
        version += 1
        written += UInt64(bytes.count)
        chunks.insert(chunk.index)
        let request = writeRequest(chunk, offset, padded)
        let deadline = client.limits.nodeAttemptDeadline
        let change = ChunkWriter.Change(chunk: chunk, minimumEpoch: Epoch(0)) {
            peer, epoch, session, generation, completion in
            var request = request
            request.epoch = epoch
            request.session = session
            request.generation = generation
            padded.withUnsafeBytes {
                peer.call(.writeChunk, request, payload: [$0], deadline: deadline, completion: completion)
            }
        }
        client.writer.apply(change) { completion($0 == .ok ? .success(()) : .failure($0.fileError)) }
    }

    private func writeRequest(_ chunk: ChunkID, _ offset: Int, _ bytes: [UInt8]) -> WriteChunkRequest {
        var request = WriteChunkRequest()
        request.sequence = prepared.sequence
        request.chunk = chunk
        request.offset = UInt32(offset)
        request.version = version
        request.chunkBytesLog2 = prepared.chunkBytesLog2
        request.checksums = bytes.withUnsafeBytes { CRC32C.blocks(of: $0, blockBytes: Geometry.blockBytes) }
        return request
    }

    /// Syncs the chunks on every replica, then makes the name refer to them. What this client had buffered for a file of
    /// that name is written back first, so that nothing of it follows later.
    package func publish(
        _ parent: InodeID, _ name: FileName, mode: UInt32, uid: UInt32, gid: UInt32,
        completion: @escaping Completion<FileAttributes>
    ) {
        client.syncChunks(prepared.data, chunks) { [self] result in
            if case .failure(let error) = result { return completion(.failure(error)) }
            client.flushNamed(name, in: parent) { [self] result in
                if case .failure(let error) = result { return completion(.failure(error)) }
                commit(parent, name, mode: mode, uid: uid, gid: gid, completion: completion)
            }
        }
    }

    private func commit(
        _ parent: InodeID, _ name: FileName, mode: UInt32, uid: UInt32, gid: UInt32,
        completion: @escaping Completion<FileAttributes>
    ) {
        client.metadata.request(
            .publishUpload, isChange: true,
            { [self] caller in
                var request = PublishUploadRequest()
                request.caller = caller
                request.parent = parent
                request.name = name
                request.data = prepared.data
                request.size = written
                request.mode = mode
                request.uid = uid
                request.gid = gid
                return request
            }
        ) { [self] reply in
            switch reply.decode(EntryReply.self) {
            case .success(let entry):
                client.learnPublished(entry, name, in: parent)
                client.syncMetadata { completion($0.map { entry.attributes }) }
            case .failure(let status): completion(.failure(status.fileError))
            }
        }
    }

    package func abandon(completion: @escaping () -> Void) {
        client.metadata.request(
            .abandonUpload, isChange: true, { [self] in AbandonUploadRequest(caller: $0, data: prepared.data) }
        ) { _ in completion() }
    }
}

extension Client {
    /// Writes back the file that `name` is known to refer to, if there is one.
    fileprivate func flushNamed(_ name: FileName, in parent: InodeID, completion: @escaping Completion<Void>) {
        guard let inode = knownInode(parent, name) else { return completion(.success(())) }
        flush(inode, completion: completion)
    }

    /// The name refers to new content now, of a new file or of the one that it referred to before.
    fileprivate func learnPublished(_ entry: EntryReply, _ name: FileName, in parent: InodeID) {
        let directory = learnDirectory(parent, entry.parentGrant, entry.parent)
        remember(name, entry.attributes.inode, in: directory)
        let inode = inodes.inode(entry.attributes.inode)
        inode.generation += 1
        dropBlocks(of: inode)
        inode.needsCommit = false
        inode.readAhead = ReadAheadState()
        inode.unsyncedChunks = []
        learn(entry.attributes, entry.grant)
        inode.reservedSize = entry.attributes.reservedSize
        inode.mayHaveForeignUnsynced = false
    }
}
