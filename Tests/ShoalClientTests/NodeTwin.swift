import ShoalChecksum
import ShoalRPC
import ShoalSimulation
import ShoalTypes
import ShoalWire

/// A storage node in memory: blocks with checksums, and the checks that `Admission` and the chunk store make in
/// production.
final class NodeTwin: ListenerDelegate, PeerDelegate {
    struct Chunk {
        var blocks: [Int: [UInt8]] = [:]
        var sequence = LeaseSequence.none
    }
    let address: String
    let board: Switchboard
    private let network: MemoryNetwork
    private var metadata: (any Peer)?
    private(set) var id = NodeID(0)
    private(set) var map = ClusterMap()
    var chunks: [ChunkID: Chunk] = [:]
    private var generations: [SessionID: ConnectionGeneration] = [:]
    /// Partitions that this node has copied since they began to sync, and the writes that wait for that.
    private var copied: Set<PartitionID> = []
    private var waiting: [() -> Void] = []
    private var copyIsScheduled = false
    /// Finds the node to copy from.
    var source: (NodeID) -> NodeTwin? = { _ in nil }

    /// What heartbeats say of space: unknown, so that writers wait at close.
    var usage = NodeUsage()

    // Faults.
    /// What writes are answered instead.
    var writeStatus: WireStatus?
    /// What reads are answered instead.
    var readStatus: WireStatus?
    /// Requests wait until this is false again.
    var isStalled = false {
        didSet {
            guard !isStalled else { return }
            let held = stalled
            stalled = []
            for request in held { request() }
        }
    }
    private var stalled: [() -> Void] = []
    /// Reads of this node carry a flipped bit.
    var isRotten = false
    private(set) var verified: [ChunkID] = []
    private(set) var readCount = 0
    /// Chunks that were copied from another file.
    var copyCount = 0

    init(address: String, board: Switchboard) {
        self.address = address
        self.board = board
        network = MemoryNetwork(board: board, owner: address)
        comeUp()
    }

    // MARK: Up and down

    func comeUp() {
        board.listeners[address] = self
        metadata = network.dial(
            SimulatedMetadata.address, failsFast: false,
            hello: { [unowned self] in Hello(role: .node, cluster: .unknown, node: id) }, delegate: self)
    }

    /// The machine is off; what it stored stays.
    func goDown() {
        board.listeners[address] = nil
        if let metadata { network.close(metadata) }
        metadata = nil
        board.cut(address)
    }

    func peerConnected(_ peer: any Peer, hello: Hello) {
        if let metadata, peer === metadata { return register() }
        if hello.session != .none {
            generations[hello.session] = max(generations[hello.session] ?? hello.generation, hello.generation)
        }
    }

    private func register() {
        var message = RegisterNodeRequest()
        message.node = id
        message.cluster = id == NodeID(0) ? .unknown : ClusterID(7)
        message.address = address
        message.usage = usage
        metadata?.call(.registerNode, message, deadline: .seconds(5)) { [weak self] reply in
            guard let self, case .success(let answer) = reply.decode(RegisterNodeReply.self) else { return }
            id = answer.node
            adopt(answer.map)
            heartbeat()
        }
    }

    private func heartbeat() {
        board.scheduler.schedule(after: .seconds(1)) { [weak self, weak peer = metadata] in
            guard let self, let peer, peer === metadata, peer.isConnected else { return }
            peer.call(
                .nodeHeartbeat, NodeHeartbeatRequest(node: id, usage: usage), deadline: .seconds(5)
            ) { [weak self] reply in
                if reply.status == .unknownSession { self?.register() }
            }
            heartbeat()
        }
    }

    func peer(_ peer: any Peer, notified notice: Request) {
        if case .success(let message) = decode(notice, as: MapMessage.self) { adopt(message.map) }
    }

    // MARK: The map

    func adopt(_ newer: ClusterMap) {
        guard newer.epoch > map.epoch else { return }
        map = newer
        let syncing = map.partitions.indices.map { PartitionID(UInt16($0)) }.filter {
            map[$0].state(of: id) == .syncing
        }
        copied.formIntersection(syncing)
        if copied.count < syncing.count { scheduleCopy() }
        wakeWaiting()
    }

    private func scheduleCopy() {
        guard !copyIsScheduled else { return }
        copyIsScheduled = true
        board.scheduler.schedule(after: .milliseconds(30)) { [self] in
            copyIsScheduled = false
            copy()
        }
    }

    private func copy() {
        guard board.listeners[address] != nil else { return }
        for number in map.partitions.indices {
            let partition = PartitionID(UInt16(number))
            guard map[partition].state(of: id) == .syncing, !copied.contains(partition) else { continue }
            guard let first = map[partition].inSync.first, let source = source(first),
                board.listeners[source.address] != nil
            else {
                scheduleCopy()
                continue
            }
            source.adopt(map)
            for chunk in Array(chunks.keys) where map.partition(of: chunk) == partition { chunks[chunk] = nil }
            for (chunk, content) in source.chunks where map.partition(of: chunk) == partition {
                chunks[chunk] = content
            }
            copied.insert(partition)
        }
        wakeWaiting()
        let message = PartitionsSyncedRequest(node: id, epoch: map.epoch, partitions: copied.sorted())
        metadata?.call(.partitionsSynced, message, deadline: .seconds(5)) { [weak self] reply in
            if case .success(let message) = reply.decode(MapMessage.self) { self?.adopt(message.map) }
        }
    }

    private func wakeWaiting() {
        let woken = waiting
        waiting = []
        for request in woken { request() }
    }

    // MARK: Requests

    func greet(_ hello: Hello) -> Result<Hello, WireStatus> {
        .success(Hello(role: .node, cluster: ClusterID(7), node: id))
    }

    func decode<Message: WireMessage>(_ request: Request, as: Message.Type) -> Result<Message, WireError> {
        do throws(WireError) { return .success(try request.decode(Message.self)) } catch { return .failure(error) }
    }

    func peer(_ peer: any Peer, received request: Request, responder: any Responder) {
        let payload = Array(request.payload)
        switch request.operation {
        case .readChunk:
            guard case .success(let message) = decode(request, as: ReadChunkRequest.self) else { break }
            return admit { [self] in read(message, responder) }
        case .writeChunk:
            guard case .success(let message) = decode(request, as: WriteChunkRequest.self) else { break }
            return admit { [self] in write(message, payload, responder) }
        case .truncateChunk:
            guard case .success(let message) = decode(request, as: TruncateChunkRequest.self) else { break }
            return admit { [self] in truncate(message, responder) }
        case .punchChunk, .copyChunk, .chunkLayout, .listChunks: return space(request, responder)
        case .syncChunks: return admit { responder.reply(.ok) }
        case .verifyChunks:
            guard case .success(let message) = decode(request, as: ChunkListRequest.self) else { break }
            verified += message.chunks
            return responder.reply(.ok)
        case .deleteChunks:
            guard case .success(let message) = decode(request, as: ChunkListRequest.self) else { break }
            for chunk in message.chunks {
                guard chunk.index == ChunkListRequest.everyIndex else {
                    chunks[chunk] = nil
                    continue
                }
                for known in chunks.keys.filter({ $0.data == chunk.data }) { chunks[known] = nil }
            }
            return responder.reply(.ok)
        default: break
        }
        responder.reply(.badRequest)
    }

    func admit(_ body: @escaping () -> Void) {
        if isStalled { stalled.append(body) } else { body() }
    }

    private func read(_ message: ReadChunkRequest, _ responder: any Responder) {
        if let readStatus { return responder.reply(readStatus) }
        guard message.epoch <= map.epoch else { return fetchMap(responder) { [self] in read(message, responder) } }
        let partition = map.partition(of: message.chunk)
        guard message.epoch >= map[partition].changedAt else { return responder.reply(.staleEpoch) }
        guard map[partition].state(of: id) == .inSync else { return responder.reply(.notReplica) }
        readCount += 1
        let first = Int(message.offset) / Geometry.blockBytes
        let blocks = chunks[message.chunk]?.blocks ?? [:]
        var payload: [UInt8] = []
        var checksums: [UInt32] = []
        let end = min((blocks.keys.max() ?? -1) + 1, first + Int(message.length) / Geometry.blockBytes)
        for number in first..<max(first, end) {
            var block = blocks[number] ?? [UInt8](repeating: 0, count: Geometry.blockBytes)
            checksums.append(block.withUnsafeBytes { CRC32C.checksum($0) })
            if isRotten { block[7] ^= 4 }
            payload += block
        }
        responder.reply(payloadCapacity: payload.count) { buffer in
            buffer.copyBytes(from: payload)
            return (.ok, ReadChunkReply(checksums: checksums).encoded(), payload.count)
        }
    }

    func fetchMap(_ responder: any Responder, _ body: @escaping () -> Void) {
        guard let metadata, metadata.isConnected else { return responder.reply(.notReady) }
        metadata.call(.fetchMap, SessionRequest(session: .none), deadline: .seconds(5)) { [weak self] reply in
            guard let self, case .success(let message) = reply.decode(MapMessage.self) else {
                return responder.reply(.notReady)
            }
            adopt(message.map)
            body()
        }
    }

    /// Nil if the write may go on now; otherwise it has been answered, or runs `again` later.
    func refuses(
        _ epoch: Epoch, _ session: SessionID, _ generation: ConnectionGeneration, _ chunk: ChunkID,
        _ responder: any Responder, again: @escaping () -> Void
    ) -> Bool {
        guard epoch <= map.epoch else {
            fetchMap(responder, again)
            return true
        }
        let partition = map.partition(of: chunk)
        if map.fenced.contains(session) {
            responder.reply(.fenced)
        } else if epoch < map[partition].changedAt {
            responder.reply(.staleEpoch)
        } else if generation != generations[session] {
            responder.reply(.staleConnection)
        } else if let writeStatus {
            responder.reply(writeStatus)
        } else if map[partition].state(of: id) == .syncing, !copied.contains(partition) {
            waiting.append(again)
        } else if ![.inSync, .syncing].contains(map[partition].state(of: id)) {
            responder.reply(.notReplica)
        } else {
            return false
        }
        return true
    }

    private func write(_ message: WriteChunkRequest, _ payload: [UInt8], _ responder: any Responder) {
        let again = { [self] in write(message, payload, responder) }
        guard !refuses(message.epoch, message.session, message.generation, message.chunk, responder, again: again)
        else {
            return
        }
        let checksums = payload.withUnsafeBytes { CRC32C.blocks(of: $0, blockBytes: Geometry.blockBytes) }
        guard checksums == message.checksums else { return responder.reply(.badChecksum) }
        var chunk = chunks[message.chunk] ?? Chunk()
        guard message.sequence >= chunk.sequence else { return responder.reply(.staleLease) }
        chunk.sequence = message.sequence
        for start in stride(from: 0, to: payload.count, by: Geometry.blockBytes) {
            let number = (Int(message.offset) + start) / Geometry.blockBytes
            chunk.blocks[number] = Array(payload[start..<start + Geometry.blockBytes])
        }
        chunks[message.chunk] = chunk
        responder.reply(space(of: message.chunk))
    }

    private func truncate(_ message: TruncateChunkRequest, _ responder: any Responder) {
        let again = { [self] in truncate(message, responder) }
        guard !refuses(message.epoch, message.session, message.generation, message.chunk, responder, again: again)
        else {
            return
        }
        if var chunk = chunks[message.chunk] {
            guard message.sequence >= chunk.sequence else { return responder.reply(.staleLease) }
            chunk.sequence = message.sequence
            chunk.blocks = chunk.blocks.filter { $0.key < Int(message.length) / Geometry.blockBytes }
            chunks[message.chunk] = chunk.blocks.isEmpty ? nil : chunk
        }
        responder.reply(space(of: message.chunk))
    }
}
