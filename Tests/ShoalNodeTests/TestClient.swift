import ShoalChecksum
import ShoalNode
import ShoalRPC
import ShoalTransport
import ShoalTypes
import ShoalWire
import Synchronization

/// A session that talks to nodes, with calls that block the test.
final class TestClient: PeerDelegate, @unchecked Sendable {  // peers are touched on the loop only
    struct Answer: Sendable {
        var status: WireStatus
        var message: [UInt8]
        var payload: [UInt8]
        func decode<Message: WireMessage>(_ type: Message.Type = Message.self) throws -> Message {
            guard status == .ok else { throw status }
            return try Message(decoding: message)
        }
    }

    let loop = Loop(name: "client")
    let session: SessionID
    let generation: ConnectionGeneration
    private let hello: Hello
    private let network: LoopNetwork
    private var peers: [HostPort: any Peer] = [:]
    private var refusals: [WireStatus] = []
    private var onRefusal: Awaited<WireStatus>?

    init(
        session: SessionID = SessionID(7), generation: UInt64 = 1, role: Hello.Role = .client,
        cluster: ClusterID = FakeMetadata.cluster
    ) {
        self.session = session
        self.generation = ConnectionGeneration(generation)
        hello = Hello(
            role: role, cluster: cluster, session: session, generation: ConnectionGeneration(generation))
        network = LoopNetwork(loop: loop, logger: quiet)
    }

    func stop() { loop.shutDown() }

    func peer(_ peer: any Peer, refused status: WireStatus) {
        refusals.append(status)
        onRefusal?.set(status)
        onRefusal = nil
    }

    /// The status with which the node refuses this client's hello.
    func refusal(by address: HostPort) -> WireStatus? {
        let refusal = Awaited<WireStatus>()
        loop.execute { [self] in
            if let first = refusals.first { return refusal.set(first) }
            onRefusal = refusal
            _ = peer(at: address)
        }
        return refusal.wait(.seconds(10))
    }

    private func peer(at address: HostPort) -> any Peer {
        if let known = peers[address] { return known }
        let hello = hello
        let peer = network.dial(address.description, failsFast: true, hello: { hello }, delegate: self)
        peers[address] = peer
        return peer
    }

    func send(
        _ operation: ShoalWire.Operation, _ message: some WireMessage, payload: [UInt8] = [], to address: HostPort,
        deadline: Interval = .seconds(15)
    ) -> Awaited<Answer> {
        let answer = Awaited<Answer>()
        loop.execute { [self] in
            payload.withUnsafeBytes { bytes in
                peer(at: address).call(
                    operation, message, payload: bytes.isEmpty ? [] : [bytes], deadline: deadline
                ) { reply in
                    answer.set(
                        Answer(status: reply.status, message: Array(reply.message), payload: Array(reply.payload)))
                }
            }
        }
        return answer
    }

    func call(
        _ operation: ShoalWire.Operation, _ message: some WireMessage, payload: [UInt8] = [], to address: HostPort,
        deadline: Interval = .seconds(15)
    ) -> Answer {
        send(operation, message, payload: payload, to: address, deadline: deadline).wait()
    }

    // MARK: Requests

    func writeRequest(
        _ chunk: ChunkID, offset: Int = 0, _ bytes: [UInt8], epoch: Epoch, version: UInt64, sequence: UInt64 = 1
    ) -> WriteChunkRequest {
        var request = WriteChunkRequest()
        request.epoch = epoch
        request.session = session
        request.generation = generation
        request.sequence = LeaseSequence(sequence)
        request.chunk = chunk
        request.offset = UInt32(offset)
        request.version = version
        request.chunkBytesLog2 = 22
        request.checksums = bytes.withUnsafeBytes { CRC32C.blocks(of: $0, blockBytes: Geometry.blockBytes) }
        return request
    }

    func write(
        _ chunk: ChunkID, offset: Int = 0, _ bytes: [UInt8], epoch: Epoch, version: UInt64, sequence: UInt64 = 1,
        to address: HostPort
    ) -> WireStatus {
        let request = writeRequest(
            chunk, offset: offset, bytes, epoch: epoch, version: version, sequence: sequence)
        return call(.writeChunk, request, payload: bytes, to: address).status
    }

    func truncateRequest(_ chunk: ChunkID, length: Int, epoch: Epoch, version: UInt64) -> TruncateChunkRequest {
        var request = TruncateChunkRequest()
        request.epoch = epoch
        request.session = session
        request.generation = generation
        request.sequence = LeaseSequence(1)
        request.chunk = chunk
        request.length = UInt32(length)
        request.version = version
        return request
    }

    /// The status, the bytes, and whether they match their checksums.
    func read(
        _ chunk: ChunkID, offset: Int = 0, length: Int, epoch: Epoch, from address: HostPort
    ) -> (status: WireStatus, bytes: [UInt8], isSound: Bool) {
        let request = ReadChunkRequest(epoch: epoch, chunk: chunk, offset: UInt32(offset), length: UInt32(length))
        let answer = call(.readChunk, request, to: address)
        guard case .success(let reply) = Result(catching: { try answer.decode(ReadChunkReply.self) }) else {
            return (answer.status, [], false)
        }
        let mismatch = answer.payload.withUnsafeBytes {
            CRC32C.firstMismatch(in: $0, blockBytes: Geometry.blockBytes, checksums: reply.checksums)
        }
        return (answer.status, answer.payload, mismatch == nil)
    }
}
