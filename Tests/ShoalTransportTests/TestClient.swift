import ShoalRPC
import ShoalTransport
import ShoalTypes
import ShoalWire

/// A dialled peer, for async tests.
// @unchecked Sendable: the peer and the generation are used on the loop only; events have one consumer.
final class TestClient: PeerDelegate, @unchecked Sendable {
    enum Event: Equatable, Sendable {
        case connected(Hello)
        case disconnected
        case refused(WireStatus)
        case notice(ShoalWire.Operation, [UInt8])
    }
    struct Answer: Equatable, Sendable {
        var status: WireStatus
        var message: [UInt8]
        var payload: [UInt8]
    }

    let loop: Loop
    let log = LogRecorder()
    private let network: LoopNetwork
    private(set) var peer: (any Peer)!
    private var generation: UInt64 = 0
    private let (stream, events) = AsyncStream<Event>.makeStream()
    private lazy var iterator = stream.makeAsyncIterator()

    init(_ address: HostPort, failsFast: Bool = false, limits: TransportLimits = .production) async {
        loop = Loop(name: "client")
        network = LoopNetwork(loop: loop, logger: log.logger, limits: limits, complaints: Complaints())
        await onLoop {
            self.peer = self.network.dial(
                "\(address)", failsFast: failsFast,
                hello: {
                    self.generation += 1
                    return Hello(
                        role: .client, cluster: .unknown, session: SessionID(9),
                        generation: ConnectionGeneration(self.generation))
                }, delegate: self)
        }
    }

    func shutDown() { loop.shutDown() }

    /// The next thing that the delegate was told.
    func next() async -> Event? { await iterator.next() }

    func onLoop<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            loop.execute { continuation.resume(returning: body()) }
        }
    }

    var isConnected: Bool { get async { await onLoop { self.peer.isConnected } } }
    var outstanding: Int { get async { await onLoop { self.peer.outstanding } } }
    func close() async { await onLoop { self.network.close(self.peer) } }

    func call(
        _ operation: ShoalWire.Operation, message: [UInt8] = [], payload: [[UInt8]] = [],
        deadline: Interval = .seconds(30)
    ) async -> Answer {
        await withCheckedContinuation { continuation in
            loop.execute {
                let parts = payload.map { part in
                    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: part.count, alignment: 1)
                    copy.copyBytes(from: part)
                    return copy
                }
                var isInsideCall = true
                self.peer.call(
                    operation, Bytes(message), payload: parts.map { UnsafeRawBufferPointer($0) }, deadline: deadline
                ) { reply in
                    precondition(!isInsideCall, "a completion never runs inside the call")
                    continuation.resume(
                        returning: Answer(
                            status: reply.status, message: [UInt8](reply.message), payload: [UInt8](reply.payload)))
                }
                isInsideCall = false
                // The buffers are ours again: spoil them.
                for part in parts {
                    part.initializeMemory(as: UInt8.self, repeating: 0xEE)
                    part.deallocate()
                }
            }
        }
    }

    func peerConnected(_ peer: any Peer, hello: Hello) { events.yield(.connected(hello)) }
    func peerDisconnected(_ peer: any Peer) { events.yield(.disconnected) }
    func peer(_ peer: any Peer, refused status: WireStatus) { events.yield(.refused(status)) }
    func peer(_ peer: any Peer, notified notice: Request) {
        events.yield(.notice(notice.operation, [UInt8](notice.message)))
    }
    func peer(_ peer: any Peer, received request: Request, responder: any Responder) {
        responder.reply(.ok, message: [UInt8](request.message).reversed())
    }
}
