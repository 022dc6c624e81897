import ShoalRPC
import ShoalTypes
import ShoalWire

/// One end of a connection in memory. A dialled end outlives its links; an accepted end has one.
package final class MemoryPeer: Peer {
    struct Call {
        let completion: (Reply) -> Void
        let timer: any ScheduledTimer
    }
    let board: Switchboard
    weak var delegate: (any PeerDelegate)?
    /// Whose end it is; nil for one that is never stopped.
    private let process: SimulatedProcess?
    package internal(set) var link: MemoryLink?
    var isClosed = false
    private var calls: [UInt64: Call] = [:]
    private var unsent: [(number: UInt64, frame: MemoryLink.Frame)] = []
    private var lastNumber: UInt64 = 0

    init(board: Switchboard, delegate: any PeerDelegate, process: SimulatedProcess?) {
        self.board = board
        self.delegate = delegate
        self.process = process
        board.add(self)
    }

    /// Lets go of all.
    func end() {
        link = nil
        calls = [:]
        unsent = []
    }

    @discardableResult
    func schedule(after interval: Interval, _ body: @escaping () -> Void) -> any ScheduledTimer {
        process?.schedule(after: interval, body) ?? board.scheduler.schedule(after: interval, body)
    }

    /// Runs `body` when the process can.
    func run(_ body: @escaping () -> Void) {
        if let process { process.run(body) } else { body() }
    }

    package var isConnected: Bool { link?.isOpen == true }
    package var outstanding: Int { calls.count }

    package func call(
        _ operation: Operation, _ message: some WireMessage, payload: [UnsafeRawBufferPointer], deadline: Interval,
        completion: @escaping (Reply) -> Void
    ) {
        lastNumber += 1
        let number = lastNumber
        let timer = schedule(after: deadline) { [weak self] in self?.fail(number) }
        calls[number] = Call(completion: completion, timer: timer)
        if isClosed {
            schedule(after: .milliseconds(0)) { [self] in fail(number) }
            return
        }
        let bytes = payload.flatMap { Array($0) }
        let frame = MemoryLink.Frame.request(number, operation, message.encoded(), bytes)
        if let link, link.isOpen { link.send(frame, from: self) } else { unsent.append((number, frame)) }
    }

    package func notify(_ operation: Operation, _ message: some WireMessage) {
        if let link, link.isOpen { link.send(.notice(operation, message.encoded()), from: self) }
    }

    func connected(_ link: MemoryLink) {
        self.link = link
        let waiting = unsent
        unsent = []
        for (number, frame) in waiting where calls[number] != nil { link.send(frame, from: self) }
    }

    /// Answers `.unreachable` to every open call, in order.
    func failAll() {
        unsent = []
        for number in calls.keys.sorted() { fail(number) }
    }

    private func fail(_ number: UInt64) { complete(number, .failed(.unreachable)) }

    private func complete(_ number: UInt64, _ reply: Reply) {
        guard let call = calls.removeValue(forKey: number) else { return }
        call.timer.cancel()
        call.completion(reply)
    }

    func receive(_ frame: MemoryLink.Frame, on link: MemoryLink) {
        switch frame {
        case .request(let number, let operation, let message, let payload):
            let responder = MemoryResponder(number: number, peer: self, link: link)
            message.withUnsafeBytes { message in
                payload.withUnsafeBytes { payload in
                    let request = Request(operation: operation, message: message, payload: payload)
                    delegate?.peer(self, received: request, responder: responder)
                }
            }
        case .notice(let operation, let message):
            let none = UnsafeRawBufferPointer(start: nil, count: 0)
            message.withUnsafeBytes {
                delegate?.peer(self, notified: Request(operation: operation, message: $0, payload: none))
            }
        case .reply(let number, let status, let message, let payload):
            message.withUnsafeBytes { message in
                payload.withUnsafeBytes { payload in
                    complete(number, Reply(status: status, message: message, payload: payload))
                }
            }
        }
    }
}

// @unchecked Sendable: tests are one thread.
final class MemoryResponder: Responder, @unchecked Sendable {
    private let number: UInt64
    private let peer: MemoryPeer
    private let link: MemoryLink
    private var isUsed = false

    init(number: UInt64, peer: MemoryPeer, link: MemoryLink) {
        self.number = number
        self.peer = peer
        self.link = link
    }

    deinit { if !isUsed { send(.failed(.inputOutput), [], []) } }

    private func send(_ status: WireStatus, _ message: [UInt8], _ payload: [UInt8]) {
        precondition(!isUsed, "answered twice")
        isUsed = true
        if link.isOpen { link.send(.reply(number, status, message, payload), from: peer) }
    }

    func reply(_ status: WireStatus, message: [UInt8]) { send(status, message, []) }

    func reply(
        payloadCapacity: Int,
        fill: (UnsafeMutableRawBufferPointer) -> (status: WireStatus, message: [UInt8], payloadBytes: Int)
    ) {
        var payload = [UInt8](repeating: 0, count: payloadCapacity)
        let filled = payload.withUnsafeMutableBytes { fill($0) }
        send(filled.status, filled.message, Array(payload[..<filled.payloadBytes]))
    }
}
