import ShoalRPC
import ShoalTestSupport
import ShoalTypes
import ShoalWire

/// Who listens where, and how long messages take.
package final class Switchboard {
    package let scheduler: VirtualScheduler
    package var random: SeededGenerator
    /// Microseconds that a message takes.
    package var delay: ClosedRange<Int64> = 50...50
    package var listeners: [String: any ListenerDelegate] = [:]
    /// The processes behind listeners that can be stopped.
    package var processes: [String: SimulatedProcess] = [:]
    private(set) var links: [MemoryLink] = []
    /// All ends of connections there ever were: they hold their callers, who hold them.
    private var peers: [MemoryPeer] = []
    /// Sees every request that is delivered.
    package var observe: (String, Operation, [UInt8]) -> Void = { _, _, _ in }

    package init(scheduler: VirtualScheduler, seed: UInt64) {
        self.scheduler = scheduler
        random = SeededGenerator(seed: seed)
    }

    package func drawDelay() -> Interval { .microseconds(Int64.random(in: delay, using: &random)) }

    func add(_ link: MemoryLink) {
        links.removeAll { !$0.isOpen }
        links.append(link)
    }

    func add(_ peer: MemoryPeer) { peers.append(peer) }

    /// Cuts every connection to `address`, or of `owner` to it.
    package func cut(_ address: String, of owner: String? = nil) {
        for link in links where link.address == address && (owner == nil || link.owner == owner) { link.cut() }
    }

    /// Cuts every connection that `owner` has made.
    package func cutAll(of owner: String) { for link in links where link.owner == owner { link.cut() } }

    /// Lets go of everybody.
    package func end() {
        for link in links { link.onCut = {} }
        for peer in peers { peer.end() }
        links = []
        peers = []
        listeners = [:]
        processes = [:]
        observe = { _, _, _ in }
    }

    /// Cuts one connection of `owner`; as when packets are lost for too long.
    package func cutAny(of owner: String) {
        links.filter { $0.owner == owner && $0.isOpen }.randomElement(using: &random)?.cut()
    }
}

/// A connection: two queues, each in order. After a cut, what the dialler had sent may still arrive.
package final class MemoryLink {
    enum Frame {
        case request(UInt64, Operation, [UInt8], [UInt8])
        case notice(Operation, [UInt8])
        case reply(UInt64, WireStatus, [UInt8], [UInt8])
    }
    let board: Switchboard
    let owner: String
    let address: String
    let dialler: MemoryPeer
    let accepted: MemoryPeer
    private(set) var isOpen = true
    private var arrivesAfterCut = false
    private var dialledDue = MonotonicInstant(0)
    private var acceptedDue = MonotonicInstant(0)
    var onCut: () -> Void = {}

    init(board: Switchboard, owner: String, address: String, dialler: MemoryPeer, accepted: MemoryPeer) {
        self.board = board
        self.owner = owner
        self.address = address
        self.dialler = dialler
        self.accepted = accepted
    }

    func send(_ frame: Frame, from sender: MemoryPeer) {
        let isToServer = sender === dialler
        let due = max(isToServer ? acceptedDue : dialledDue, board.scheduler.now + board.drawDelay())
        if isToServer { acceptedDue = due } else { dialledDue = due }
        let receiver = isToServer ? accepted : dialler
        board.scheduler.schedule(after: due - board.scheduler.now) { [self] in
            receiver.run { [self] in
                guard isOpen || (isToServer && arrivesAfterCut) else { return }
                if isToServer, case .request(_, let operation, let message, _) = frame {
                    board.observe(address, operation, message)
                }
                receiver.receive(frame, on: self)
            }
        }
    }

    package func cut() {
        guard isOpen else { return }
        isOpen = false
        arrivesAfterCut = board.random.chance(1, in: 2)
        board.scheduler.schedule(after: .milliseconds(0)) { [self] in
            dialler.run { [self] in
                dialler.failAll()
                if !dialler.isClosed { dialler.delegate?.peerDisconnected(dialler) }
                onCut()
            }
        }
        let due = max(acceptedDue, board.scheduler.now + board.drawDelay())
        board.scheduler.schedule(after: due - board.scheduler.now) { [self] in
            accepted.run { [self] in
                accepted.failAll()
                accepted.delegate?.peerDisconnected(accepted)
            }
        }
    }
}

/// What one machine dials with.
package final class MemoryNetwork: Network {
    package let board: Switchboard
    package let owner: String
    /// Whose timers and messages these are; nil for one that is never stopped.
    private let process: SimulatedProcess?
    /// Addresses that it cannot reach; its links to them are cut when they are added.
    package var unreachable: Set<String> = [] {
        didSet { for address in unreachable.sorted() { board.cut(address, of: owner) } }
    }

    package init(board: Switchboard, owner: String, process: SimulatedProcess? = nil) {
        self.board = board
        self.owner = owner
        self.process = process
    }

    package func dial(
        _ address: String, failsFast: Bool, hello: @escaping () -> Hello, delegate: any PeerDelegate
    ) -> any Peer {
        let peer = MemoryPeer(board: board, delegate: delegate, process: process)
        attempt(peer, address, failsFast, hello)
        return peer
    }

    private func attempt(_ peer: MemoryPeer, _ address: String, _ failsFast: Bool, _ hello: @escaping () -> Hello) {
        peer.schedule(after: board.drawDelay()) { [self] in
            guard !peer.isClosed else { return }
            let again = { [self] in
                _ = peer.schedule(after: .milliseconds(20)) { [self] in attempt(peer, address, failsFast, hello) }
            }
            guard let listener = board.listeners[address], !unreachable.contains(address),
                board.processes[address]?.isStopped != true
            else {
                if failsFast { peer.failAll() }
                return again()
            }
            let greeting = hello()
            switch listener.greet(greeting) {
            case .failure(let status):
                peer.delegate?.peer(peer, refused: status)
                again()
            case .success(let answer):
                let accepted = MemoryPeer(board: board, delegate: listener, process: board.processes[address])
                let link = MemoryLink(board: board, owner: owner, address: address, dialler: peer, accepted: accepted)
                link.onCut = again
                accepted.link = link
                board.add(link)
                listener.peerConnected(accepted, hello: greeting)
                peer.schedule(after: board.drawDelay()) {
                    guard link.isOpen, !peer.isClosed else { return }
                    peer.connected(link)
                    peer.delegate?.peerConnected(peer, hello: answer)
                }
            }
        }
    }

    package func close(_ peer: any Peer) {
        guard let peer = peer as? MemoryPeer, !peer.isClosed else { return }
        peer.isClosed = true
        peer.link?.cut()
        peer.schedule(after: .milliseconds(0)) { peer.failAll() }
    }
}
