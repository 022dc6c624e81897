import Dispatch
import Logging
import ShoalRPC
import ShoalTransport
import ShoalTypes
import ShoalWire
import Synchronization

/// A client of a running service, for a test's thread: every call blocks until it is answered.
final class ServiceClient: PeerDelegate, @unchecked Sendable {  // peer and recalls: on the loop
    private let loop = Loop(name: "client")
    private let network: LoopNetwork
    private var peer: (any Peer)!
    let session = Mutex(SessionID.none)
    let isConnected = DispatchSemaphore(value: 0)
    /// What recalls are answered with.
    let keeps = Mutex(LeaseMode.none)

    init(_ address: HostPort) {
        network = LoopNetwork(loop: loop, logger: Logger(label: "test"))
        let ready = DispatchSemaphore(value: 0)
        loop.execute { [self] in
            peer = network.dial(
                address.description, failsFast: false,
                hello: { [self] in Hello(role: .client, cluster: .unknown, session: session.withLock { $0 }) },
                delegate: self)
            ready.signal()
        }
        ready.wait()
    }

    func peerConnected(_ peer: any Peer, hello: Hello) { isConnected.signal() }

    func peer(_ peer: any Peer, received request: Request, responder: any Responder) {
        guard request.operation == .recall else { return responder.reply(.badRequest) }
        responder.reply(RecallReply(remaining: keeps.withLock { $0 }))
    }

    /// The status, and the message's bytes.
    func call(_ operation: Operation, _ message: some WireMessage) -> (WireStatus, [UInt8]) {
        let answer = Answer()
        loop.execute { [self] in
            peer.call(operation, message, deadline: .seconds(10)) { reply in
                answer.value.withLock { $0 = (reply.status, Array(reply.message)) }
                answer.isThere.signal()
            }
        }
        answer.isThere.wait()
        return answer.value.withLock { $0 }
    }

    private final class Answer: Sendable {
        let value = Mutex<(WireStatus, [UInt8])>((.unreachable, []))
        let isThere = DispatchSemaphore(value: 0)
    }

    func ask<Message: WireMessage>(
        _ operation: Operation, _ message: some WireMessage, as type: Message.Type = Message.self
    ) throws -> Message {
        let (status, bytes) = call(operation, message)
        guard status == .ok else { throw status }
        return try Message(decoding: bytes)
    }

    func open() throws {
        let reply: OpenSessionReply = try ask(.openSession, OpenSessionRequest(label: "test"))
        session.withLock { $0 = reply.session }
    }

    func create(_ name: String, change: UInt64) throws -> EntryReply {
        var message = CreateRequest()
        message.caller = Caller(session: session.withLock { $0 }, change: change)
        message.parent = .root
        message.name = try FileName(Array(name.utf8))
        message.mode = FileKind.regular.rawValue | 0o644
        return try ask(.create, message)
    }

    func shutDown() { loop.shutDown() }
}
