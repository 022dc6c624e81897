import Dispatch
import Logging
import ShoalRPC
import ShoalTransport
import ShoalTypes
import ShoalWire
import Synchronization

/// A listener whose answer depends on the operation; see `peer(_:received:responder:)`.
// @unchecked Sendable: the unguarded state is used on the loop only.
final class EchoServer: ListenerDelegate, @unchecked Sendable {
    let loop = Loop(name: "server")
    let log = LogRecorder()
    let requests = Atomic<Int>(0)
    private let refusal = Mutex<WireStatus?>(nil)
    private(set) var listener: Listener!
    private var peers: [any Peer] = []
    private var kept: [any Responder] = []

    init(
        binding: HostPort = HostPort(host: "127.0.0.1", port: 0), limits: TransportLimits = .production,
        complaints: Complaints = Complaints()
    ) throws(TransportError) {
        listener = try Listener(
            binding: binding, loop: loop, delegate: self, logger: log.logger, limits: limits, complaints: complaints)
    }

    var address: HostPort { listener.address }

    func refuse(with status: WireStatus?) { refusal.withLock { $0 = status } }

    func shutDown() {
        listener.close()
        loop.shutDown()
    }

    func closeInbound() {
        loop.execute { for peer in self.peers { self.listener.close(peer) } }
    }

    func notifyAll(_ message: some WireMessage) {
        loop.execute { for peer in self.peers { peer.notify(.mapChanged, message) } }
    }

    func forgetKept() {
        loop.execute { self.kept = [] }
    }

    func greet(_ hello: Hello) -> Result<Hello, WireStatus> {
        if let status = refusal.withLock({ $0 }) { return .failure(status) }
        return .success(Hello(role: .node, cluster: ClusterID(7), node: NodeID(3)))
    }

    func peerConnected(_ peer: any Peer, hello: Hello) { peers.append(peer) }
    func peerDisconnected(_ peer: any Peer) { peers.removeAll { $0 === peer } }

    func peer(_ peer: any Peer, received request: Request, responder: any Responder) {
        requests.add(1, ordering: .relaxed)
        let message = [UInt8](request.message)
        switch request.operation {
        case .lookup: responder.reply(.ok, message: message)
        case .writeChunk: echo(message, request.payload, responder)
        case .getAttributes: DispatchQueue.global().async { responder.reply(.ok, message: message) }
        case .readChunk:
            let payload = [UInt8](request.payload)
            DispatchQueue.global().async { payload.withUnsafeBytes { self.echo(message, $0, responder) } }
        case .recall: kept.append(responder)
        case .glimpse: break
        case .heartbeat:
            peer.call(.glimpse, Bytes(message), deadline: .seconds(10)) { reply in
                responder.reply(reply.status, message: [UInt8](reply.message))
            }
        case .syncChunks: flood(responder)
        default: responder.reply(.notReady)
        }
    }

    private func echo(_ message: [UInt8], _ payload: UnsafeRawBufferPointer, _ responder: any Responder) {
        responder.reply(payloadCapacity: payload.count + 100) { buffer in
            buffer.copyMemory(from: payload)
            return (.ok, message, payload.count)
        }
    }

    private func flood(_ responder: any Responder) {
        responder.reply(payloadCapacity: 256 << 10) { buffer in
            buffer.initializeMemory(as: UInt8.self, repeating: 1)
            return (.ok, [], buffer.count)
        }
    }
}

/// A message that is nothing but its bytes.
struct Bytes: WireMessage, Equatable {
    var bytes: [UInt8] = []
    init() {}
    init(_ bytes: [UInt8]) { self.bytes = bytes }
    mutating func code(_ coder: inout WireCoder) {
        if coder.isDecoding { bytes = [] }
        for index in bytes.indices { coder.integer(&bytes[index]) }
    }
}
